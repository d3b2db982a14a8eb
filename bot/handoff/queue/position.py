"""Waiting customers see their place change: the message that opened the ticket is edited when it moved
much.
"""

from __future__ import annotations

from datetime import datetime

from bot.handoff.answer_wish import is_later
from bot.handoff.desk_context import DeskContext
from bot.handoff.queue import wait_estimate
from bot.handoff.queue.queue import changed_much
from bot.model import Customer, Outbound, OutboundKind, Priority, Ticket

MOST = 50  # edits in one round


class QueuePositions:
    """Remembers what each customer was last told, at first what the ticket says; a restart forgets what was
    told since, and so does a new holder of the lease "periodic", who alone looks.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk
        self._told: dict[int, int] = {}

    async def look(self, now: datetime) -> tuple[Outbound, ...]:
        """Edits for those whose place changed much."""
        waiting = tuple(self._desk.queue.places(await self._desk.ticket_reader.queue(), now))
        say: list[Outbound] = []
        for place, ticket in waiting:
            told = self._told.setdefault(ticket.number, ticket.state.place_told or place)
            if changed_much(told, place) and len(say) < MOST and _is_told(ticket, now):
                self._told[ticket.number] = place
                say.append(await self._edit(ticket, place, now))
        self._told = {t.number: self._told[t.number] for _, t in waiting}
        return tuple(say)

    async def _edit(self, ticket: Ticket, place: int, now: datetime) -> Outbound:
        desk = self._desk
        conversation = await desk.ticket_reader.conversation(ticket.customer_peer)
        known = (
            await desk.ticket_reader.customer(conversation.customer)
            if conversation is not None and conversation.customer
            else None
        )
        lang = (known or Customer(0, language=desk.lang)).language
        estimate = desk.hours.estimate(now, ahead=place - 1, recent=await desk.ticket_reader.recent_answers())
        text = desk.texts.say(
            "handoff.status",
            lang=lang,
            number=ticket.number,
            promise=estimate,
            operator="",
            status=ticket.status,
            now=now,
        )
        return Outbound(
            ticket.customer_peer,
            text,
            buttons=wait_estimate.buttons(desk, lang, ticket),
            kind=OutboundKind.EDIT,
            edits=f"opened:{ticket.number}",
            priority=Priority.COSMETIC,
            author="",
            ticket=ticket.number,
        )


def _is_told(ticket: Ticket, now: datetime) -> bool:
    """Whether the customer reads their place at all: nobody waits in public, or before the time they
    wished for.
    """
    return not ticket.customer_peer.is_public and not is_later(ticket, now)
