"""Who is next: priorities, the order of waiting, and the place a customer is honestly told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.model import Ticket
from bot.sections import PriorityRule, length


class Queue:
    """Order of the waiting tickets under the rules of priority."""

    def __init__(self, rules: Sequence[PriorityRule] = ()) -> None:
        self._rules = [(rule, _pattern(rule.words)) for rule in rules]

    def priority(self, reason: str, text: str, fields: Mapping[str, object]) -> int:
        """How urgent a new ticket is; rules about waiting come later, by `rank`."""
        return sum(rule.add for rule, words in self._rules if rule.waited is None and _holds(rule, words, reason, text, fields))

    def rank(self, ticket: Ticket, now: datetime) -> int:
        """The priority with what waiting adds."""
        added = 0
        for rule, _ in self._rules:
            patience = length(rule.waited)
            if patience is not None and ticket.opened is not None and now - ticket.opened >= patience and rule.reason in (None, ticket.reason):
                added += rule.add
        return ticket.priority + added

    def ordered(self, tickets: Sequence[Ticket], now: datetime) -> tuple[Ticket, ...]:
        """The waiting ones, who is next first."""
        waiting = [t for t in tickets if t.status == "waiting"]
        return tuple(sorted(waiting, key=lambda t: (-self.rank(t, now), t.opened or now, t.number)))

    def ahead(self, ticket: Ticket, tickets: Sequence[Ticket], now: datetime) -> int:
        """How many waiting ones come before this one."""
        numbers = [t.number for t in self.ordered(tickets, now)]
        return numbers.index(ticket.number) if ticket.number in numbers else 0


def changed_much(told: int, place: int) -> bool:
    """Whether a customer should hear of his new place: first at last, half as far, or three places away from what was said."""
    return place != told and (place == 1 or place * 2 <= told or abs(place - told) >= 3)


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """Any form of the words: what they begin with, from the start of a word."""
    return re.compile(r"\b(?:" + "|".join(re.escape(w) for w in words) + ")", re.IGNORECASE) if words else None


def _holds(rule: PriorityRule, words: re.Pattern[str] | None, reason: str, text: str, fields: Mapping[str, object]) -> bool:
    if words is not None and not words.search(text):
        return False
    if rule.reason not in (None, reason):
        return False
    return all(str(fields.get(k, "")).casefold() == v.casefold() for k, v in rule.fields.items())
