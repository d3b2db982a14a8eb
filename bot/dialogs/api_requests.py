"""What other systems ask for through the REST API, and people on the pages: a message, attributes, a ticket
opened or closed; decided like everything else.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import card_posts, customer_linking, notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import closing, handover, lifecycle
from bot.handoff.tickets.create import known_of
from bot.handoff.tickets.settle import settled
from bot.model import Event, Inbound, Json, Outbound, Outcome, Result, RichText, Ticket, Turn
from bot.model.internal import CloseTicket, MergeCustomers, OpenTicket, SendMessage, SetAttributes
from bot.text.customer_fields import normal
from bot.text.markdown import to_rich
from bot.text.points_history import with_history

REASON = "api"  # why such a ticket was opened


class ApiRequests:
    """Stands before all other dialogs; a request arrives as an inbound of the customer's conversation, kept
    once by its idempotency key.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def __call__(self, turn: Turn) -> Outcome | None:
        first = turn.inbounds[0]
        match first.payload:
            case SendMessage() as request:
                return self._say(turn, first, request)
            case SetAttributes(attributes=changes):
                return self._change(turn, first, changes)
            case MergeCustomers() as request:
                return await customer_linking.by_request(self._desk, turn, request)
            case OpenTicket(text=text):
                return self._open(turn, first, text)
            case CloseTicket(ticket=number):
                return self._close(turn, first, number)
        return None

    def _say(self, turn: Turn, asked: Inbound, request: SendMessage) -> Outcome:
        rich = to_rich(request.text) if request.markdown else RichText(request.text)
        ticket = _open_ticket(turn)
        say = [Outbound(asked.peer, rich, name=asked.key, ticket=ticket.number if ticket else None)]
        if ticket is not None and (to := self._desk.places.thread(ticket)) is not None:
            say.append(
                notices.in_desk(self._desk, to, ticket, "desk.api_said", by=asked.sender.name, text=rich.text)
            )
        return Outcome(
            "requests",
            Result.ANSWERED,
            "api_said",
            tuple(say),
            events=(Event("message_requested", actor=_by(asked)),),
        )

    def _change(self, turn: Turn, asked: Inbound, changes: Json) -> Outcome:
        if turn.customer is None:
            return Outcome("requests", Result.IGNORED, "nobody")
        told = {k: normal(k, v) if isinstance(v, str) else v for k, v in changes.items()}
        fields = {k: v for k, v in {**turn.customer.fields, **told}.items() if v is not None}
        names = sorted(k for k in told if turn.customer.fields.get(k) != fields.get(k))
        points = self._desk.rules.points
        history = with_history(turn.customer.fields, told, points, turn.now, asked.sender.name or _by(asked))
        fields |= {k: v for k, v in history.items() if k not in told}
        if not names:
            return Outcome("requests", Result.ANSWERED, "api_unchanged")
        event = Event("attributes_changed", actor=_by(asked), data={"names": names})
        outcome = Outcome(
            "requests",
            Result.ANSWERED,
            "api_changed",
            customer=replace(turn.customer, fields=fields),
            events=(event,),
        )
        if (ticket := _open_ticket(turn)) is None:
            return outcome
        described = lifecycle.described(ticket, known_of(self._desk, fields))
        return settled(
            self._desk,
            turn.ticket,
            replace(outcome, messages=card_posts.edited(self._desk, described), ticket=described),
        )

    def _open(self, turn: Turn, asked: Inbound, text: str) -> Outcome:
        if _open_ticket(turn) is not None:
            return Outcome("requests", Result.IGNORED, "ticket_open")
        opened = handover.escalate(self._desk, turn, reason=REASON)
        ticket = opened.opens or opened.ticket
        if ticket is None or not text or (to := self._desk.places.thread(ticket)) is None:
            return opened
        return replace(
            opened,
            messages=(
                *opened.messages,
                notices.in_desk(self._desk, to, ticket, "desk.api_opened", by=asked.sender.name, text=text),
            ),
        )

    def _close(self, turn: Turn, asked: Inbound, number: int) -> Outcome:
        ticket = _open_ticket(turn)
        if ticket is None or ticket.number != number:
            return Outcome("requests", Result.IGNORED, "ticket_over")
        return settled(self._desk, turn.ticket, closing.close(self._desk, turn, ticket, by=_by(asked)))


def _open_ticket(turn: Turn) -> Ticket | None:
    return turn.ticket if turn.ticket is not None and turn.ticket.status != "closed" else None


def _by(asked: Inbound) -> str:
    """A key of the API has a name alone; who asks on a page has an id, too."""
    return asked.sender.id or f"api:{asked.sender.name}"
