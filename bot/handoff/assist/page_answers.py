"""Ready answers for a ticket's page: found by a word, filled with what is known of the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.handoff.assist.canned import SHOWN, MissingValues
from bot.handoff.assist.sending import value_name
from bot.handoff.desk_context import DeskContext
from bot.handoff.filling import filled
from bot.model import Customer, RichText, Ticket


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """One ready answer as this customer would get it; or what it *lacks* for them."""

    key: str
    title: str
    text: RichText
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerCase:
    """Whom a ready answer is for: the ticket, its customer, who writes it, when, and what was *said* last."""

    ticket: Ticket
    customer: Customer | None
    operator: str
    now: datetime
    said: str = ""


class PageAnswers:
    """The ready answers of the operators' side."""

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._desk.rules.canned is not None and bool(self._desk.rules.canned.find(""))

    def find(self, case: AnswerCase, typed: str) -> tuple[PageAnswer, ...]:
        """The likeliest for a word; without one those that fit the customer's words, then the first ones."""
        canned = self._desk.rules.canned
        if canned is None:
            return ()
        found = canned.find(typed)
        if not typed:
            found = (*canned.fitting(case.said)[:SHOWN], *found)
        keys = tuple(dict.fromkeys(ready.key for ready in found))[:SHOWN]
        return tuple(made for key in keys if (made := self.get(case, key)) is not None)

    def get(self, case: AnswerCase, key: str) -> PageAnswer | None:
        """One by its key; None where it is gone or cannot be made."""
        canned = self._desk.rules.canned
        ready = canned.get(key) if canned is not None else None
        if ready is None:
            return None
        text = filled(self._desk, ready, case.ticket, case.customer, case.operator, case.now)
        if isinstance(text, MissingValues):
            lacks = tuple(value_name(self._desk, value) for value in text.values)
            return PageAnswer(key, ready.title, RichText(), lacks)
        return PageAnswer(key, ready.title, text) if text is not None else None
