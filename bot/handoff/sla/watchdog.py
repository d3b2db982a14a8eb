"""Finds customers who wait with nobody responsible, and brings them to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.handoff.desk_context import DeskContext
from bot.model import Conversation, Inbound, InboundKind, Peer, Sender, Status, Ticket
from bot.model.internal import UnattendedTicket

GRACE = timedelta(minutes=2)  # what is younger may still be on its way
AGAIN = timedelta(minutes=10)  # the same find is brought up no more often than this
MOST = 10_000  # open tickets
# of them that one round looks at, so that a backlog of a thousand does not cost half a second every time
PORTION = 150
_GONE = frozenset({"failed", "cancelled", "unknown"})


class Watchdog:
    """One round after another; what it finds arrives like a timer, once in *AGAIN*.

    All it remembers is where it has come to.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk
        self._after = 0  # number of the ticket that was looked at last

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """What has to be decided now, as inbounds of the customers' conversations."""
        found = [
            _found(c.peer, f"c{c.id}", "nobody", now) for c in await self._desk.ticket_reader.unattended()
        ]
        for ticket in self.portion(await self._desk.ticket_reader.tickets(limit=MOST)):
            if (
                ticket.opened is not None
                and now - ticket.opened >= GRACE
                and (why := await self._why(ticket))
            ):
                found.append(_found(ticket.customer_peer, f"t{ticket.number}", why, now))
        return tuple(found)

    def portion(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """The portion whose turn it is: those after the last one, and then from the beginning."""
        ordered = sorted(tickets, key=lambda t: (t.number <= self._after, t.number))[:PORTION]
        self._after = ordered[-1].number if len(tickets) > PORTION else 0
        return ordered

    async def _why(self, ticket: Ticket) -> str:
        """Why nobody is responsible for an open ticket; "" where somebody is."""
        conversation = await self._desk.ticket_reader.conversation(ticket.customer_peer)
        if conversation is not None and _adrift(conversation, ticket):
            return "status"
        if ticket.operator and self._desk.roster.member(ticket.operator).left:
            return "operator_gone"
        place = self._desk.places.thread(ticket)
        if place is None:
            # there is no desk at all: doctor, the log and the page say so, and binding one brings every
            # ticket
            return ""
        cards = await self._desk.ticket_reader.deliveries(peer=place, name=f"card:{ticket.number}")
        return "no_card" if all(c.status in _GONE for c in cards) else ""


def _adrift(conversation: Conversation, ticket: Ticket) -> bool:
    """The bot would answer although a ticket is open."""
    return conversation.ticket == ticket.number and conversation.status is Status.BOT


def _found(peer: Peer, what: str, why: str, now: datetime) -> Inbound:
    slot = int(now.timestamp() // AGAIN.total_seconds())
    return Inbound(
        f"stranded:{what}:{why}:{slot}",
        peer,
        Sender(""),
        now,
        InboundKind.INTERNAL,
        payload=UnattendedTicket(why),
    )
