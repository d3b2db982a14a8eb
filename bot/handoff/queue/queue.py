"""Who is next: priorities, the order of waiting, and the place a customer is honestly told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from bot.config.handoff import PriorityRule, length
from bot.model import Ticket, WaitingTickets


class Queue:
    """Order of the waiting tickets under the rules of priority.

    *line* tells in which queue a team's tickets stand, "" = that of all.
    """

    def __init__(self, rules: Sequence[PriorityRule] = (), *, line: Callable[[str], str] = str) -> None:
        self._rules = [(rule, _pattern(rule.words)) for rule in rules]
        self._line = line

    def priority(self, reason: str, text: str, fields: Mapping[str, object]) -> int:
        """How urgent a new ticket is; rules about waiting come later, by `rank`."""
        return sum(
            rule.add
            for rule, pattern in self._rules
            if rule.waited is None and _holds(rule, pattern, reason, text, fields)
        )

    def rank(self, ticket: Ticket, now: datetime) -> int:
        """The priority with what waiting adds."""
        added = 0
        for rule, _ in self._rules:
            patience = length(rule.waited)
            if (
                patience is not None
                and ticket.opened is not None
                and now - ticket.opened >= patience
                and rule.reason in (None, ticket.reason)
            ):
                added += rule.add
        return ticket.priority + added

    def ordered(self, tickets: Sequence[Ticket], now: datetime) -> tuple[Ticket, ...]:
        """The waiting ones, who is next first; who wants the answer later comes after all others, by time."""
        waiting = [t for t in tickets if t.status == "waiting"]

        def key(ticket: Ticket) -> tuple[datetime, int, datetime, int]:
            wish = ticket.state.wish_at
            turn = wish if wish is not None and wish > now else now
            return (turn, -self.rank(ticket, now), ticket.opened or now, ticket.number)

        return tuple(sorted(waiting, key=key))

    def places(self, tickets: Sequence[Ticket], now: datetime) -> Iterator[tuple[int, Ticket]]:
        """The waiting ones with the place each has in their own team's queue, from 1 on."""
        reached: dict[str, int] = {}
        for ticket in self.ordered(tickets, now):
            line = self._line(ticket.state.team)
            reached[line] = reached.get(line, 0) + 1
            yield reached[line], ticket

    def ahead(self, ticket: Ticket, tickets: Sequence[Ticket], now: datetime) -> int:
        """How many of their team's waiting ones come before this one."""
        return next((place - 1 for place, t in self.places(tickets, now) if t.number == ticket.number), 0)

    def before_new(self, ticket: Ticket, waiting: Sequence[WaitingTickets]) -> int:
        """How many come before one that joins the queue now; never fewer than do."""
        line, aging = (
            self._line(ticket.state.team),
            any(rule.waited is not None for rule, _ in self._rules),
        )
        same = (w for w in waiting if self._line(w.team) == line)
        return sum(w.count for w in same if aging or w.priority >= ticket.priority)


def changed_much(told: int, place: int) -> bool:
    """Whether a customer should hear of their new place: first at last, half as far, or three places away
    from what was said.
    """
    return place != told and (place == 1 or place * 2 <= told or abs(place - told) >= 3)


def _pattern(roots: Sequence[str]) -> re.Pattern[str] | None:
    """Any form of the words: what they begin with, from the start of a word."""
    return (
        re.compile(r"\b(?:" + "|".join(re.escape(r) for r in roots) + ")", re.IGNORECASE) if roots else None
    )


def _holds(
    rule: PriorityRule, pattern: re.Pattern[str] | None, reason: str, text: str, fields: Mapping[str, object]
) -> bool:
    if pattern is not None and not pattern.search(text):
        return False
    if rule.reason not in (None, reason):
        return False
    return all(str(fields.get(k, "")).casefold() == v.casefold() for k, v in rule.fields.items())
