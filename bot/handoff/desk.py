"""The operators' side: a ticket is opened and shown, taken by exactly one, answered, and closed; all as
decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.handoff import group_status
from bot.handoff.assist import suggestions
from bot.handoff.card import card, heading, hidden_buttons, hints, numbered, topic_name, transcript
from bot.handoff.context import is_context, shown
from bot.handoff.desk_context import Delivered, Rules, TicketReader
from bot.handoff.group_binding import BIND, Binding
from bot.handoff.operators import router
from bot.handoff.operators.message_names import shown_name
from bot.handoff.operators.permissions import REFUSED
from bot.handoff.operators.registry import Registry
from bot.handoff.operators.roster import KINDS as CREW
from bot.handoff.operators.roster import Call, Roster
from bot.handoff.operators.teams import Teams
from bot.handoff.outreach import commands as outreach_commands
from bot.handoff.outreach.commands import Outreach
from bot.handoff.outreach.incidents import KINDS as INCIDENTS
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.queue.queue import Queue
from bot.handoff.sla import timers as ontime
from bot.handoff.sla.hours import Hours, Promise
from bot.handoff.sla.targets import Deadlines
from bot.handoff.tickets import lifecycle, transfer
from bot.handoff.tickets.create import (
    asked_again,
    new_ticket,
    recent_attachments,
    recent_context,
    shown_to_the_bot,
    so_far,
)
from bot.handoff.topics import close_topic, reopen_topic
from bot.i18n.texts import Texts
from bot.model import (
    Answer,
    Attachment,
    Button,
    Customer,
    Event,
    InboundKind,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Priority,
    Result,
    RichText,
    Rows,
    Sender,
    Status,
    Ticket,
    Timer,
    Turn,
)  # fmt: skip
from bot.model.internal import RatingDue

OF_GROUPS = (InboundKind.INTERNAL, InboundKind.ADDED, InboundKind.REMOVED)
QUIETLY = "handoff.closed_quiet"  # what a silent customer is told
WATCHED = (*CREW, "desk_lost", "desk_found", "desk_checked", "chat_moved", *INCIDENTS)


class Desk:
    """Decides for operators and about tickets.

    Holds where the desks are and who is there; everything else is in the turn.
    """

    def __init__(
        self,
        words: Texts,
        hours: Hours,
        *,
        lang: str = "ru",
        binding: Binding,
        titles: Mapping[str, str] | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.words, self.hours, self.lang = words, hours, lang
        self.binding, self.rules = binding, rules or Rules()
        self.crew, self.teams = Roster(), Teams(self.rules.teams)
        self.queue = Queue(self.rules.routing.priority, line=self.teams.line)
        self.deadlines = Deadlines(self.rules.sla, self.rules.routing, hours)
        self.incidents = Incidents()
        self.groups = group_status.Groups()
        self.commands = Registry()
        self._titles = dict(titles or {})  # channel -> how operators call it
        self._shown: dict[int, Peer] = {}  # where tickets were last seen, for words about failures
        binding.others = self.teams.is_desk
        binding.is_ours = lambda id: (
            id in self.rules.routing.supervisors
            or (bool(self.crew.member(id).name) and not self.crew.member(id).left)
        )
        self.outreach: Outreach  # given once, before the start
        self.ask_rating: timedelta | None = None  # how long after closing the customer is asked; None = never

    # --- for the engine

    def hears(self, turn: Turn) -> bool:
        """Whether the turn was said in a group: then it is the desk's to decide, customers write in
        private.
        """
        return not turn.inbounds[0].private

    async def decide(self, turn: Turn) -> Outcome:
        """What an operator's words, command or button do."""
        inbound = turn.inbounds[0]
        binds = turn.press is not None and turn.press.action == BIND
        if (inbound.kind in OF_GROUPS or binds) and (decided := await self._of_group(turn)) is not None:
            return decided
        if not self.binding.is_desk(inbound.peer):
            return router.elsewhere(self, turn)
        outcome = await router.decide(self, turn)
        acts = inbound.kind in (InboundKind.MESSAGE, InboundKind.PRESS) and outcome.reason != REFUSED
        met = self.crew.meeting(inbound) if acts else ()
        return self.settled(turn, replace(outcome, events=(*met, *outcome.events)))

    async def _of_group(self, turn: Turn) -> Outcome | None:
        """What is about the group itself, or was ordered from outside; None = neither."""
        if (ordered := await outreach_commands.on_timer(self, turn)) is not None:
            return ordered
        if (looked := await group_status.decide(self, turn)) is not None:
            return looked
        placed = await self.binding.decide(turn)
        if placed is None or placed.reason != "bound":
            return placed
        return replace(placed, messages=(*placed.messages, *await self._waiting_cards(turn)))

    async def on_time(self, turn: Turn) -> Outcome:
        """What a timer of the desk brings."""
        return self.settled(turn, await ontime.decide(self, turn))

    def escalate(
        self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome:
        """Hand the conversation to a person: a ticket with a number, an honest word to the customer, a card
        for the desk.
        """
        if turn.ticket is not None and turn.ticket.status != "closed":
            return self._already(turn, turn.ticket, reason)
        if (again := self._closed_lately(turn)) is not None:
            return self.settled(turn, self.reopen(turn, again, reason=reason, apology=apology))
        ticket = new_ticket(self, turn, reason, answer, self._titles)
        lang = self.lang_of(turn.customer)
        promise = self._promise(turn, self.queue.before_new(ticket, turn.waiting))
        ticket = lifecycle.place_told(ticket, promise.place)
        told = self.words.say(
            "handoff.opened",
            lang=lang,
            customer=turn.customer,
            number=ticket.number,
            promise=promise,
            apology=apology,
            reason=reason,
            now=turn.now,
        )
        say = [
            Outbound(
                turn.conversation.peer,
                told,
                buttons=self.opened_buttons(lang, ticket),
                ticket=ticket.number,
                name=f"opened:{ticket.number}",
            )
        ]
        later = (
            *transfer.look_for_somebody(self, ticket, turn.now),
            *suggestions.look_later(self, ticket, turn, promise.place),
        )
        if (to := self.thread(ticket)) is not None:
            say.append(self.card(to, ticket))
            say += self._shown_context(to, ticket, recent_context(turn))
            say += [self._shown_file(to, ticket, a) for a in recent_attachments(turn)]
        event = Event(
            "ticket_opened",
            ticket=ticket.number,
            data={"reason": reason, "open": promise.open, "topic": ticket.topic, "priority": ticket.priority},
        )
        why = dict(answer.why) if answer else {}
        opened = Outcome(
            "desk",
            Result.HANDED_OFF,
            reason,
            tuple(say),
            state={},
            status=Status.WAITING,
            opens=ticket,
            timers=later,
            events=(event,),
            explanation=why,
        )
        return self.settled(turn, opened)

    def reopen(self, turn: Turn, ticket: Ticket, *, reason: str, apology: bool = False) -> Outcome:
        """The customer comes back with it: the same ticket, with the same operator where he is there."""
        ticket = lifecycle.moved_to(ticket, turn.conversation.id, turn.conversation.peer)
        same = bool(ticket.operator) and self.crew.is_here(ticket.operator)
        ticket = lifecycle.transcribed(ticket, so_far(self, turn, ticket.state.name))
        opened = lifecycle.came_back(ticket, turn.now, same_operator=same)
        lang = self.lang_of(turn.customer)
        promise = self._promise(turn, self.queue.before_new(ticket, turn.waiting))
        told = self.words.say(
            "handoff.reopened",
            lang=lang,
            customer=turn.customer,
            number=ticket.number,
            operator=ticket.operator_name if same else "",
            apology=apology,
            promise=promise,
            now=turn.now,
        )
        say = [
            Outbound(
                ticket.customer_peer,
                told,
                buttons=self.opened_buttons(lang, opened),
                ticket=ticket.number,
                name=f"opened:{ticket.number}",
            )
        ]
        if (to := self.thread(opened)) is not None:
            text = asked_again(turn, ticket)
            operator = (self.crew.member(opened.operator).call or opened.operator_name) if same else ""
            reopened = reopen_topic(to, ticket.number)
            say += [reopened, *self.card_edit(opened)]
            back = self.notice(to, opened, "desk.came_back", operator=operator, text=text)
            say.append(replace(back, name=shown_name(ticket.number)))
            brought = shown_to_the_bot(turn, ticket.closed)
            say += self._shown_context(to, opened, tuple(a for a in brought if is_context(a)))
            say += [self._shown_file(to, opened, a) for a in brought if not is_context(a)]
        event = Event("ticket_reopened", ticket=ticket.number, actor="customer", data={"reason": reason})
        status = Status.OPERATOR if same else Status.WAITING
        later = () if same else transfer.look_for_somebody(self, opened, turn.now)
        return Outcome(
            "desk",
            Result.HANDED_OFF,
            reason,
            tuple(say),
            state={},
            status=status,
            ticket=opened,
            timers=later,
            events=(event,),
        )

    def _shown_file(self, to: Peer, ticket: Ticket, file: Attachment) -> Outbound:
        """What the customer sent, in the desk."""
        above = heading(ticket, self.words, self.lang)
        return Outbound(
            to,
            attachments=(file,),
            heading=above,
            name=shown_name(ticket.number),
            ticket=ticket.number,
            author="",
        )

    def _shown_context(self, to: Peer, ticket: Ticket, context: tuple[Attachment, ...]) -> list[Outbound]:
        """Words that came with the customer's and are not his, as one post."""
        if not context:
            return []
        above, text = heading(ticket, self.words, self.lang), RichText(shown(context, self.words, self.lang))
        return [
            Outbound(to, text, heading=above, name=shown_name(ticket.number), ticket=ticket.number, author="")
        ]

    def settled(self, turn: Turn, outcome: Outcome) -> Outcome:
        """The outcome with the timers and the views that follow from the ticket as it becomes."""
        after = outcome.opens or outcome.ticket
        if after is None:
            return outcome
        before = (
            turn.ticket
            if outcome.opens is None and turn.ticket is not None and turn.ticket.number == after.number
            else None
        )
        if outcome.opens is None and after == turn.ticket:
            return replace(outcome, ticket=None)
        after = self.deadlines.dated(after)
        later, cancel = self.deadlines.changes(before, after)
        same = before is not None and topic_name(before, self.words, self.lang) == topic_name(
            after, self.words, self.lang
        )
        say = tuple(
            self._redrawn(o, after)
            for o in outcome.messages
            if not (same and o.kind is OutboundKind.RENAME_TOPIC and o.ticket == after.number)
        )
        kept = {"opens": after} if outcome.opens is not None else {"ticket": after}
        return replace(
            outcome,
            messages=say,
            timers=(*outcome.timers, *later),
            cancel=(*outcome.cancel, *cancel),
            **kept,  # type: ignore[arg-type]
        )

    def _redrawn(self, outbound: Outbound, ticket: Ticket) -> Outbound:
        if outbound.ticket != ticket.number:
            return outbound
        if outbound.kind is OutboundKind.RENAME_TOPIC:
            return replace(outbound, text=RichText(topic_name(ticket, self.words, self.lang)))
        if outbound.name == f"card:{ticket.number}" or (
            outbound.kind is OutboundKind.EDIT and outbound.edits == f"card:{ticket.number}"
        ):
            return replace(
                outbound, text=card(ticket, self.words, self.lang), buttons=self._card_buttons(ticket)
            )
        return outbound

    # --- for the outbox

    async def topic_name(self, ticket: int) -> str:
        found = await self._records.ticket(ticket)
        return topic_name(found, self.words, self.lang) if found else numbered(ticket, self.words, self.lang)

    async def repost(self, ticket: int, to: Peer) -> tuple[Outbound, ...]:
        """The card with the newest history, for a topic that was deleted."""
        found = await self._records.ticket(ticket)
        if found is None:
            return ()
        history = await self._records.history(found.conversation, limit=30)
        lines = transcript(
            history,
            found.state.name or self.words.text("desk.nameless", lang=self.lang),
            self.words,
            self.lang,
        )
        return (self.card(to, lifecycle.transcribed(found, lines)),)

    def lost(self, to: Peer) -> tuple[Event, ...]:
        """What follows when a chat cannot be written to any more: a group of operators that is gone shows its
        tickets elsewhere.
        """
        if not self.binding.is_desk(to) or self.teams.is_lost(replace(to, thread="")):
            return ()
        return (Event("desk_lost", data={"channel": to.channel, "chat": to.chat}),)

    def undelivered(self, delivery: Delivered, code: str) -> tuple[Outbound, ...]:
        """Tell the operators of a ticket that the customer did not get something, and why: the code of a
        `DeliveryError`.
        """
        known = code and self.words.has(f"desk.why_undelivered.{code}")
        reason = self.words.text(f"desk.why_undelivered.{code if known else 'other'}", lang=self.lang)
        return self._of_delivery(delivery, "desk.undelivered", reason=reason)

    def doubtful(self, delivery: Delivered) -> tuple[Outbound, ...]:
        """Ask the operators of a ticket what to do about words that may have arrived or not."""
        return (
            self._of_delivery(delivery, "desk.doubtful") if delivery.outbound.kind is OutboundKind.SAY else ()
        )

    def _of_delivery(self, delivery: Delivered, key: str, **facts: object) -> tuple[Outbound, ...]:
        outbound = delivery.outbound
        if outbound.ticket is None or self.binding.is_desk(outbound.to):
            return ()
        to = outbound.receipt.peer if outbound.receipt else self.thread_of(outbound.ticket)
        if to is None:
            return ()
        text = self.words.say(key, lang=self.lang, text=_shown(outbound)[:80], **facts)
        again: Rows = ()
        if outbound.author == "operator" and outbound.kind is OutboundKind.SAY:
            again = (
                (Button(self.words.text("desk.button.resend", lang=self.lang), "resend", str(delivery.id)),),
            )
        return (
            Outbound(
                to,
                text,
                buttons=again,
                quotes=outbound.receipt.message if outbound.receipt else "",
                ticket=outbound.ticket,
                author="",
                priority=Priority.NOTICE,
            ),
        )

    def delivered(self, delivery: Delivered) -> tuple[Outbound, ...]:
        """The receipt under an operator's words."""
        receipt = delivery.outbound.receipt
        if receipt is None:
            return ()
        mark = RichText(self.words.text("desk.receipt.delivered", lang=self.lang))
        # by this name a reply to the operator's own words finds the ticket
        name = receipt.peer.message_name(receipt.message)
        number = delivery.outbound.ticket
        return (
            Outbound(
                receipt.peer,
                mark,
                kind=OutboundKind.REACT,
                name=name,
                quotes=receipt.message,
                priority=Priority.COSMETIC,
                ticket=number,
                author="",
            ),
        )

    def open_records(self, records: TicketReader) -> None:
        """Where tickets are looked up; given once, before the start."""
        self._records = records

    async def remember(self) -> None:
        """Who the operators are and which desks were lost, from the events so far; once, before the start."""
        for event in await self._records.events(kinds=WATCHED):
            self.seen(event)

    def seen(self, event: Event) -> None:
        """An observer of what was committed."""
        self.crew.seen(event)
        self.teams.seen(event)
        self.incidents.seen(event)
        self.groups.seen(event)

    @property
    def records(self) -> TicketReader:
        return self._records

    # --- for its neighbours in the room

    def thread(self, ticket: Ticket) -> Peer | None:
        """Where the ticket is shown: its team's group, else the desk of all, else any that is left; None
        while there is no desk.

        A group that is lost hears nothing: what is said meanwhile is kept, and shown there when the bot is
        back.
        """
        place = self.teams.place(ticket.state.desk) or self.binding.place
        if place is not None and self.teams.is_lost(place):
            place = next(iter(self.teams.places()), None)
        if place is None:
            return None
        self._shown[ticket.number] = place
        return replace(place, thread=f"ticket:{ticket.number}")

    def thread_of(self, number: int) -> Peer | None:
        """Where the ticket was last shown; None while there is no desk."""
        place = self._shown.get(number) or self.binding.place
        return replace(place, thread=f"ticket:{number}") if place else None

    def loud(self, ticket: Ticket, key: str, **facts: object) -> tuple[Outbound, ...]:
        """A word where everybody in the desk sees it, with the button that takes the ticket."""
        if (to := self.thread(ticket)) is None:
            return ()
        said = _calling(self.words.say(key, lang=self.lang, **facts), to, facts)
        buttons: Rows = (
            ()
            if ticket.operator
            else (
                (
                    Button(
                        self.words.text("desk.button.take", lang=self.lang),
                        "take",
                        str(ticket.number),
                        style="primary",
                    ),
                ),
            )
        )
        return (
            Outbound(
                replace(to, thread=""),
                said,
                buttons=buttons,
                ticket=ticket.number,
                author="",
                priority=Priority.NOTICE,
            ),
        )

    def title(self, channel: str) -> str:
        """How operators call a channel."""
        return self._titles.get(channel, channel)

    def places(self) -> tuple[Peer, ...]:
        """Every group in which operators work."""
        return tuple(
            dict.fromkeys([*([self.binding.place] if self.binding.place else []), *self.teams.places()])
        )

    def groups_of_operators(self) -> tuple[Peer, ...]:
        """The same, with those that the bot was put out of."""
        return tuple(
            dict.fromkeys([*([self.binding.place] if self.binding.place else []), *self.teams.all_places()])
        )

    def home(self, ticket: Ticket) -> Peer | None:
        """The group the ticket belongs to, whether the bot is in it or not."""
        return self.teams.home(ticket.state.desk) or self.binding.place

    async def look(self, peer: Peer) -> group_status.Chat | None:
        """What the platform says of a group. Raises `BotError`."""
        return await self.binding.platforms.look(peer)

    def topic_url(self, peer: Peer, thread: str) -> str:
        """Where a browser opens a topic of a group; "" where there is no such address."""
        return self.binding.platforms.topic_url(peer, thread)

    async def profile(self, peer: Peer, user: str) -> Sender | None:
        return await self.binding.profile(peer, user)

    async def membership(self, peer: Peer, user: str) -> str:
        return await self.binding.membership(peer, user)

    def to_supervisors(self, key: str, **facts: object) -> tuple[Outbound, ...]:
        """The same to every supervisor's own chat, for when the group itself may not hear."""
        people = [id.partition(":") for id in self.rules.routing.supervisors]
        text = self.words.say(key, lang=self.lang, **facts)
        return tuple(
            Outbound(Peer(channel, user), text, author="", priority=Priority.NOTICE)
            for channel, _, user in people
        )

    def supervisors(self, to: Peer | None) -> Call:
        """How the supervisors in this group are called, in one line; "" where there are none: who is not in
        it would not hear.
        """
        there = [
            self.crew.member(id)
            for id in self.rules.routing.supervisors
            if to is not None and self.is_in(id, to)
        ]
        return Call.of(*(pair for m in there for pair in m.call.whom))

    def is_in(self, id: str, to: Peer) -> bool:
        """Whether an operator was seen in this group; of one known from before groups were noted, on the
        channel.
        """
        member = self.crew.member(id)
        return (
            bool(member.name)
            and not member.left
            and member.channel == to.channel
            and (not member.chats or to.chat in member.chats)
        )

    def is_supervisor(self, id: str) -> bool:
        return not self.rules.routing.supervisors or id in self.rules.routing.supervisors

    def facts(self, turn: Turn, ticket: Ticket) -> Mapping[str, object]:
        """What words about a ticket may need."""
        since = ticket.state.queued or ticket.opened or turn.now
        name = ticket.state.name or self.words.text("desk.nameless", lang=self.lang)
        return {
            "number": ticket.number,
            "name": name,
            "operator": ticket.operator_name,
            "waited": self.hours.working(since, turn.now) or turn.now - since,
        }

    def opened_buttons(self, lang: str, ticket: Ticket) -> Rows:
        """What a waiting customer may do."""
        labels = (("add_details", "add"), ("cancel_ticket", "cancel"))
        return (
            tuple(
                Button(self.words.text(f"handoff.button.{label}", lang=lang), action, str(ticket.number))
                for action, label in labels
            ),
        )

    def _card_buttons(self, ticket: Ticket) -> Rows:
        ready = self.rules.canned is not None and bool(self.rules.canned.find(""))
        without = hidden_buttons(ticket, ready=ready)
        return (
            *self.commands.card_rows(ticket, self.words, self.lang, without=without),
            *hints(ticket),
        )

    def card(self, to: Peer, ticket: Ticket) -> Outbound:
        return Outbound(
            to,
            card(ticket, self.words, self.lang),
            buttons=self._card_buttons(ticket),
            name=f"card:{ticket.number}",
            ticket=ticket.number,
            author="",
        )

    def card_edit(self, ticket: Ticket) -> tuple[Outbound, ...]:
        """The card and the topic's name as they are now."""
        if (to := self.thread(ticket)) is None:
            return ()
        edited = replace(
            self.card(to, ticket),
            kind=OutboundKind.EDIT,
            name="",
            edits=f"card:{ticket.number}",
            priority=Priority.COSMETIC,
        )
        renamed = Outbound(
            to,
            RichText(topic_name(ticket, self.words, self.lang)),
            kind=OutboundKind.RENAME_TOPIC,
            priority=Priority.COSMETIC,
            ticket=ticket.number,
            author="",
        )
        return (edited, renamed)

    def notice(self, to: Peer, ticket: Ticket | None, key: str, **facts: object) -> Outbound:
        """A short word of the service in the desk."""
        above = (
            heading(ticket, self.words, self.lang)
            if ticket and to.thread.startswith("ticket:")
            else RichText()
        )
        said = _calling(self.words.say(key, lang=self.lang, **facts), to, facts)
        return Outbound(
            to,
            said,
            heading=above,
            ticket=ticket.number if ticket else None,
            author="",
            priority=Priority.NOTICE,
        )

    def standing(
        self, turn: Turn, ticket: Ticket, key: str = "handoff.status", *, ahead: int | None = None
    ) -> RichText:
        """Number, place and honest time of a waiting customer, or who answers.

        *ahead*: how many come before him, where known.
        """
        promise = self._promise(
            turn, max(0, self.queue.before_new(ticket, turn.waiting) - 1) if ahead is None else ahead
        )
        return self.words.say(
            key,
            lang=self.lang_of(turn.customer),
            number=ticket.number,
            promise=promise,
            operator=ticket.operator_name,
            status=ticket.status,
            now=turn.now,
        )

    def _promise(self, turn: Turn, ahead: int) -> Promise:
        return self.hours.promise(turn.now, ahead=ahead, recent=turn.recent_answers)

    def lang_of(self, customer: Customer | None) -> str:
        return customer.language if customer else self.lang

    def close(self, turn: Turn, ticket: Ticket, *, by: str, told: bool = True, key: str = "") -> Outcome:
        """End the ticket and open the bot again.

        *by*: an operator's id, "customer" or "bot"; *key*: what the customer is told.
        """
        key = key or ("handoff.cancelled" if by == "customer" else "handoff.closed")
        closed = lifecycle.closed(ticket, turn.now, over_silence=key == QUIETLY)
        say: list[Outbound] = []
        if told:
            text = self.words.say(
                key, lang=self.lang_of(turn.customer), customer=turn.customer, number=ticket.number
            )
            say.append(Outbound(ticket.customer_peer, text, ticket=ticket.number, on_uncertain="hold"))
        if key == "handoff.cancelled" and (to := self.thread(ticket)):
            say.append(self.notice(to, ticket, "desk.cancelled_by_customer"))
        say += self.card_edit(closed)
        if (to := self.thread(ticket)) is not None:
            say.append(close_topic(to, ticket.number))
        event = Event("ticket_closed", ticket=ticket.number, actor=by)
        later = self._rating_later(turn, ticket) if told and key == "handoff.closed" else ()
        return Outcome(
            "desk",
            Result.ANSWERED,
            "closed",
            tuple(say),
            state={},
            status=Status.BOT,
            ticket=closed,
            events=(event,),
            timers=later,
        )

    def _rating_later(self, turn: Turn, ticket: Ticket) -> tuple[Timer, ...]:
        """The timer that `dialogs/rating.py` answers; only somebody who was answered by a person is asked."""
        if self.ask_rating is None or ticket.first_reply is None:
            return ()
        return (
            Timer(
                f"rating:{ticket.number}",
                RatingDue(ticket.number, turn.now),
                turn.now + self.ask_rating,
                conversation=ticket.conversation,
            ),
        )

    # --- opening

    async def _waiting_cards(self, turn: Turn) -> tuple[Outbound, ...]:
        """What was opened while there was no desk, or in another one, is shown in the new one."""
        place = replace(turn.inbounds[0].peer, thread="")
        mine = [t for t in await self._records.tickets(limit=1000) if self.teams.place(t.state.desk) is None]
        return tuple(
            [
                card
                for t in mine
                for card in await self.repost(t.number, replace(place, thread=f"ticket:{t.number}"))
            ]
        )

    def left_off(self, turn: Turn) -> Ticket | None:
        """The ticket that was closed over the customer's silence: any words of his open it again, as he was
        told.
        """
        last = self._closed_lately(turn)
        return last if last is not None and last.state.closed_over_silence else None

    def _closed_lately(self, turn: Turn) -> Ticket | None:
        """The ticket that a request for a person opens again; one the customer took back himself stays
        closed.
        """
        limit = self.deadlines.reopen
        last = turn.past[0] if turn.past else None
        if (
            limit is None
            or last is None
            or last.closed is None
            or last.first_reply is None
            or turn.now - last.closed > limit
        ):
            return None
        return last

    def _already(self, turn: Turn, ticket: Ticket, reason: str) -> Outcome:
        say = Outbound(turn.conversation.peer, self.standing(turn, ticket), ticket=ticket.number)
        status = Status.OPERATOR if ticket.operator else Status.WAITING
        return Outcome("desk", Result.HANDED_OFF, reason, (say,), status=status)


def _calling(text: RichText, to: Peer, facts: Mapping[str, object]) -> RichText:
    """The words in which whoever is called hears it."""
    for fact in facts.values():
        text = fact.mentioned(text, to.channel) if isinstance(fact, Call) else text
    return text


def _shown(outbound: Outbound) -> str:
    """By what an operator knows a message again: its words, or the names of its files."""
    return outbound.text.text or ", ".join(a.name for a in outbound.attachments if a.name)
