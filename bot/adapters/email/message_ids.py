"""Message-IDs of ours: made of the outbox row, so that a repeat is the same letter and an answer to it tells
which buttons it was offered.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from bot.button_tokens import token
from bot.model import Rows

_OURS = re.compile(r"<o\.(\d{1,18})\.([cud0-9_]{0,400})\.([0-9a-f]{16})@[^<>@\s]+>")
_PLACE = re.compile(r"c|u|d\d{1,4}")
_DIGITS = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class OwnMessageId:
    """A letter of ours: its row of the outbox, and the choices below it by the number that stands there."""

    row: int
    choices: tuple[tuple[int, str], ...] = ()  # number, token of the button

    def token(self, number: int) -> str:
        """The button that *number* means; "" where there is none."""
        return dict(self.choices).get(number, "")


class MessageIds:
    """Makes and knows them. *secret* belongs to the channel: whoever has not seen a letter cannot name it,
    and its name is good for its own addressee only.
    """

    def __init__(self, secret: str, domain: str) -> None:
        self._key, self._domain = hashlib.sha256(secret.encode()).digest(), domain

    def of_row(self, row: int, rows: Rows, to: str) -> str:
        """The id of the letter of outbox row *row* to the address *to*."""
        layout = _layout(rows)
        return f"<o.{row}.{layout}.{self._sign(row, layout, to)}@{self._domain}>"

    def root(self, to: str) -> str:
        """What begins the thread of letters to somebody who has written none that is still known."""
        return f"<r.{self._sign(0, 'root', to)}@{self._domain}>"

    def read(self, text: str, to: str) -> OwnMessageId | None:
        """The first letter of ours to *to* that is named in *text*."""
        for row, layout, signed in _OURS.findall(text):
            if hmac.compare_digest(signed, self._sign(int(row), layout, to)):
                return OwnMessageId(int(row), _choices(int(row), layout))
        return None

    def _sign(self, row: int, layout: str, to: str) -> str:
        said = f"{row}.{layout}.{to.lower()}".encode()
        return hmac.digest(self._key, said, hashlib.sha256).hex()[:16]


def numbers(rows: Rows) -> tuple[str, ...]:
    """What stands before each button in order: its number, or "" where the label is the number itself or
    only opens a link.
    """
    return tuple("" if mark != "c" else str(number) for mark, number, _ in _counted(_layout(rows)))


def _layout(rows: Rows) -> str:
    """The buttons as letters: "c" a choice, "u" a link, "d5" one whose label is a number."""
    labels = [b.label.strip() for row in rows for b in row if b.action]
    numeric = len(set(labels)) == len(labels) and all(_DIGITS.fullmatch(label) for label in labels)
    return "_".join(
        "".join("u" if not b.action else f"d{b.label.strip()}" if numeric else "c" for b in row)
        for row in rows
    )[:400]


def _choices(row: int, layout: str) -> tuple[tuple[int, str], ...]:
    """By the number that is shown."""
    places = [
        (line, column)
        for line, marks in enumerate(layout.split("_"))
        for column, _ in enumerate(_PLACE.findall(marks))
    ]
    return tuple(
        (number, token(row, *place))
        for (mark, number, _), place in zip(_counted(layout), places, strict=True)
        if mark != "u"
    )


def _counted(layout: str) -> tuple[tuple[str, int, str], ...]:
    found, count = [], 0
    for mark in _PLACE.findall(layout):
        count += mark == "c"
        found.append((mark[0], int(mark[1:]) if mark[0] == "d" else count, mark))
    return tuple(found)
