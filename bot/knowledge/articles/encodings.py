"""Bytes of files that people saved in all kinds of programs, as text; what cannot be told for sure is
refused.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]{2,20})""", re.IGNORECASE
)
_LIKELY, _WIDE = ("cp1251", "koi8_r", "cp866"), ("utf_16_le", "utf_16_be")  # what Russian files are saved in


def decoded(content: bytes) -> str:
    """UTF-8 with one mark at the beginning at most, its line ends made one. Raises `UnicodeDecodeError`."""
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise UnicodeDecodeError("utf-8", content, content.index(0), content.index(0) + 1, "a zero byte")
    return re.sub(r"\r+\n", "\n", text)


def read_any(content: bytes) -> str:
    """The text of a file that another program saved: by its mark, by what it declares, as UTF-8, else by what
    it looks like.

    Raises `UnicodeDecodeError` where it cannot be told.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding).lstrip("\ufeff")
    if (
        (declared := _DECLARED.search(content[:4096]))
        and (named := _known(declared[1].decode("ascii")))
        and not named.startswith("utf")
    ):
        return content.decode(named)
    if b"\0" not in content:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong = error
    else:
        wrong = UnicodeDecodeError("utf-8", content, content.index(0), content.index(0) + 1, "a zero byte")
    best = from_bytes(content, cp_isolation=list(_WIDE if b"\0" in content else _LIKELY)).best()
    if best is None:
        raise wrong
    return content.decode(best.encoding)


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def named_encoding(content: bytes) -> str:
    """The encoding that the bytes look like; "" where nobody can tell."""
    best = from_bytes(content[:50_000]).best()
    return best.encoding if best and best.encoding not in ("utf_8", "ascii") else ""
