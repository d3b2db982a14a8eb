"""A letter taken apart by the parser of the standard library, within limits of what it costs."""

from __future__ import annotations

import email
from email.message import Message
from typing import Any

PARTS = 500  # of a letter
DEEPEST = 30  # parts within parts: the parser compares each line with every border around it
LINES = 600_000  # of a letter: one of 25 MB has half as many
HEADERS = 1_000  # of a part
VALUE = 50_000  # characters of a header
PARAMETERS = 2_000  # characters of a header that says how to take the body apart


class IntricateLetterError(ValueError):
    """To take the letter apart would take minutes."""


def parsed(raw: bytes) -> Message:
    """The letter. Raises `IntricateLetterError` for one that was made to keep its reader busy."""
    if raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") > LINES:
        raise IntricateLetterError("lines")
    made = 0

    def part(**given: Any) -> Message:
        nonlocal made
        made += 1
        if made > PARTS:
            raise IntricateLetterError("parts")
        return _Part(**given)

    return email.message_from_bytes(raw, part)


class _Part(Message):
    """Knows how deep it lies, and keeps no more of its headers than anybody looks at."""

    _depth = 0

    def attach(self, payload: Any) -> None:
        payload._depth = self._depth + 1
        if payload._depth > DEEPEST:
            raise IntricateLetterError("depth")
        super().attach(payload)

    def set_raw(self, name: str, value: Any) -> None:
        if len(self) < HEADERS:
            most = PARAMETERS if name.lower().startswith("content-") else VALUE
            super().set_raw(name, value[:most] if isinstance(value, str) else value)
