"""Automatic assignment: who waits is given to the first operator who is free, where tickets are given rather
than taken.
"""

from __future__ import annotations

from datetime import datetime

from bot.handoff.answer_wish import is_later
from bot.handoff.desk_context import DeskContext
from bot.model import Inbound, InboundKind, Sender
from bot.model.internal import AssignmentDue


class AutoAssign:
    """Looks in every round: a ticket that found nobody when it came is tried again, the next one in line
    first.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """The tickets that somebody can be given now, as timers of their conversations."""
        desk = self._desk
        if desk.rules.routing.assign == "everyone":
            return ()
        tickets = await desk.ticket_reader.tickets(limit=1000)
        able = [
            t
            for t in desk.queue.ordered(tickets, now)
            if not is_later(t, now)
            and desk.teams.choose(t, desk.roster, tickets, desk.rules.routing, but=t.state.previous_operator)
        ]
        slot = int(now.timestamp())
        return tuple(
            Inbound(
                f"assign:{t.number}:{slot}",
                t.customer_peer,
                Sender(""),
                now,
                InboundKind.INTERNAL,
                payload=AssignmentDue(),
            )
            for t in able
        )
