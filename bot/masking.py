"""Phones, e-mails and card numbers in what people write: made unreadable wherever words are kept in view."""

from __future__ import annotations

import re

PHONE = re.compile(r"(?<![\w.])(?:\+?7|8)[\s(.-]*\d{3}[\s).-]*\d{3}[\s.-]*\d{2}[\s.-]*\d{2}(?!\w)|(?<![\w.])\+\d{10,14}(?!\w)")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CARD = re.compile(r"(?<![\w-])(?:\d{4}[ -]?){3}\d{4}(?!\w)")
HIDDEN = "•••"  # what stands in every masked text


def mask(text: str) -> str:
    """The text with phones, e-mails and card numbers made unreadable, but for the last digits and the domain.

    >>> mask("мой номер +7 912 345-67-89, почта anna@mail.ru")
    'мой номер +7 ••• •••-67-89, почта a•••@mail.ru'
    """
    text = CARD.sub(lambda m: f"•••• {m[0][-4:]}", text)
    text = PHONE.sub(lambda m: f"+7 ••• •••-{digits(m[0])[-4:-2]}-{digits(m[0])[-2:]}", text)
    return EMAIL.sub(lambda m: f"{m[0][0]}•••@{m[0].split('@')[1]}", text)


def digits(text: str) -> str:
    """Only the digits."""
    return re.sub(r"\D", "", text)
