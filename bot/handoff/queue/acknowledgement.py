"""The short sign that what a waiting customer sent was added to the ticket."""

from __future__ import annotations

from datetime import timedelta

from bot.handoff.desk_context import DeskContext
from bot.handoff.queue import wait_estimate
from bot.handoff.tickets import lifecycle
from bot.model import Outbound, Status, Ticket, Turn

PAUSE = timedelta(minutes=1)  # of silence that ends a burst: what follows sooner belongs to it


async def of_burst(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outbound | None:
    """One for a burst, with the place or the hour as they are now; None where nobody waits or the burst goes
    on.
    """
    last = ticket.state.wrote
    if turn.conversation.status is not Status.WAITING or (
        last is not None and timedelta() <= turn.now - last < PAUSE
    ):
        return None
    ahead = desk.queue.ahead(ticket, await desk.ticket_reader.queue(), turn.now)
    text = wait_estimate.told(desk, turn, ticket, key="handoff.added", ahead=ahead)
    return Outbound(turn.inbounds[-1].peer, text, ticket=ticket.number, author="bot")


def heard(turn: Turn, ticket: Ticket) -> Ticket:
    """The ticket that remembers when its waiting customer wrote."""
    waits = turn.conversation.status is Status.WAITING
    return lifecycle.wrote_while_waiting(ticket, turn.now) if waits else ticket
