"""What an operator's words to the customer change about the ticket."""

from __future__ import annotations

from bot.handoff.tickets import lifecycle
from bot.model import Event, LastAnswer, Status, Ticket, Turn


def answered(ticket: Ticket, turn: Turn, name: str) -> tuple[Ticket, Status | None, tuple[Event, ...]]:
    """The ticket after an operator's words to the customer, which are found again by *name* ("" = never):
    taken where it was nobody's, answered, nothing owed any more.
    """
    by, last = turn.actor, LastAnswer(name, turn.now) if name else None
    changed = lifecycle.answered(ticket, by, turn.inbounds[0].sender.name, turn.now, last)
    events: list[Event] = []
    if not ticket.operator:
        events.append(Event("ticket_taken", ticket=ticket.number, actor=by, data={"how": "words"}))
    if ticket.first_reply is None:
        events.append(Event("first_reply", ticket=ticket.number, actor=by))
    events.append(Event("operator_wrote", ticket=ticket.number, actor=by))
    status = Status.OPERATOR if not ticket.operator or ticket.status != "operator" else None
    return changed, status, tuple(events)


def shows_otherwise(before: Ticket, after: Ticket) -> bool:
    """Whether the card has something new to show (each edit costs the group's budget)."""
    return _shown(before) != _shown(after)


def _shown(ticket: Ticket) -> tuple[object, ...]:
    state = ticket.state
    return (
        (ticket.status, ticket.operator, ticket.topic, ticket.priority),
        (state.warned, state.breached, state.promise_due, state.snoozed_until, state.tags, state.team),
    )
