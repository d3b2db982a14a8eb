"""Bytes of files that people saved in all kinds of programs, as text; what cannot be told for sure is refused."""

from __future__ import annotations

import re

from charset_normalizer import from_bytes


def decoded(content: bytes) -> str:
    """UTF-8 with one mark at the beginning at most, its line ends made one. Raises `UnicodeDecodeError`."""
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise UnicodeDecodeError("utf-8", content, content.index(0), content.index(0) + 1, "a zero byte")
    return re.sub(r"\r+\n", "\n", text)


def named_encoding(content: bytes) -> str:
    """What the bytes look like, as words to append; "" where nobody can tell."""
    best = from_bytes(content[:50_000]).best()
    return f" (похоже на {best.encoding})" if best and best.encoding not in ("utf_8", "ascii") else ""
