"""Phones, e-mails and order numbers in what customers write: found for the operator, masked wherever they are kept in view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PHONE = re.compile(r"(?<![\w.])(?:\+?7|8)[\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}(?!\w)|(?<![\w.])\+\d{10,14}(?!\w)")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CARD = re.compile(r"(?<![\w-])(?:\d{4}[ -]?){3}\d{4}(?!\w)")
ORDER = re.compile(r"(?:заказ\w*|order|№|#)\s*(?:номер\s*|number\s*|no\.?\s*)?[№#]?\s*(\d{4,10})(?!\d)", re.I)


def mask(text: str) -> str:
    """The text with phones, e-mails and card numbers made unreadable, but for the last digits and the domain.

    >>> mask("мой номер +7 912 345-67-89, почта anna@mail.ru")
    'мой номер +7 ••• •••-67-89, почта a•••@mail.ru'
    """
    text = CARD.sub(lambda m: f"•••• {m[0][-4:]}", text)
    text = PHONE.sub(lambda m: f"+7 ••• •••-{_digits(m[0])[-4:-2]}-{_digits(m[0])[-2:]}", text)
    return EMAIL.sub(lambda m: f"{m[0][0]}•••@{m[0].split('@')[1]}", text)


def contacts(texts: Iterable[str], fields: Mapping[str, object]) -> dict[str, str]:
    """What is known of the customer: {"phone", "email", "order"}, from the profile first, then from the newest words."""
    found = {key: str(fields[key]) for key in ("phone", "email", "order") if fields.get(key)}
    for text in texts:
        for key, pattern in (("phone", PHONE), ("email", EMAIL)):
            if key not in found and (match := pattern.search(text)):
                found[key] = match[0]
        if "order" not in found and (match := ORDER.search(text)):
            found["order"] = match[1]
    return found


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
