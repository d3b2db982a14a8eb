"""Whether an answer to a form's question is one, and how it is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Protocol

import regex

from bot.dialogs.short_answers import ShortAnswers
from bot.model import Attachment, Media
from bot.text.phones import phone

LONGEST = 200
PATIENCE = 0.03  # seconds for a pattern of the owner

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"]{1,190}\.[^\W\d_]{2,24}")
_ORDER = re.compile(r"(?<![\w])([A-Za-zА-Яа-я]{0,4}[-/ ]?\d[\d-]{2,14})(?![\w])")


class Field(Protocol):
    """One question of a form; `type` is text, phone, email, order, number or choice, `pattern` what the whole
    answer must match.
    """

    @property
    def name(self) -> str: ...

    @property
    def ask(self) -> Mapping[str, str]: ...

    @property
    def type(self) -> str: ...

    @property
    def pattern(self) -> str | None: ...

    @property
    def options(self) -> Sequence[str]: ...

    @property
    def required(self) -> bool: ...


def read_answer(
    field: Field, text: str, attachments: Sequence[Attachment], hearing: ShortAnswers
) -> str | None:
    """The value to keep, or None where *text* (or a shared contact) does not answer the question."""
    said = " ".join(unicodedata.normalize("NFKC", text.replace("№", " ")).split())
    if field.type == "phone" and (shared := next((a for a in attachments if a.media is Media.CONTACT), None)):
        said = str(shared.data.get("phone", ""))
    if not said or len(said) > LONGEST:
        return None
    if field.pattern:
        return said if _fits(field.pattern, said) else None
    match field.type:
        case "phone":
            return phone(said)
        case "email":
            return found.group().lower() if (found := _EMAIL.search(said)) else None
        case "order":
            return found.group(1).replace(" ", "").upper() if (found := _ORDER.search(said)) else None
        case "number":
            return (
                found.group().replace(" ", "").replace(",", ".")
                if (found := re.fullmatch(r"[-+]?\d[\d ]*(?:[.,]\d+)?", said))
                else None
            )
        case "choice":
            place = hearing.choice(said, field.options)
            return field.options[place] if place is not None else None
    return (
        None
        if said.startswith("/") or not any(c.isalnum() for c in said) or hearing.means("skip", said)
        else said
    )


def _fits(pattern: str, said: str) -> bool:
    """Whether all of *said* looks like *pattern*.

    A pattern that takes too long does not hold a customer up: an operator reads the answer anyway.
    """
    try:
        return regex.fullmatch(pattern, said, timeout=PATIENCE) is not None
    except TimeoutError:
        return True
