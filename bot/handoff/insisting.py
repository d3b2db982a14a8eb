"""A customer who waits and only calls again: the desk hears it once, aloud, and not as a post for each
call.
"""

from __future__ import annotations

from datetime import timedelta

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.model import InboundKind, Outbound, Status, Ticket, Turn

PATIENCE = timedelta(minutes=3)  # of waiting, after which a call is said aloud


def is_call(desk: DeskContext, turn: Turn) -> bool:
    """Whether the words of a waiting customer are nothing but a call for a person."""
    plain = all(i.kind is InboundKind.MESSAGE and not i.attachments for i in turn.inbounds)
    waits = turn.conversation.status is Status.WAITING
    return plain and waits and all(desk.rules.meaning(i.text) == "call" for i in turn.inbounds)


def is_known(ticket: Ticket) -> bool:
    """Whether the desk has read such a call already: one more tells nobody anything."""
    return ticket.state.calls > 0


def heard(desk: DeskContext, turn: Turn, ticket: Ticket) -> tuple[Ticket, tuple[Outbound, ...]]:
    """The ticket that remembers the call, and what is said aloud because of it."""
    called = lifecycle.called_again(ticket)
    since = ticket.state.queued or ticket.opened or turn.now
    if ticket.state.calls_announced or turn.now - since < PATIENCE:
        return called, ()
    said = notices.aloud(desk, called, "desk.calls_again", **notices.facts(desk, ticket, turn.now))
    return (lifecycle.calls_announced(called) if said else called), said
