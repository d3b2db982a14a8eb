"""Incidents: what is broken right now in the supervisors' words, and who asked about it; folded from events,
so that no restart forgets them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.model import Event

ON, MET, OFF = "incident_on", "incident_met", "incident_off"
KINDS = (ON, MET, OFF)
_SENTENCE = re.compile(r"[.!?…\n]")


@dataclass(frozen=True, slots=True)
class Incident:
    """What customers are told while it lasts.

    `words` and `articles` say which questions it answers; without words its own first sentence does.
    """

    number: int
    text: str
    words: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    by: str = ""
    since: datetime | None = None

    @property
    def subject(self) -> str:
        """The first sentence: what it is about, without how it is mended."""
        return next((part.strip() for part in _SENTENCE.split(self.text) if part.strip()), self.text)

    def event(self) -> Event:
        """What makes it known."""
        data = {
            "number": self.number,
            "text": self.text,
            "words": list(self.words),
            "articles": list(self.articles),
            "by": self.by,
        }
        return Event(ON, data=data)


class Incidents:
    """Watches events: what was committed holds."""

    def __init__(self) -> None:
        self._known: dict[int, Incident] = {}
        self._over: set[int] = set()
        self._met: dict[int, set[int]] = {}

    def seen(self, event: Event) -> None:
        """What an event says about an incident."""
        if event.kind not in KINDS or not isinstance(number := event.data.get("number"), int):
            return
        if event.kind == ON:
            self._known[number] = Incident(
                number,
                str(event.data.get("text") or ""),
                _texts(event.data.get("words")),
                _texts(event.data.get("articles")),
                str(event.data.get("by") or ""),
                event.at,
            )
        elif event.kind == OFF:
            self._over.add(number)
        elif event.conversation is not None:
            self._met.setdefault(number, set()).add(event.conversation)

    @property
    def open(self) -> tuple[Incident, ...]:
        """Those that last, the oldest first."""
        return tuple(i for number, i in sorted(self._known.items()) if number not in self._over)

    @property
    def next_number(self) -> int:
        return max(self._known, default=0) + 1

    def get(self, number: int) -> Incident | None:
        return self._known.get(number)

    def met(self, number: int) -> tuple[int, ...]:
        """The conversations in which its words were said."""
        return tuple(sorted(self._met.get(number, ())))


def folded(events: Iterable[Event]) -> Incidents:
    """The incidents that *events* (of `KINDS`) tell of."""
    incidents = Incidents()
    for event in events:
        incidents.seen(event)
    return incidents


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()
