"""Characters as people see them: a letter with its accents, a flag, a family of faces is never cut in two."""

from __future__ import annotations

import regex

_GRAPHEME = regex.compile(r"\X")


def border(text: str, end: int, start: int = 0) -> int:
    """The last border between seen characters that is at most *end*; *start* is one itself.

    Where a single seen character reaches beyond *end*, *end* itself (at least one sign after *start*).
    """
    if end >= len(text):
        return len(text)
    window = text[start : end + 1]  # what joins two signs looks at no more than one sign ahead
    found = max((m.start() for m in _GRAPHEME.finditer(window)), default=0)
    return start + found if found else max(end, start + 1)


def shorten(text: str, limit: int) -> str:
    """*text* where it has at most *limit* signs, else its beginning and "…", together at most so many.

    >>> shorten("Где мой заказ?", 8), shorten("Да 👨‍👩‍👧", 7)
    ('Где мой…', 'Да…')
    """
    return text if len(text) <= limit else text[: border(text, limit - 1)].rstrip() + "…"
