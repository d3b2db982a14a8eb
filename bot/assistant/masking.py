"""Personal data taken out of what is sent to the assistant, and put back into what comes back.

Each find becomes a mark, [PHONE_1]; the same words get the same mark within one task. What looks like a mark
already is itself masked, so that nobody can write one and read somebody else's number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.observability import SECRET_TOKENS
from bot.text.customer_words import FULL_NAME, INTRODUCED, LONG_NUMBER, NUMBER_OF, SIGNED, own_names
from bot.text.phones import find
from bot.text.pii import EMAIL

_FIRST = 0xE000  # of the private signs that stand for finds while others are looked for
_MOST = 0x1900  # of them; what is personal beyond that is left out
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_MARK = re.compile(r"\[[A-Z]{2,10}_\d{1,5}\]")
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'()\[\]{}]+[^\s<>\"'()\[\]{}.,;:!?]", re.I)
_HANDLE = re.compile(r"(?<![\w@./])@[A-Za-z][\w.]{3,31}\b")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_PASSPORT = re.compile(
    r"(?:(?P<what>(?i:паспорт\w*|passport))\D{0,20})?"
    r"(?P<number>(?<!\d)\d{2}[ ]?\d{2}[ ]?(?:№|N|n|номер)?[ ]?\d{6}(?!\d))"
)
_SNILS = re.compile(r"(?<!\d)\d{3}-\d{3}-\d{3}[ -]?\d{2}(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_BIRTH = re.compile(
    r"(?i:родил\w*|рожд\w*|born|birth\w*)\D{0,15}(?P<number>\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d\d-\d\d)"
)
_STREET = (
    r"(?:ул\.?|улиц[аеуы]|пр-?к?т\.?|просп\.|проспект[ае]?|пер\.|переул[а-я]+|б-р|бульвар[ае]?|шоссе|ш\."
    r"|наб\.|набережн[а-я]+|пл\.|площад[а-я]+|мкр\.?|микрорайон[ае]?|проезд[ае]?|тупик[ае]?)"
)
_NAMED = r"(?:[А-ЯЁA-Z0-9][\w-]{0,30}\.?)(?:[ ][А-ЯЁа-яёA-Z][\w-]{0,30}\.?){0,2}"
_HOUSE = (
    r"(?:,?[ ]*(?:д\.?|дом)?[ ]*\d{1,4}(?:[а-яА-Яa-zA-Z](?![ ]?\d))?"
    r"(?:[ ]?(?:/|к\.?|корп\.?|стр\.?)[ ]?\d{1,4})?)?"
    r"(?:,?[ ]*(?:кв\.?|квартира|оф\.?|офис|под\.?|подъезд|эт\.?|этаж|домофон)[ ]*\d{1,5})*"
)
_ADDRESS = re.compile(rf"(?<!\w)(?:{_STREET}[ ]+{_NAMED}|{_NAMED}[ ]+{_STREET}(?!\w)){_HOUSE}")
_FLAT = re.compile(
    r"(?<!\w)(?:дом|д\.|кв\.?|квартира)[ ]*\d{1,4}[а-яА-Я]?(?:[ /,]*(?:кв\.?|квартира)[ ]*\d{1,5})?"
)
_ENGLISH_ADDRESS = re.compile(
    r"\b\d{1,5}[A-Za-z]?[ ]+(?:[A-Z][\w'-]*[ ]){1,3}"
    r"(?:Street|St\.?|Avenue|Ave\.?|Road|Rd\.?|Lane|Ln\.?|Drive|Dr\.?|Boulevard|Blvd\.?|Square|Sq\.?)(?!\w)"
)


class Masking:
    """What was taken out in one task. *names* are people's names that the caller knows."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = own_names([n for n in names if n])
        self._marks: dict[str, str] = {}  # mark -> words
        self._of: dict[tuple[str, str], str] = {}  # kind, words -> mark

    def hide(self, text: str) -> str:
        """*text* with a mark for each piece of personal data."""
        found: list[tuple[str, str]] = []  # mark, words

        def taken(kind: str, words: str) -> str:
            if len(found) == _MOST:
                return _PRIVATE.sub("", words)
            # a find may hold an earlier one, as a line of an address does a number
            words = _PRIVATE.sub(lambda m: found[ord(m[0]) - _FIRST][1], words)
            found.append((self._mark(kind, words), words))
            return chr(_FIRST + len(found) - 1)

        text = _PRIVATE.sub("", text)
        text = _MARK.sub(lambda m: taken("TEXT", m[0]), text)
        for pattern in SECRET_TOKENS:
            text = pattern.sub(lambda m: taken("SECRET", m[0]), text)
        text = _LINK.sub(lambda m: taken("LINK", m[0]), text)
        text = EMAIL.sub(lambda m: taken("EMAIL", m[0]), text)
        text = _HANDLE.sub(lambda m: taken("HANDLE", m[0]), text)
        text = _numbers(text, taken)
        text = _places(text, taken)
        text = INTRODUCED.sub(lambda m: f"{m['what']} {taken('NAME', m['name'])}", text)
        text = FULL_NAME.sub(lambda m: f"{m['what']}: {taken('NAME', m['name'])}", text)
        text = self._names.sub(lambda m: taken("NAME", m[0]), text)
        return _PRIVATE.sub(lambda m: found[ord(m[0]) - _FIRST][0], text)

    def show(self, text: str) -> str:
        """*text* with the words again; a mark that nobody gave stays."""
        return _MARK.sub(lambda m: self._marks.get(m[0], m[0]), text)

    def hide_all(self, value: Any) -> Any:
        """Every text in lists and mappings; keys are ours."""
        return _each(value, self.hide)

    def show_all(self, value: Any) -> Any:
        return _each(value, self.show)

    def _mark(self, kind: str, words: str) -> str:
        known = self._of.get((kind, words))
        if known is None:
            number = sum(k == kind for k, _ in self._of) + 1
            known = self._of[kind, words] = f"[{kind}_{number}]"
            self._marks[known] = words
        return known


def _numbers(text: str, taken: Callable[[str, str], str]) -> str:
    """Cards, passports, phones, accounts, and numbers of orders."""
    text = _IBAN.sub(lambda m: taken("ACCOUNT", m[0]), text)
    text = _CARD.sub(lambda m: taken("CARD", m[0]) if _is_card(m[0]) else m[0], text)
    text = _SNILS.sub(lambda m: taken("NUMBER", m[0]), text)
    text = _BIRTH.sub(lambda m: _within(m, taken("DATE", m["number"])), text)
    for phone in reversed(find(text)):
        text = text[: phone.start] + taken("PHONE", text[phone.start : phone.end]) + text[phone.end :]
    text = _PASSPORT.sub(lambda m: _within(m, taken("PASSPORT", m["number"])), text)
    text = NUMBER_OF.sub(lambda m: f"{m['what']}{m['sign']}{taken('ORDER', m['number'])}", text)
    return LONG_NUMBER.sub(lambda m: taken("NUMBER", m[0]), SIGNED.sub(lambda m: taken("ORDER", m[0]), text))


def _places(text: str, taken: Callable[[str, str], str]) -> str:
    for pattern in (_ADDRESS, _ENGLISH_ADDRESS, _FLAT):
        text = pattern.sub(lambda m: taken("ADDRESS", m[0]), text)
    return text


def _within(match: re.Match[str], mark: str) -> str:
    """The match with *mark* in place of its number."""
    start = match.start("number") - match.start()
    return match[0][:start] + mark + match[0][start + len(match["number"]) :]


def _is_card(written: str) -> bool:
    """Luhn's sum, which a sum of money or an order has by chance one time in ten."""
    digits = [int(c) for c in written if c.isdigit()]
    doubled = [d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {k: _each(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_each(v, change) for v in value]
    return value
