"""Phones, e-mails and card numbers in what people write: made unreadable wherever words are kept in view."""

from __future__ import annotations

import re

from bot.text.phones import find

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CARD = re.compile(r"(?<![\w-])(?:\d{4}[ -]?){3}\d{4}(?!\w)")
HIDDEN = "•••"  # what stands in every masked text


def mask(text: str) -> str:
    """The text with phones, e-mails and card numbers made unreadable, but for the last digits and the domain.

    >>> mask("мой номер +7 912 345-67-89, почта anna@mail.ru")
    'мой номер +7 ••• •••-67-89, почта a•••@mail.ru'
    """
    text = CARD.sub(lambda m: f"•••• {m[0][-4:]}", text)
    for phone in reversed(find(text)):
        hidden = f"{phone.country} ••• •••-{phone.number[-4:-2]}-{phone.number[-2:]}"
        text = text[: phone.start] + hidden + text[phone.end :]
    return EMAIL.sub(lambda m: f"{m[0][0]}•••@{m[0].split('@')[1]}", text)
