"""What customers wrote, for other eyes: personal data masked, or taken out so that the rest may become an
example question.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bot.text.person_names import Case, clean_name, decline
from bot.text.phones import find
from bot.text.pii import CARD, EMAIL, HIDDEN, mask

LONGEST = 200  # characters of an example
_CASES: tuple[Case, ...] = ("nom", "gen", "dat", "acc", "ins", "pre")
_AMOUNT = r"(?![\d.,]*\s*(?:₽|руб|р\b|тыс|%|км|кг|гр?\b|мл|шт|дн|час|мин|лет|rub|usd|eur|\$|€|days?\b))"
LONG_NUMBER = re.compile(
    rf"(?<![\w•])(?:№\s*|#\s*)?[A-ZА-ЯЁa-zа-яё]{{0,4}}-?(?=\d[\d-]{{0,40}}\d{{4}}){_AMOUNT}"
    r"\d[\d-]{4,}[A-Z]{0,3}(?!\w)"
)
NUMBER_OF = re.compile(
    r"(?P<what>\b(?:заказ\w*|номер\w*|договор\w*|трек\w*|чек\w*|сч[её]т\w*|заявк\w*|order|number|invoice|track"
    r"(?:ing)?)\b)(?P<sign>\s*(?:№|#|:|n°|no\.)?\s*)(?P<number>[A-ZА-ЯЁa-zа-яё]{0,4}-?\d[\d-]{2,}(?!\w))",
    re.IGNORECASE,
)
SIGNED = re.compile(r"(?:№|#)\s*[A-ZА-ЯЁ]{0,4}-?\d[\d-]*(?!\w)")
INTRODUCED = re.compile(
    r"\b(?P<what>(?i:меня зовут|мо[её] имя|моя фамилия|зовут меня|на имя|my name is))\s+"
    r"(?P<name>[^\W\d_][\w'’-]*(?:\s+[A-ZА-ЯЁ][\w'’-]*){0,2})"
)
FULL_NAME = re.compile(
    r"\b(?P<what>фио|получатель|name)\s*:\s*(?P<name>[^\W\d_][^,;.?!\n]{1,60})", re.IGNORECASE
)
_OPENING = re.compile(
    r"^(?:(?:а|и|но|ну|вы|скажите|подскажите|пожалуйста|здравствуйте|здрасьте|добрый (?:день|вечер)"
    r"|доброе утро|привет|алло|please|hello|hi|good (?:morning|day|evening))\b[\s,!.]*)+",
    re.IGNORECASE,
)


def masked(text: str, names: Collection[str] = ()) -> str:
    """The text with phones, e-mails, cards, numbers of orders and the customer's own *names* made unreadable.

    >>> masked("где заказ № 4512-77? Анна, anna@mail.ru", ["Анна"])
    'где заказ № •••? •••, a•••@mail.ru'
    """
    text = mask(text)
    text = NUMBER_OF.sub(lambda m: f"{m['what']}{m['sign']}{HIDDEN}", text)
    text = SIGNED.sub(lambda m: f"{m[0][0]} {HIDDEN}", LONG_NUMBER.sub(HIDDEN, text))
    text = INTRODUCED.sub(
        lambda m: f"{m['what']} {HIDDEN}", FULL_NAME.sub(lambda m: f"{m['what']}: {HIDDEN}", text)
    )
    return own_names(names).sub(HIDDEN, text) if names else text


def as_example(text: str, names: Collection[str] = ()) -> str:
    """The same without what would be masked, the greeting, and what is too long for an example; "" where
    nothing is left.

    >>> as_example("Здравствуйте! Где мой заказ № 4512-77? anna@mail.ru")
    'Где мой заказ?'
    """
    for phone in reversed(find(text)):
        text = text[: phone.start] + " " + text[phone.end :]
    text = EMAIL.sub(" ", CARD.sub(" ", text))
    text = NUMBER_OF.sub(lambda m: m["what"], text)
    text = SIGNED.sub(" ", LONG_NUMBER.sub(" ", text))
    text = INTRODUCED.sub(" ", FULL_NAME.sub(" ", text))
    text = own_names(names).sub(" ", text) if names else text
    return _shortened(_tidy(text))


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    text = re.sub(r"\s+(?=[,.!?;:])", "", text)
    text = re.sub(r"[,;:.](?=[,.!?;:])|(?<=[?!])[,.;:]+", "", text)
    text = _OPENING.sub("", text.lstrip(" ,.;:!?-–—"))
    return text.strip(" ,;:-–—").rstrip(".") if any(c.isalpha() for c in text) else ""


def _shortened(text: str) -> str:
    """A story becomes what it asks: its last question, else as many whole words as an example may have."""
    if len(text) <= LONGEST:
        return text
    asked = [s.strip() for s in re.findall(r"[^.!?\n]+\?", text)]
    if short := [s for s in asked if len(s) <= LONGEST]:
        return str(short[-1])
    return text[:LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:-–—")


def own_names(names: Iterable[str]) -> re.Pattern[str]:
    """What finds a person's names in any case of theirs."""
    forms: set[str] = set()
    for name in names:
        for part in clean_name(name).split():
            forms |= {
                part,
                *(decline(part, case=case) for case in _CASES),
                *(decline("", part, case=case) for case in _CASES),
            }
    longest = sorted((f for f in forms if len(f) >= 3), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest)) or '(?!)'})(?!\w)", re.IGNORECASE)
