"""Our deliveries in VK's words: the parameters of the calls, keyboards, message ids. Pure."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.rich_text import (
    VK_STYLES,
    degrade,
    fit,
    part,
    plain,
    to_format_data,
    utf16_length,
    with_heading,
)
from bot.adapters.vk.updates import CHATS_FROM, REACTIONS
from bot.button_tokens import token
from bot.errors import Refused
from bot.model import Button, Outbound, RichText, Rows, Style

TEXT = 4096  # UTF-16 units
LABEL = 40
ROW = 5
INLINE_ROWS, INLINE_BUTTONS = 6, 10
ROWS, BUTTONS = 10, 40
NOTICE = 90
RANDOM_IDS = 2**31 - 1
LIKELY = 1_000_000  # deliveries a store may have made before this process began

_COLORS = {"": "secondary", "primary": "primary", "danger": "negative", "success": "positive"}
_MARKUP = re.compile(r"(\[(?:id\d|club\d|public\d|app\d|https?:|vk\.)[^\]|\n]*)\|")
_CALL = re.compile(r"[@*](?=\w)")  # "@id7 (Anna)", "@all"
_REACTION_IDS = {emoji: number for number, emoji in REACTIONS.items()} | {
    "✅": 4,
    "✔": 4,
    "👀": 12,
    "⏳": 12,
    "🆗": 10,
    "❌": 9,
    "⚠": 9,
    "🥰": 15,
    "😢": 7,
    "🤝": 4,
    "👏": 4,
    "✍": 12,
}


@dataclass(frozen=True, slots=True)
class UploadedAttachments:
    """What became of the attachments: VK's names of them, a place on the map, and words for what could not
    travel.

    `reused` tells that some names were not made for this message, so that a refusal may be cured by
    uploading.
    """

    names: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    notes: tuple[RichText, ...] = ()
    reused: bool = False
    captions: RichText = field(default_factory=RichText)  # what is said with those that travel


class RandomIds:
    """What makes a repeat harmless: 31 bits, never 0, the same for the same delivery, another for every other
    one of this store.

    They come back with our own messages, which is how those are told from what people write by hand.
    """

    def __init__(self, salt: str) -> None:
        self._start = zlib.crc32(salt.encode())
        self._highest = LIKELY

    def of(self, nonce: int) -> int:
        self._highest = max(self._highest, nonce)
        return (self._start + nonce) % RANDOM_IDS + 1

    def holds(self, given: int) -> bool:
        """Whether *given* is likely one of ours: somebody else's is taken for it once in two thousand
        times.
        """
        return given > 0 and 0 < (given - 1 - self._start) % RANDOM_IDS <= self._highest


def peer_id(chat: str) -> int:
    """Raises `Refused` for what is no VK address."""
    try:
        return int(chat)
    except ValueError:
        raise Refused(f"not a VK peer: {chat!r}") from None


def message_id(name: str) -> dict[str, int]:
    """The parameter that names a message: `m57` is the id sending gave in a private chat, `57` the number
    within the chat.

    >>> message_id("m57"), message_id("57"), message_id("?")
    ({'message_id': 57}, {'cmid': 57}, {})
    """
    number = name.removeprefix("m")
    if not number.isdigit():
        return {}
    return {"message_id" if name.startswith("m") else "cmid": int(number)}


def compose(outbound: Outbound, carried: UploadedAttachments, nonce: int) -> dict[str, Any]:
    """The parameters that SAY and EDIT share; what is None is left out by the call."""
    keyboard, lines = to_keyboard(outbound.buttons, nonce, one_time=outbound.one_time)
    rich = words(outbound, (*carried.notes, *(RichText(line) for line in lines)))
    calls = any(s.style is Style.MENTION for s in rich.spans)
    rich = _called(rich) if calls else rich
    data = to_format_data(rich)
    return {
        "peer_id": peer_id(outbound.to.chat),
        "message": rich.text,
        "format_data": data if data["items"] else None,
        "keyboard": keyboard,
        "attachment": ",".join(carried.names) or None,
        "lat": carried.place and carried.place[0],
        "long": carried.place and carried.place[1],
        "dont_parse_links": 1,
        "disable_mentions": None if calls else 1,
    }


def words(outbound: Outbound, notes: Sequence[RichText] = ()) -> RichText:
    """Heading, text and notes as one text in the styles VK has.

    A heading gives way where the words need the space.
    """
    text = outbound.text
    for note in notes:
        text = text + "\n" + note if text else note
    space = TEXT - utf16_length(text.text) - 1
    heading = part(outbound.heading, 0, len(fit(outbound.heading.text, space))) if space > 0 else RichText()
    return _trimmed(_defused(degrade(with_heading(heading, text), VK_STYLES)))


def compose_comment(outbound: Outbound) -> str:
    """The words of a comment: VK styles none, so links stand in brackets; only who is addressed is called."""
    rich = words(outbound)
    mentions = tuple(s for s in rich.spans if s.style is Style.MENTION)
    if not mentions:
        return _CALL.sub("\uff20", plain(rich))
    head = max(s.offset + s.length for s in mentions)
    return _called(part(rich, 0, head)).text + _CALL.sub("\uff20", plain(part(rich, head, len(rich.text))))


def unstyled(outbound: Outbound, notes: Sequence[RichText] = ()) -> str:
    """The same without any styling, with the addresses of links in brackets."""
    return plain(words(outbound, notes))


def reply(outbound: Outbound) -> dict[str, Any] | None:
    """What makes the message an answer to another one."""
    quoted = message_id(outbound.quotes)
    if not quoted:
        return None
    kind = "conversation_message_ids" if "cmid" in quoted else "message_ids"
    return {"peer_id": peer_id(outbound.to.chat), kind: list(quoted.values()), "is_reply": 1}


def to_keyboard(
    rows: Rows, nonce: int, *, one_time: bool = False
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """VK's keyboard, and lines of text for the buttons it cannot hold (other links than https, more than
    forty).

    Inline up to ten buttons; more, or *one_time*, become the keyboard under the text field. A button keeps
    the token of the place it was offered at, wherever it is moved to.
    """
    places = [[(b, r, c) for c, b in enumerate(row)] for r, row in enumerate(rows)]
    lines = [f"{b.label}: {b.url}" for row in places for b, _, _ in row if b.url and not _opens(b)]
    places = [kept for row in places if (kept := [p for p in row if not p[0].url or _opens(p[0])])]
    count = sum(len(row) for row in places)
    inline = not one_time and count <= INLINE_BUTTONS
    flat = [p for row in places for p in row]
    lines += [b.label for b, _, _ in flat[BUTTONS:]]
    most = INLINE_ROWS if inline else ROWS
    if len(places) > most or any(len(row) > ROW for row in places) or count > BUTTONS:
        flat = flat[:BUTTONS]
        width = max(1, min(ROW, math.ceil(len(flat) / most)), math.ceil(len(flat) / most))
        places = [flat[i : i + width] for i in range(0, len(flat), width)]
    if not places:
        return None, tuple(lines)
    buttons = [[_button(b, token(nonce, r, c), inline=inline) for b, r, c in row] for row in places]
    return {"inline": True, "buttons": buttons} if inline else {"one_time": True, "buttons": buttons}, tuple(
        lines
    )


def label_lines(rows: Rows) -> tuple[RichText, ...]:
    """The buttons as words, where VK takes no keyboard at all: what is offered must be seen."""
    return tuple(RichText(f"• {b.label}{f': {b.url}' if b.url else ''}") for row in rows for b in row)


def acknowledgement(outbound: Outbound) -> dict[str, Any] | None:
    """The parameters that answer a pressed callback button; None where there is nothing to answer."""
    parts = outbound.quotes.split("|")
    if len(parts) != 3 or not parts[0] or not all(p.lstrip("-").isdigit() for p in parts[1:]):
        return None
    text = cut(outbound.text.text.strip(), NOTICE)
    data = {"type": "show_snackbar", "text": text} if text else None
    return {"event_id": parts[0], "user_id": int(parts[1]), "peer_id": int(parts[2]), "event_data": data}


def reaction(emoji: str) -> int | None:
    return _REACTION_IDS.get(emoji.removesuffix("\ufe0f"))


def is_private(peer: int) -> bool:
    return peer < CHATS_FROM


def cut(text: str, limit: int) -> str:
    """At most *limit* units, with an ellipsis where something is missing."""
    return text if utf16_length(text) <= limit else fit(text, limit - 1).rstrip() + "…"


def _button(button: Button, pressed: str, *, inline: bool) -> dict[str, Any]:
    label = cut(button.label.strip() or "…", LABEL)
    payload = json.dumps({"t": pressed})
    if button.url:
        return {"action": {"type": "open_link", "label": label, "link": button.url, "payload": payload}}
    # a callback leaves no echo in the chat; under the text field it would not go away
    kind = "callback" if inline else "text"
    return {"action": {"type": kind, "label": label, "payload": payload}, "color": _COLORS[button.style]}


def _opens(button: Button) -> bool:
    return button.url.startswith(("https://", "http://"))


def _defused(rich: RichText) -> RichText:
    """VK makes links of [id1|name] in any text; somebody else's words must stay words.

    One character for one.
    """
    return RichText(_MARKUP.sub("\\1\uff5c", rich.text), rich.spans)


def _called(rich: RichText) -> RichText:
    """The text with VK's mark around whom it calls, and nobody else called by it: styles give way, since the
    marks would shift them.
    """
    text, at = "", 0
    for span in sorted(
        (s for s in rich.spans if s.style is Style.MENTION and s.url.isdigit()), key=lambda s: s.offset
    ):
        if span.offset < at:
            continue
        end = span.offset + span.length
        text += (
            _CALL.sub("\uff20", rich.text[at : span.offset])
            + f"[id{span.url}|{rich.text[span.offset : end].removeprefix('@')}]"
        )
        at = end
    return RichText(text + _CALL.sub("\uff20", rich.text[at:]))


def _trimmed(rich: RichText) -> RichText:
    """VK strips white space from both ends and would then style the wrong characters."""
    start, stop = len(rich.text) - len(rich.text.lstrip()), len(rich.text.rstrip())
    return part(rich, start, max(start, stop)) if (start, stop) != (0, len(rich.text)) else rich
