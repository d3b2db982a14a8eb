"""People's names as people say them: cleaned of decoration, put into the right case and gender, left out when
in doubt.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cache
from typing import Literal

from pytrovich.detector import PetrovichGenderDetector
from pytrovich.enums import Case as PetrovichCase
from pytrovich.enums import Gender as PetrovichGender
from pytrovich.enums import NamePart
from pytrovich.maker import PetrovichDeclinationMaker

from bot.model import Customer, Sender

Case = Literal["nom", "gen", "dat", "acc", "ins", "pre"]
Gender = Literal["", "male", "female"]

logging.getLogger("pytrovich").setLevel(logging.CRITICAL)  # it logs the names it was asked about

_CASES = {
    "gen": PetrovichCase.GENITIVE,
    "dat": PetrovichCase.DATIVE,
    "acc": PetrovichCase.ACCUSATIVE,
    "ins": PetrovichCase.INSTRUMENTAL,
    "pre": PetrovichCase.PREPOSITIONAL,
}
_GENDERS = {
    "male": (PetrovichGender.MALE,),
    "female": (PetrovichGender.FEMALE,),
    "": (PetrovichGender.MALE, PetrovichGender.FEMALE),
}
_JOINS = "\u200c\u200d"  # join letters of some scripts and the faces of one emoji
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"  # letters and signs that look like a space
_CYRILLIC = re.compile(r"[А-Яа-яЁё]+(?:[-'’][А-Яа-яЁё]+)*")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿĀ-ž]+(?:[-'’.][A-Za-zÀ-ÖØ-öø-ÿĀ-ž]+)*")
_VOWEL = re.compile(r"[аеёиоуыэюяaeiouyàâäáãåèéêëìíîïòóôõöøùúûüýæœ]", re.IGNORECASE)
_PET_NAME = re.compile(
    r"(?:[юуя]ша|[юу]шка|[оеё]чка|енька|онька|[юу]ня|[юу]ся|уля|уська|чик|ёк)$", re.IGNORECASE
)
_NOT_NAMES = frozenset(
    (  # noqa: SIM905
        "аккаунт админ ип ооо зао оао пао администратор аноним без безымянный бот гость имя имени клиент"
        " компания магазин мама менеджер никто оператор папа пользователь покупатель продавец сайт салон"
        " студия тест удалён удален удалённый удаленный фирма я admin account anonymous bot client company"
        " customer deleted guest name nobody none null operator owner root shop store support test unknown"
        " user "
    ).split()
)


def shown_name(name: str) -> str:
    """*name* as it may stand among other words: nothing that cannot be seen or turns its neighbours; "" where
    nothing is left to see.
    """
    kept = "".join(" " if c.isspace() or c in _BLANK else c for c in name if c in _JOINS or not _is_unseen(c))
    kept = re.sub(rf"(?<![^\s{_JOINS}])[{_JOINS}]+|[{_JOINS}]+(?![^\s{_JOINS}])", "", kept)
    shown = " ".join(kept.split())
    return shown if any(unicodedata.category(c)[0] in "LNPS" for c in shown) else ""


def full_name(person: Customer | Sender) -> str:
    """First and last name as they are shown; "" where there is none to be seen."""
    return " ".join(p for p in (shown_name(person.name), shown_name(person.last_name)) if p)


def _is_unseen(sign: str) -> bool:
    return sign == "\ufffd" or (unicodedata.category(sign)[0] == "C" and not sign.isspace())


def clean_name(name: str) -> str:
    """The part of *name* that can be said aloud, decoration stripped, capitalised; "" for nicknames, digits
    and made-up names.
    """
    bare = "".join(
        c
        for c in unicodedata.normalize("NFC", name)
        if unicodedata.category(c)[0] not in "SC" and c not in "\u200d\ufe0e\ufe0f"
    )
    bare = re.sub(r"\([^)]*\)|[\"«»“”|.,;:!?*~•·…]+(?=\s|$)|(?:^|(?<=\s))[\"«»“”|.,;:!?*~•·…]+", " ", bare)
    words = bare.split()
    if not words or len(words) > 4:
        return ""
    done = [_said(word) for word in words]
    return " ".join(done) if all(done) else ""


def _said(word: str) -> str:
    if not (_CYRILLIC.fullmatch(word) or _LATIN.fullmatch(word)) or not 2 <= len(word) <= 24:
        return ""
    if word.casefold() in _NOT_NAMES or not _VOWEL.search(word) or re.search(r"(.)\1\1", word, re.IGNORECASE):
        return ""
    if re.search(r"x{2,}|(?<=[a-zа-яё])[A-ZА-ЯЁ](?=[A-ZА-ЯЁ])", word):
        return ""
    if word.islower() or (word.isupper() and len(word) > 2):
        return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
    return word


def call_name(customer: Customer | None) -> str:
    """How to address the customer: the first name, as the form or the platform told it; "" where none is fit
    to be said.
    """
    if customer is None:
        return ""
    for told in (customer.fields.get("name"), customer.name):
        if not isinstance(told, str) or not (name := clean_name(told)):
            continue
        first = name.split()[0]
        if not (len(first) > 4 and _CYRILLIC.fullmatch(first) and _PET_NAME.search(first)):
            return first
    return ""


def names_of(customer: Customer | None) -> tuple[str, ...]:
    """Every name that is known of a customer, to be found in what they write."""
    if customer is None:
        return ()
    told = customer.fields.get("name")
    known = (customer.name, customer.last_name, told if isinstance(told, str) else "")
    return tuple(name for name in known if name)


def gender_of(first: str, last: str = "") -> Gender:
    """The gender a name tells, "" where it does not (Саша, Женя) or where its parts disagree."""
    first, last = clean_name(first), clean_name(last)
    if not _CYRILLIC.search(first + last):
        return ""
    found = _detector().detect(firstname=first or None, lastname=last or None)  # type: ignore[no-untyped-call]
    return "male" if found is PetrovichGender.MALE else "female" if found is PetrovichGender.FEMALE else ""


def decline(first: str, last: str = "", gender: Gender = "", case: Case = "nom") -> str:
    """The cleaned name in *case*: ("Анна", "Черных", case="dat") gives "Анне Черных". Latin names stay as
    they are.

    Without *gender* the name itself tells it; where it cannot, and for what the rules do not know, it stays
    nominative.
    """
    first, last = clean_name(first), clean_name(last)
    known = gender or gender_of(first, last)
    return " ".join(
        part
        for part in (
            _declined(first, NamePart.FIRSTNAME, known, case),
            _declined(last, NamePart.LASTNAME, known, case),
        )
        if part
    )


@cache
def _maker() -> PetrovichDeclinationMaker:
    return PetrovichDeclinationMaker()


@cache
def _detector() -> PetrovichGenderDetector:
    return PetrovichGenderDetector()


def _declined(name: str, part: NamePart, gender: Gender, case: Case) -> str:
    if not name or case == "nom" or not _CYRILLIC.fullmatch(name.replace(" ", "-")):
        return name
    if not gender and part is NamePart.LASTNAME:
        return name
    # a name of either gender (Саша) is declined only where both genders agree
    forms = {
        " ".join(_maker().make(part, g, _CASES[case], word) for word in name.split())
        for g in _GENDERS[gender]
    }
    return forms.pop() if len(forms) == 1 else name
