"""The operators' side: a ticket is opened and shown, taken by exactly one, answered, and closed; all as decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from bot.handoff import operating
from bot.handoff.binding import Binding
from bot.handoff.card import card, card_buttons, heading, topic_name, transcript
from bot.handoff.contact import contacts
from bot.handoff.hours import Hours
from bot.model import (
    Answer,
    Attachment,
    Button,
    Customer,
    Event,
    InboundKind,
    Lane,
    Later,
    Line,
    Outbound,
    Outcome,
    Peer,
    Result,
    RichText,
    Status,
    Ticket,
    Turn,
    Verb,
)
from bot.wording import Wording

FORWARDED = 5  # attachments of the last words that come along with a new ticket
RECENT_LINES = 8


class Records(Protocol):
    """What the desk looks up to show a ticket again."""

    async def ticket(self, number: int) -> Ticket | None: ...

    async def tickets(self) -> Sequence[Ticket]: ...

    async def history(self, conversation: int, *, limit: int = 100) -> Sequence[Line]: ...


class Desk:
    """Decides for operators and about tickets. Holds nothing but where the desk is; everything else is in the turn."""

    def __init__(self, words: Wording, hours: Hours, *, lang: str = "ru", binding: Binding, titles: Mapping[str, str] | None = None) -> None:
        self.words, self.hours, self.lang = words, hours, lang
        self.binding = binding
        self._titles = dict(titles or {})  # channel -> how operators call it
        self.ask_rating: timedelta | None = None  # how long after closing the customer is asked; None = never

    # --- for the engine

    def hears(self, turn: Turn) -> bool:
        """Whether the turn was said in a group: then it is the desk's to decide, customers write in private."""
        return not turn.said[0].private

    async def decide(self, turn: Turn) -> Outcome:
        """What an operator's words, command or button do."""
        inbound = turn.said[0]
        if (placed := await self.binding.decide(turn)) is not None:
            return replace(placed, say=(*placed.say, *await self._waiting_cards(turn))) if placed.reason == "bound" else placed
        if not self.binding.is_desk(inbound.peer):
            return ignored("not_the_desk")
        return operating.decide(self, turn)

    def escalate(self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None) -> Outcome:
        """Hand the conversation to a person: a ticket with a number, an honest word to the customer, a card for the desk."""
        if turn.ticket is not None and turn.ticket.status != "closed":
            return self._already(turn, turn.ticket, reason)
        ticket = self._new_ticket(turn, reason, answer)
        lang = self.customer_lang(turn)
        promise = self.hours.promise(turn.now, ahead=turn.waiting, recent_waits=turn.recent_waits)
        told = self.words.say(
            "handoff.opened", lang=lang, customer=turn.customer, number=ticket.number, promise=promise, apology=apology, reason=reason, now=turn.now
        )
        cancel = Button(self.words.text("handoff.button.cancel", lang=lang), "cancel_ticket", str(ticket.number))
        say = [Outbound(turn.conversation.peer, told, buttons=((cancel,),), ticket=ticket.number, name=f"opened:{ticket.number}")]
        if (to := self.thread(ticket)) is not None:
            say.append(self.card(to, ticket))
            say += [
                Outbound(to, attachments=(a,), heading=heading(ticket, self.words, self.lang), ticket=ticket.number, author="") for a in _recent_attachments(turn)
            ]
        return Outcome(
            "desk",
            Result.HANDED_OFF,
            reason,
            tuple(say),
            state={},
            status=Status.WAITING,
            opens=ticket,
            events=(Event("ticket_opened", ticket=ticket.number, data={"reason": reason, "open": promise.open}),),
            why=dict(answer.why) if answer else {},
        )

    # --- for the outbox

    async def topic_name(self, ticket: int) -> str:
        found = await self._records.ticket(ticket)
        return topic_name(found, self.words, self.lang) if found else f"№{ticket}"

    async def repost(self, ticket: int, to: Peer) -> tuple[Outbound, ...]:
        """The card with the newest history, for a topic that was deleted."""
        found = await self._records.ticket(ticket)
        if found is None:
            return ()
        history = await self._records.history(found.conversation, limit=30)
        lines = transcript(history, str(found.data.get("name") or self.words.text("desk.nameless", lang=self.lang)), self.words, self.lang)
        return (self.card(to, replace(found, data={**found.data, "transcript": lines})),)

    def undelivered(self, delivery: operating.Promise, reason: str) -> tuple[Outbound, ...]:
        """Tell the operators of a ticket that the customer did not get something, and why."""
        outbound = delivery.outbound
        if outbound.ticket is None or self.binding.is_desk(outbound.to):
            return ()
        to = outbound.receipt.peer if outbound.receipt else self.thread_of(outbound.ticket)
        if to is None:
            return ()
        text = self.words.say("desk.undelivered", lang=self.lang, reason=reason, text=outbound.text.text[:80])
        return (Outbound(to, text, quotes=outbound.receipt.message if outbound.receipt else "", ticket=outbound.ticket, author="", lane=Lane.NOTICE),)

    def delivered(self, delivery: operating.Promise) -> tuple[Outbound, ...]:
        """The receipt under an operator's words."""
        receipt = delivery.outbound.receipt
        if receipt is None:
            return ()
        mark = self.words.text("desk.receipt.delivered", lang=self.lang)
        return (Outbound(receipt.peer, RichText(mark), verb=Verb.REACT, quotes=receipt.message, lane=Lane.VIEW, author=""),)

    def open_records(self, records: Records) -> None:
        """Where tickets are looked up; given once, before the start."""
        self._records = records

    # --- for its neighbours in the room

    def thread(self, ticket: Ticket) -> Peer | None:
        return self.thread_of(ticket.number)

    def thread_of(self, number: int) -> Peer | None:
        """Where the ticket is shown; None while there is no desk."""
        place = self.binding.place
        return replace(place, thread=f"ticket:{number}") if place else None

    def card(self, to: Peer, ticket: Ticket) -> Outbound:
        return Outbound(
            to,
            card(ticket, self.words, self.lang),
            buttons=card_buttons(ticket, self.words, self.lang),
            name=f"card:{ticket.number}",
            ticket=ticket.number,
            author="",
        )

    def card_edit(self, ticket: Ticket) -> tuple[Outbound, ...]:
        """The card and the topic's name as they are now."""
        if (to := self.thread(ticket)) is None:
            return ()
        edited = replace(self.card(to, ticket), verb=Verb.EDIT, name="", edits=f"card:{ticket.number}", lane=Lane.VIEW)
        renamed = Outbound(to, RichText(topic_name(ticket, self.words, self.lang)), verb=Verb.RENAME_TOPIC, lane=Lane.VIEW, ticket=ticket.number, author="")
        return (edited, renamed)

    def notice(self, to: Peer, ticket: Ticket | None, key: str, **facts: object) -> Outbound:
        """A short word of the service in the desk."""
        above = heading(ticket, self.words, self.lang) if ticket and to.thread.startswith("ticket:") else RichText()
        return Outbound(to, self.words.say(key, lang=self.lang, **facts), heading=above, ticket=ticket.number if ticket else None, author="", lane=Lane.NOTICE)

    def standing(self, turn: Turn, ticket: Ticket, key: str = "handoff.status") -> RichText:
        """Number, place and honest time of a waiting customer, or who answers."""
        ahead = max(0, turn.waiting - 1)
        promise = self.hours.promise(turn.now, ahead=ahead, recent_waits=turn.recent_waits)
        return self.words.say(
            key, lang=self.customer_lang(turn), number=ticket.number, promise=promise, operator=ticket.operator_name, status=ticket.status, now=turn.now
        )

    def customer_lang(self, turn: Turn) -> str:
        return turn.customer.language if turn.customer else self.lang

    def close(self, turn: Turn, ticket: Ticket, *, by: str, told: bool = True) -> Outcome:
        """End the ticket and open the bot again. *by*: an operator's id, "customer" or "bot"."""
        closed = replace(ticket, status="closed", closed=turn.now)
        key = "handoff.cancelled" if by == "customer" else "handoff.closed"
        say: list[Outbound] = []
        if told:
            text = self.words.say(key, lang=self.customer_lang(turn), customer=turn.customer, number=ticket.number)
            say.append(Outbound(ticket.customer_peer, text, ticket=ticket.number, on_doubt="hold"))
        if by == "customer" and (to := self.thread(ticket)):
            say.append(self.notice(to, ticket, "desk.cancelled_by_customer"))
        say += self.card_edit(closed)
        if (to := self.thread(ticket)) is not None:
            say.append(Outbound(to, verb=Verb.CLOSE_TOPIC, lane=Lane.VIEW, ticket=ticket.number, author=""))
        event = Event("ticket_closed", ticket=ticket.number, actor=by)
        later = self._rating_later(turn, ticket) if told and by != "customer" else ()
        return Outcome("desk", Result.ANSWERED, "closed", tuple(say), state={}, status=Status.BOT, ticket=closed, events=(event,), later=later)

    def _rating_later(self, turn: Turn, ticket: Ticket) -> tuple[Later, ...]:
        """The timer that `dialogs/rating.py` answers; only somebody who was answered by a person is asked."""
        if self.ask_rating is None or ticket.first_reply is None:
            return ()
        data = {"ticket": ticket.number, "closed": turn.now.isoformat()}
        return (Later(f"rating:{ticket.number}", "rating", turn.now + self.ask_rating, data, conversation=ticket.conversation),)

    # --- opening

    async def _waiting_cards(self, turn: Turn) -> tuple[Outbound, ...]:
        """What was opened while there was no desk is shown in the new one."""
        place = turn.said[0].peer
        return tuple(self.card(replace(place, thread=f"ticket:{t.number}"), t) for t in await self._records.tickets())

    def _already(self, turn: Turn, ticket: Ticket, reason: str) -> Outcome:
        say = Outbound(turn.conversation.peer, self.standing(turn, ticket), ticket=ticket.number)
        status = Status.OPERATOR if ticket.operator else Status.WAITING
        return Outcome("desk", Result.HANDED_OFF, reason, (say,), status=status)

    def _new_ticket(self, turn: Turn, reason: str, answer: Answer | None) -> Ticket:
        customer = turn.customer or Customer(0)
        name = " ".join(p for p in (customer.name, customer.last_name) if p)
        said = [Line(i.at, "customer", i.text, attachments=i.attachments) for i in turn.said if i.kind is InboundKind.MESSAGE]
        lines = transcript([*turn.history, *said], name or self.words.text("desk.nameless", lang=self.lang), self.words, self.lang)
        texts = [i.text for i in reversed(turn.said)] + [line.text for line in reversed(turn.history) if line.author == "customer"]
        channel = turn.conversation.peer.channel
        return Ticket(
            turn.next_number,
            turn.conversation.id,
            turn.conversation.peer,
            reason=reason,
            topic="",
            opened=turn.now,
            data={
                "name": name,
                "username": customer.username,
                "channel": self._titles.get(channel, channel),
                "transcript": lines,
                "candidates": [[c.title, c.score] for c in answer.candidates[:3]] if answer else [],
                "contacts": contacts(texts, customer.fields),
            },
        )


def ignored(reason: str) -> Outcome:
    return Outcome("desk", Result.IGNORED, reason)


def _recent_attachments(turn: Turn) -> tuple[Attachment, ...]:
    """Photos and files that the ticket is about: of this turn and of the customer's last lines."""
    before = [a for line in turn.history[-RECENT_LINES:] if line.author == "customer" for a in line.attachments]
    return tuple([*before, *turn.attachments][-FORWARDED:])


