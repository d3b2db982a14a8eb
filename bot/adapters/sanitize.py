"""The border where foreign text becomes ours: what no store can keep is replaced once, here, and nowhere
else.
"""

from __future__ import annotations

import json
import re
import unicodedata

from bot.model import RichText

_POISON = re.compile("[\x00\ud800-\udfff]")
_BIDI = dict.fromkeys(
    (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0xFEFF)
)
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\"\\/:*?<>|]+")
_NAME_LENGTH = 120
_WRITER = json.JSONEncoder(ensure_ascii=False)


def clean_text(text: str) -> str:
    """The text with each NUL and lone surrogate replaced by U+FFFD, one for one, so offsets into it stay
    right.
    """
    return _POISON.sub("\ufffd", text) if _POISON.search(text) else text


def clean_json(value: object) -> object:
    """A JSON value with every text in it cleaned, keys too.

    Raises RecursionError for what is nested absurdly deep.
    """
    return _cleaned(value) if _may_hold_poison(value) else value


def _may_hold_poison(value: object) -> bool:
    """One look at the whole value, several times cheaper than a walk: nearly all that arrives is clean."""
    written = _WRITER.encode(value)
    if "\\u0000" in written:
        return True
    try:
        written.encode()
    except UnicodeEncodeError:
        return True
    return False


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(k) if isinstance(k, str) else k: _cleaned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_cleaned(v) for v in value]
    return value


def clean_rich(rich: RichText) -> RichText:
    """`clean_text` of a styled text; its spans stay where they are."""
    return RichText(clean_text(rich.text), rich.spans)


def clean_file_name(name: str) -> str:
    """A file name that is safe to show and to send on: no path, control, quote or text-direction characters.

    Of a long name the beginning and the suffix stay.

    >>> clean_file_name("../../etc/passwd"), clean_file_name("photo\u202egpj.exe")
    ('passwd', 'photogpj.exe')
    """
    last = re.split(r"[/\\]", clean_text(name))[-1].translate(_BIDI)
    last = "".join(
        c for c in _NOT_IN_NAMES.sub("_", last) if unicodedata.category(c) not in ("Cc", "Co", "Cn")
    ).strip(". ")
    if len(last) <= _NAME_LENGTH:
        return last
    stem, dot, suffix = last.rpartition(".")
    if not dot or len(suffix) > 10:
        return last[:_NAME_LENGTH]
    return f"{stem[: _NAME_LENGTH - len(suffix) - 1]}.{suffix}"
