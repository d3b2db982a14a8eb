"""Telephone numbers in what people write: found however they are typed, and put into one form.

Other numbers stay what they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

HOME = "RU"  # where a number without a country is dialled, until `set_home`
LONGEST = 40  # characters beside the number in what is one number and nothing else

_DIGITS = re.compile(r"\d(?:[^\w\n]{0,3}\d){6}")  # less is no telephone number: most texts end here
_BEFORE = r"(?<!\w)(?<!\d[.:/,-])"
_RUSSIAN = re.compile(_BEFORE + r"(?:\+?7|8)[ (.-]*\d{3}[ ).-]*\d{3}[ .-]*\d{2}[ .-]*\d{2}(?!\w)")
_ABROAD = re.compile(_BEFORE + r"(?:\+|00)[ (]{0,2}[1-9](?:[ ().-]{0,3}\d){6,14}(?!\w)")
_NATIONAL = re.compile(_BEFORE + r"\(?\d(?:[ ().-]{0,3}\d){6,12}(?!\w)")
_DATE = re.compile(r"\d{4}[.-]\d\d?[.-]\d\d?|\d\d?[.-]\d\d?[.-](?:\d{4}|\d\d)(?!\d)")
_home = [HOME]


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in a text: where it stands, how it is written there, and how it is dialled from anywhere."""

    start: int
    end: int
    written: str
    number: str

    @property
    def country(self) -> str:
        """The code of its country: +7."""
        parsed = _parsed(self.number)
        return f"+{parsed.country_code}" if parsed else self.number[:2]


def set_home(country: str | None) -> None:
    """Numbers without a country are those of *country* (RU, EE, …) from now on."""
    known = (country or HOME).upper()
    _home[0] = known if known in phonenumbers.SUPPORTED_REGIONS else HOME


def find(text: str) -> tuple[Phone, ...]:
    """The telephone numbers of *text*, in their order."""
    if not _DIGITS.search(text):
        return ()
    plain = typed_plainly(text)
    found: list[Phone] = []
    for pattern, read in ((_ABROAD, _abroad), (_RUSSIAN, _russian), (_NATIONAL, _national)):
        for match in pattern.finditer(plain):
            end, number = _longest(match, read)
            if number:
                found.append(Phone(match.start(), end, text[match.start() : end], number))
                plain = plain[: match.start()] + "\n" * (end - match.start()) + plain[end:]
    return tuple(sorted(found, key=lambda f: f.start))


def phone(text: str) -> str | None:
    """The number that *text* is, as it is dialled from anywhere: "8 (912) 345-67-89" is +79123456789."""
    plain = typed_plainly(text)
    if len(re.sub(r"[\d\s().\-+]", "", plain)) > LONGEST:
        return None
    if found := find(text):
        return found[0].number
    digits = re.search(r"\+?\d(?:[\s().-]*\d){6,14}", plain)
    return _alone(digits[0]) if digits else None


def typed_plainly(text: str) -> str:
    """*text* with plain digits, hyphens and spaces; every character stays at its place."""
    return text if text.isascii() else "".join(c if c < "\x80" else _plain(c) for c in text)


def _plain(sign: str) -> str:
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if (kind := unicodedata.category(sign)) in ("Zs", "Cf"):
        return "-" if sign == "\xad" else " "
    if kind == "Pd" or sign == "\u2212":
        return "-"
    return {"\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0e": "."}.get(sign, sign)


def _longest(match: re.Match[str], read: Callable[[str], str]) -> tuple[int, str]:
    """Where the number ends that begins with the run of digits: a count or a year may follow it."""
    ends = [m.end() for m in re.finditer(r"\d+", match[0])]
    for end in reversed(ends):
        if number := read(match[0][:end]):
            return match.start() + end, number
    return match.end(), ""


def _abroad(written: str) -> str:
    """With its country. A sum or an order does not begin with +; with 00 it may, so that one must exist."""
    told = _parsed(re.sub(r"^00", "+", written))
    if told is None:
        return ""
    sure = (
        phonenumbers.is_possible_number(told)
        if written.startswith("+")
        else phonenumbers.is_valid_number(told)
    )
    return _dialled(told) if sure else ""


def _russian(written: str) -> str:
    digits = _digits(written)
    return f"+7{digits[1:]}" if len(digits) == 11 else ""


def _national(written: str) -> str:
    """Without its country: one that exists there and looks like one, since orders and sums are digits too."""
    told = None if _DATE.match(written) else _parsed(written)
    if told is None or not phonenumbers.is_valid_number(told):
        return ""
    trunk = phonenumbers.national_significant_number(told) != _digits(written)
    return _dialled(told) if trunk or "(" in written or written.count("-") > 1 else ""


def _alone(written: str) -> str | None:
    """A field that holds nothing but a number need not look like one."""
    digits = _digits(written)
    if len(digits) == 10 and not written.startswith("+"):
        return f"+{phonenumbers.country_code_for_region(_home[0])}{digits}"
    if (told := _parsed(written)) is not None and phonenumbers.is_valid_number(told):
        return _dialled(told)
    return f"+{digits}" if 11 <= len(digits) <= 15 else None


def _parsed(written: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, _home[0])
    except phonenumbers.NumberParseException:
        return None


def _dialled(told: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(told, phonenumbers.PhoneNumberFormat.E164)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
