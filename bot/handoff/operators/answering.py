"""What an operator's words to the customer change about the ticket."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.operators.message_names import message_name
from bot.handoff.operators.replies import who
from bot.handoff.tickets.state import listed, marked
from bot.model import Event, Status, Ticket, Turn


def answered(ticket: Ticket, turn: Turn) -> tuple[Ticket, Status | None, tuple[Event, ...]]:
    """The ticket after an operator's words to the customer: taken where it was nobody's, answered, nothing
    owed any more.
    """
    inbound = turn.inbounds[0]
    events: list[Event] = []
    changed, status = ticket, None
    if not ticket.operator or ticket.status != "operator":
        hands = (
            {}
            if ticket.operator
            else {"operator": who(inbound), "operator_name": inbound.sender.name, "taken": turn.now}
        )
        changed, status = replace(ticket, status="operator", **hands), Status.OPERATOR  # type: ignore[arg-type]
        changed = marked(changed, queued=None, reminded=None, snoozed=None)
        if hands:
            events.append(
                Event("ticket_taken", ticket=ticket.number, actor=who(inbound), data={"how": "words"})
            )
    if changed.first_reply is None:
        changed = replace(changed, first_reply=turn.now)
        events.append(Event("first_reply", ticket=ticket.number, actor=who(inbound)))
    events.append(Event("operator_wrote", ticket=ticket.number, actor=who(inbound)))
    owed = ("first_reply", "next_reply")
    kept = {key: tuple(g for g in listed(changed, key) if g not in owed) for key in ("warned", "breached")}
    last = {"name": message_name(inbound), "at": turn.now.timestamp()} if inbound.message else None
    return (
        marked(changed, asked=None, answered=turn.now, quiet=None, last_words=last, **kept),
        status,
        tuple(events),
    )


def shows_otherwise(before: Ticket, after: Ticket) -> bool:
    """Whether the card has something new to show (each edit costs the group's budget)."""
    shown = ("warned", "breached", "promised", "snoozed", "tags", "team")
    return (before.status, before.operator, before.topic, before.priority) != (
        after.status,
        after.operator,
        after.topic,
        after.priority,
    ) or any(before.data.get(key) != after.data.get(key) for key in shown)
