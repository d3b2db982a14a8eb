"""Playbooks: what is to be done with a complaint, a conflict, a return, step by step, and which one a ticket
wants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.model import Ticket, TicketState

NONE = "-"  # in the ticket: an operator took the playbook away


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One step. *key* tells it from the others for good, *amount* is the compensation that belongs to it."""

    key: str
    text: str
    required: bool = False
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    """A checklist, and the tickets it is for: any one of topics, tags, reasons and words is enough.

    *words* stand in the customer's lines; a star ends one of which only the beginning is known.
    """

    name: str
    title: str
    steps: tuple[PlaybookStep, ...]
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def step(self, key: str) -> PlaybookStep | None:
        return next((s for s in self.steps if s.key == key), None)

    def done(self, state: TicketState) -> frozenset[str]:
        """The keys of its steps that are done."""
        return frozenset(d.step for d in state.steps_done) & {s.key for s in self.steps}

    def open_steps(self, state: TicketState) -> tuple[PlaybookStep, ...]:
        """What is left, in order."""
        done = self.done(state)
        return tuple(s for s in self.steps if s.key not in done)


@dataclass(frozen=True, slots=True)
class Playbooks:
    """All playbooks of the business, in the order in which they are tried."""

    known: Mapping[str, Playbook] = field(default_factory=dict)

    def of(self, ticket: Ticket) -> Playbook | None:
        """The one the ticket has; None = none, or one that is no more."""
        return self.known.get(ticket.state.playbook)

    def named(self, text: str) -> Playbook | None:
        """The one of this name or title."""
        typed = text.strip().casefold()
        return next(
            (p for p in self.known.values() if typed in (p.name.casefold(), p.title.casefold())), None
        )

    def fitting(self, ticket: Ticket, said: str) -> Playbook | None:
        """The one for this ticket: a tag says more than a topic, a topic more than the reason, and that more
        than words. *said* are the customer's.
        """
        tags = {t.casefold() for t in ticket.state.tags}
        topics = {ticket.topic.casefold(), ticket.category.casefold()} - {""}
        sides: tuple[Callable[[Playbook], bool], ...] = (
            lambda p: any(t.casefold() in tags for t in p.tags),
            lambda p: any(t.casefold() in topics for t in p.topics),
            lambda p: ticket.reason in p.reasons,
            lambda p: _is_said(p.words, said),
        )
        return next((p for side in sides for p in self.known.values() if side(p)), None)


def customer_words(state: TicketState, nameless: str) -> str:
    """What the customer has said, of what the card shows."""
    return "\n".join(what for who, what in state.transcript if who == (state.name or nameless))


def steps_of(texts: Iterable[tuple[str, bool, float | None]]) -> tuple[PlaybookStep, ...]:
    """Steps by what is written: the words are the key, so that a new step in between moves none."""
    return tuple(PlaybookStep(text, text, required, amount) for text, required, amount in texts)


def _is_said(words: Sequence[str], said: str) -> bool:
    return any(re.search(_pattern(w), said, re.IGNORECASE) for w in words)


def _pattern(words: str) -> str:
    parts = (re.escape(w.removesuffix("*")) + (r"\w*" if w.endswith("*") else "") for w in words.split())
    return rf"(?<!\w)(?:{' +'.join(parts)})(?!\w)"
