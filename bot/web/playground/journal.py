"""What happened on the page, as a test that can be kept and run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import yaml

from bot.model import Json

LENGTH = 2000  # entries remembered
QUOTE = 80  # characters of an answer that a test expects


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing somebody said or pressed, or heard. `chat` "" is the operators' side."""

    at: datetime
    channel: str
    chat: str
    doing: str
    text: str


class Journal:
    """Listens to the channels of the page and remembers, in order, who said, pressed and heard what."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=LENGTH)
        self._known: deque[tuple[str, str]] = deque(maxlen=LENGTH)

    def clear(self) -> None:
        self._entries.clear()

    def note(self, kind: str, what: Json, *, desk: bool) -> None:
        """A change of a view, as the channels tell it; a message told again (ticks, edits) counts once."""
        message = what.get("message")
        if (
            kind != "message"
            or not isinstance(message, dict)
            or (key := (str(what["channel"]), str(message["id"]))) in self._known
        ):
            return
        self._known.append(key)
        ours = message["author"] == "bot" or (message["author"] == "operator" and not desk)
        if desk and ours:
            return
        doing = "hears" if ours else "presses" if message["press"] else "says"
        files = ", ".join(str(a["media"]) for a in message["attachments"])
        text = str(message["press"] or message["text"]) or f"[{files}]"
        at = datetime.fromisoformat(str(message["at"]))
        self._entries.append(
            JournalEntry(
                at,
                str(what["channel"]),
                "" if desk else str(what["chat"]),
                ("operator_" if desk else "") + doing,
                text,
            )
        )

    def story(self, name: str, channel: str, chat: str, customer: Json) -> str:
        """The YAML of a test: the steps of one customer, and what operators did from their first word on."""
        steps = list(self._steps(channel, chat))
        first = next((e.at for e in self._entries if (e.channel, e.chat) == (channel, chat)), None)
        story: dict[str, object] = {
            "test": name,
            "channel": channel.removeprefix("play-"),
            "customer": dict(customer),
        }
        if first is not None:
            story["clock"] = first.isoformat(timespec="minutes")
        story["steps"] = steps
        return yaml.safe_dump([story], allow_unicode=True, sort_keys=False, width=120)

    def _steps(self, channel: str, chat: str) -> Iterator[dict[str, str]]:
        begun = False
        for entry in self._entries:
            begun = begun or (entry.channel, entry.chat) == (channel, chat)
            if not begun or (entry.chat and (entry.channel, entry.chat) != (channel, chat)):
                continue
            yield {entry.doing: _quote(entry.text) if entry.doing == "hears" else entry.text}


def _quote(text: str) -> str:
    """Enough of an answer to recognise it: its first line, cut at a word."""
    line = next((row.strip() for row in text.splitlines() if row.strip()), "")
    return line if len(line) <= QUOTE else line[:QUOTE].rsplit(" ", 1)[0]
