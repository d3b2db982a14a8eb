"""While an operator has the ticket the bot only carries words: the customer's to the desk, and keeps silent
itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.handoff import blocklist, card_posts, dialog_scores, insisting, notices, page_orders
from bot.handoff.answer_wish import is_about_wish
from bot.handoff.assist import assistant_requests, suggestions
from bot.handoff.card import heading
from bot.handoff.context import brings_words, shown
from bot.handoff.customer_linking import came_over, is_about_linking
from bot.handoff.desk_context import DeskContext
from bot.handoff.mystery import player
from bot.handoff.operators.operator_message import command_of
from bot.handoff.operators.permissions import REFUSED
from bot.handoff.outreach import upset_customers
from bot.handoff.queue import acknowledgement, wait_estimate
from bot.handoff.sla import timers
from bot.handoff.tickets import closing, lifecycle, reopening, transfer
from bot.handoff.tickets.settle import settled
from bot.handoff.transcripts import shown_words
from bot.model import (
    Button,
    Event,
    HistoryEntry,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Result,
    RichText,
    Rows,
    Status,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import (
    AssistantReplied,
    BotResumed,
    MysteryStep,
    PageOrder,
    ReviewDialog,
    TicketTimer,
    UnattendedTicket,
)
from bot.text.markdown import join
from bot.text.transcripts import without_words

STEP_BACK = timedelta(minutes=30)  # silence after a person wrote by hand, before the bot answers again
AFTERWARDS = frozenset(
    {"all_well", "not_well", "rate", "rating_skip", "nps", "nps_skip", "news_off"}
)  # answers to what the service asked by itself: never words for this ticket
CANCELLING = (  # in the state: the ticket of which the bot has just asked whether it is still needed
    "cancelling"
)


def _merged(carried: list[tuple[str, Outbound]]) -> list[Outbound]:
    """A burst of plain words is one post, the parts of an album are one: each post costs the group's
    budget.
    """
    posts: list[tuple[str, Outbound]] = []
    for album, outbound in carried:
        if posts and _joins(*posts[-1], album, outbound):
            before = posts[-1][1]
            text = (
                before.text + "\n" + outbound.text
                if before.text and outbound.text
                else before.text or outbound.text
            )
            outbound = replace(before, text=text, attachments=(*before.attachments, *outbound.attachments))
            posts[-1] = (album, outbound)
        else:
            posts.append((album, outbound))
    return [outbound for _, outbound in posts]


def _joins(album: str, before: Outbound, next_album: str, after: Outbound) -> bool:
    if album and album == next_album:
        return True
    return not (before.attachments or after.attachments or after.quotes)


def _asks_status(turn: Turn) -> bool:
    return turn.text.strip().lower() == "/status"


class Relay:
    """Always first among the dialogs. None = no person is at it, and none was asked for."""

    def __init__(self, desk: DeskContext) -> None:
        self._desk, self._words = desk, desk.texts

    async def __call__(self, turn: Turn) -> Outcome | None:
        first = turn.inbounds[0]
        public = turn.conversation.peer.is_public  # whoever comments gives no orders and presses no buttons
        if not public and (ordered := await self._of_operators(turn, first)) is not None:
            return ordered
        if (shut_out := blocklist.of_customer(self._desk, turn)) is not None:
            return shut_out
        if first.kind is InboundKind.STEPPED_IN:
            return self._stepped_in(turn, first)
        if first.kind is InboundKind.DELETED:
            return self._taken_back(turn, first)
        if isinstance(first.payload, BotResumed):
            return self._resume(turn)
        if first.kind is InboundKind.BLOCKED:
            reason = str(first.data.get("bounced") or "")
            return self._bounced(turn, reason) if reason else self._blocked(turn)
        if isinstance(first.payload, PageOrder):
            return await page_orders.carry_out(self._desk, turn, first.payload)
        if isinstance(first.payload, AssistantReplied):
            replied = await assistant_requests.replied(self._desk, turn, first.payload)
            return settled(self._desk, turn.ticket, replied)
        if isinstance(first.payload, MysteryStep):
            return await player.carry_out(self._desk, turn, first.payload)
        if isinstance(first.payload, ReviewDialog):
            return await dialog_scores.review(self._desk, turn, first.payload)
        if isinstance(first.payload, TicketTimer | UnattendedTicket):
            return settled(self._desk, turn.ticket, await timers.decide(self._desk, turn))
        if public and first.kind is not InboundKind.INTERNAL:
            return self._in_public(turn)
        if first.kind is InboundKind.INTERNAL or turn.conversation.status is Status.BOT:
            return self._bot_is_at_it(turn)
        if turn.ticket is None or turn.ticket.status == "closed":
            return Outcome("relay", Result.IGNORED, "person_at_it", timers=(self._step_back(turn),))
        if first.kind is InboundKind.PRESS and (turn.press is None or turn.press.action in AFTERWARDS):
            return self._old_button(turn) if turn.press is None else None
        if (
            self._is_about_news(turn)
            or self._ends_consent(turn)
            or is_about_linking(turn)
            or is_about_wish(turn)
        ):
            return None
        ticket, told = came_over(
            self._desk, turn, turn.ticket, self._desk.places.title(turn.conversation.peer.channel)
        )
        outcome = await self._for_person(replace(turn, ticket=ticket), ticket)
        outcome = upset_customers.noticed(self._desk, replace(turn, ticket=ticket), outcome)
        if told:
            outcome = replace(outcome, messages=(*told, *outcome.messages), ticket=outcome.ticket or ticket)
        return settled(self._desk, turn.ticket, outcome)

    async def _for_person(self, turn: Turn, ticket: Ticket) -> Outcome:
        """An operator has the ticket: what belongs to their ticket."""
        first = turn.inbounds[0]
        if turn.press is not None and (pressed := self._pressed(turn, ticket, turn.press.action)) is not None:
            return pressed
        if first.kind is InboundKind.START or _asks_status(turn):
            return await self._status(turn, ticket)
        hints, answer = (
            await suggestions.look_up(self._desk, turn, ticket, turn.text)
            if first.kind is InboundKind.MESSAGE
            else ((), None)
        )
        if (
            self._is_plain(turn)
            and turn.conversation.status is Status.WAITING
            and (said := await self._by_itself(turn, ticket, suggestions.under(hints)))
        ):
            return replace(said, explanation=answer.why) if answer else said
        carried = self._carry(
            turn,
            ticket,
            suggestions.under(hints),
            told=await acknowledgement.of_burst(self._desk, turn, ticket),
        )
        # what was asked of a person, and what the articles had to say to it: the gaps learn from what they
        # then answers
        return replace(carried, explanation=answer.why) if answer else carried

    async def _by_itself(self, turn: Turn, ticket: Ticket, buttons: Rows) -> Outcome | None:
        """What the bot can do for whoever waits: cancel after one tap, answer what it surely knows.

        Ticket, place and words stay.
        """
        rules, lang = self._desk.rules, self._desk.lang_of(turn.customer)
        meaning = rules.meaning(turn.text)
        if meaning == "yes" and turn.conversation.state.get(CANCELLING) == ticket.number:
            return closing.close(self._desk, turn, ticket, by="customer")
        if meaning == "not_needed":
            text = self._words.say("handoff.cancel_ask", lang=lang, number=ticket.number)
            cancel = Button(
                self._words.text("handoff.button.cancel", lang=lang), "cancel_ticket", str(ticket.number)
            )
            ask = Outbound(
                turn.inbounds[-1].peer, text, buttons=((cancel,),), ticket=ticket.number, author="bot"
            )
            return replace(
                self._carry(turn, ticket, buttons, told=ask),
                state={**turn.conversation.state, CANCELLING: ticket.number},
            )
        said = await rules.aside(turn) if rules.aside is not None and not meaning else None
        known = {*ticket.state.articles_told, ticket.state.article_shown}
        if said is None or (said.article and said.article in known):
            return None
        ahead = self._desk.queue.ahead(ticket, await self._desk.ticket_reader.queue(), turn.now)
        stays = wait_estimate.told(self._desk, turn, ticket, key="handoff.stays", ahead=ahead)
        told = Outbound(
            turn.inbounds[-1].peer, join((said.text, stays), "\n\n"), ticket=ticket.number, author="bot"
        )
        event = Event("answered_meanwhile", ticket=ticket.number, data={"article": said.article})
        marks = lifecycle.article_told(ticket, said.article) if said.article else ticket
        carried = self._carry(turn, marks, buttons, told=told)
        if said.title and (to := self._desk.places.thread(ticket)) is not None:
            carried = replace(
                carried,
                messages=(
                    *carried.messages,
                    notices.in_desk(self._desk, to, ticket, "desk.answered_meanwhile", title=said.title),
                ),
            )
        return replace(carried, events=(*carried.events, event))

    def _is_plain(self, turn: Turn) -> bool:
        return (
            bool(turn.text.strip())
            and not without_words(turn.attachments)
            and all(i.kind is InboundKind.MESSAGE for i in turn.inbounds)
        )

    async def _of_operators(self, turn: Turn, first: Inbound) -> Outcome | None:
        """Operators' commands in a private chat: a supervisor sees every desk, anybody else is told in a line
        that they do not work here.
        """
        alone = replace(turn, ticket=None)
        name, rest = command_of(first)
        if len(turn.inbounds) > 1 or first.kind not in (InboundKind.MESSAGE, InboundKind.PRESS):
            return None
        commands, action = self._desk.commands, turn.press.action if turn.press else ""
        command = commands.pressed_afar(action) if action else commands.afar(name, rest)
        is_supervisor = first.actor in self._desk.rules.routing.supervisors
        is_own = command is not None and command.own and self._desk.roster.works(first.actor)
        if command is not None and (is_supervisor or is_own):
            return await command.run(self._desk, alone, rest)
        if not commands.only_here(name):
            return None
        say = Outbound(
            first.peer, self._words.say("handoff.only_in_the_desk", lang=self._desk.lang_of(turn.customer))
        )
        event = Event("refused", actor=first.actor, data={"why": "only_in_the_desk", "what": name})
        return Outcome("relay", Result.IGNORED, REFUSED, (say,), events=(event,))

    def _old_button(self, turn: Turn) -> Outcome:
        """A token that nobody offered in this chat: forged, or forgotten.

        Operators are not bothered with it.
        """
        first = turn.inbounds[0]
        text = self._words.say("handoff.old_button", lang=self._desk.lang_of(turn.customer))
        event = Event("refused", actor=first.actor, data={"why": "old_button", "what": "press"})
        return Outcome(
            "relay",
            Result.IGNORED,
            REFUSED,
            (Outbound(first.peer, text, kind=OutboundKind.ACKNOWLEDGE, quotes=first.callback, author=""),),
            events=(event,),
        )

    def _is_about_news(self, turn: Turn) -> bool:
        """/stop and /news: whether they want broadcasts is not a word for the operator."""
        commands = (*self._words.options("outreach.stop_words"), *self._words.options("outreach.start_words"))
        return turn.text.startswith("/") and turn.text.strip().lower() in commands

    def _ends_consent(self, turn: Turn) -> bool:
        """«Отзываю согласие» holds at once, whoever has the ticket."""
        said = " ".join(turn.text.lower().replace("ё", "е").split()).strip(" .!")
        return said in self._words.options("consent.withdraw_words")

    def _pressed(self, turn: Turn, ticket: Ticket, action: str) -> Outcome | None:
        """Buttons under the bot's words about the ticket; None = of something else, and carried as words."""
        if action == "cancel_ticket":
            return closing.close(self._desk, turn, ticket, by="customer")
        if action == "solved":
            return closing.close(self._desk, turn, ticket, by="customer", key="handoff.closed")
        if action == "add_details":
            say = Outbound(
                turn.inbounds[0].peer,
                self._words.say(
                    "handoff.add_here", lang=self._desk.lang_of(turn.customer), number=ticket.number
                ),
                ticket=ticket.number,
            )
            return Outcome("relay", Result.ANSWERED, "add_details", (say,))
        if action == "article" and ticket.status == "waiting":
            return None if turn.press is None else self._article(turn, turn.press.value)
        return None

    def _article(self, turn: Turn, article: str) -> Outcome | None:
        """An article read while waiting; the ticket stays open."""
        rules, audience, peer = self._desk.rules, self._desk.audience(turn), turn.inbounds[0].peer
        if rules.article is None or not (text := rules.article(article, audience)):
            return None
        files = rules.files(article, audience)
        beside = (Outbound(peer, attachments=files),) if files else ()
        return Outcome(
            "relay",
            Result.ANSWERED,
            "article_meanwhile",
            (*beside, Outbound(peer, text)),
            events=(Event("read_meanwhile", data={"article": article}),),
        )

    async def _status(self, turn: Turn, ticket: Ticket) -> Outcome:
        ahead = self._desk.queue.ahead(ticket, await self._desk.ticket_reader.queue(), turn.now)
        lang = self._desk.lang_of(turn.customer)
        say = Outbound(
            turn.inbounds[0].peer,
            wait_estimate.told(self._desk, turn, ticket, ahead=ahead),
            buttons=wait_estimate.buttons(self._desk, lang, ticket),
            ticket=ticket.number,
        )
        return Outcome("relay", Result.ANSWERED, "status", (say,))

    def _carry(
        self, turn: Turn, ticket: Ticket, buttons: Rows = (), *, told: Outbound | None = None
    ) -> Outcome:
        """The words go to the desk; *told* is what the customer hears."""
        to = self._desk.places.thread(ticket)
        say: list[Outbound] = []
        calls = insisting.is_call(self._desk, turn)
        if to is not None and not (calls and insisting.is_known(ticket)):
            quoted = turn.quoted or (None,) * len(turn.inbounds)
            say += _merged(
                [
                    (i.album, o)
                    for i, q in zip(turn.inbounds, quoted, strict=False)
                    for o in self._carried(turn, ticket, to, i, q)
                ]
            )
            say[-1:] = [replace(say[-1], buttons=buttons)] if say else []
        if told is not None:
            say.append(told)
        if calls:
            ticket, aloud = insisting.heard(self._desk, turn, ticket)
            say += aloud
        events = (Event("customer_wrote", ticket=ticket.number, data={"messages": len(turn.inbounds)}),)
        outcome = Outcome(
            "relay", Result.CARRIED, "carried" if to else "kept_for_desk", tuple(say), events=events
        )
        return self._owed(turn, acknowledgement.heard(turn, ticket), outcome)

    def _owed(self, turn: Turn, ticket: Ticket, carried: Outcome) -> Outcome:
        """From the first unanswered words on somebody owes an answer; where nobody is there, the next one is
        called.
        """
        owing = lifecycle.customer_wrote(ticket, turn.now, owed=not self._is_thanks(turn))
        sleeps = ticket.status == "snoozed"
        if sleeps and self._is_thanks(turn):
            return replace(carried, ticket=owing)
        owed = sleeps or owing.state.asked is not None
        gone = bool(ticket.operator) and owed and not self._desk.roster.is_here(ticket.operator)
        if gone and ticket.status != "waiting":
            back = transfer.give_back(self._desk, turn, owing, "desk.operator_away", why="operator_away")
            return replace(
                carried,
                messages=(*carried.messages, *back.messages),
                status=back.status,
                ticket=back.ticket,
                timers=back.timers,
                events=(*carried.events, *back.events),
            )
        if sleeps:
            owing = lifecycle.woken(owing, turn.now)
            return replace(
                carried,
                messages=(
                    *carried.messages,
                    *card_posts.edited(self._desk, owing),
                    *self._calls_operator(owing),
                ),
                ticket=owing,
            )
        return replace(carried, ticket=owing)

    def _calls_operator(self, ticket: Ticket) -> tuple[Outbound, ...]:
        """Whoever put the ticket off is called by name: its customer has written before the time."""
        if (to := self._desk.places.thread(ticket)) is None:
            return ()
        operator = self._desk.roster.member(ticket.operator).call or ticket.operator_name
        return (notices.in_desk(self._desk, to, ticket, "desk.wrote_while_snoozed", operator=operator),)

    def _is_thanks(self, turn: Turn) -> bool:
        """Thanks and good-byes: carried, and nobody owes an answer to them."""
        return (
            not (without_words(turn.attachments) or brings_words(turn.context))
            and bool(turn.text)
            and self._desk.rules.is_thanks(turn.text)
        )

    def _carried(
        self, turn: Turn, ticket: Ticket, to: Peer, inbound: Inbound, quoted: object
    ) -> list[Outbound]:
        lang, text = self._desk.lang, self._with_context(inbound, quoted)
        if inbound.kind is InboundKind.EDIT:
            text = self._words.say("desk.edited", lang=lang) + " " + text
        elif inbound.kind is InboundKind.PRESS:
            label = turn.press.label if turn.press else ""
            text = self._words.say("desk.pressed", lang=lang, label=label)
        elif inbound.kind is not InboundKind.MESSAGE:
            return []
        return [
            Outbound(
                to,
                text,
                attachments=inbound.attachments,
                heading=heading(ticket, self._words, lang),
                name=inbound.outbound_name,
                mirror_of=inbound.message,
                quotes=getattr(quoted, "mirrors", "") or "",
                ticket=ticket.number,
                author="",
                coalesce=inbound.kind is InboundKind.MESSAGE,
            )
        ]

    def _with_context(self, inbound: Inbound, quoted: object = None) -> RichText:
        """The words below what came with them; what is answered is not repeated where the desk shows the
        reply itself.
        """
        context = inbound.context
        if getattr(quoted, "mirrors", ""):
            context = tuple(c for c in context if c.data.get("context") != "reply")
        above = RichText(shown(context, self._words, self._desk.lang))
        words = shown_words(inbound, self._words, self._desk.lang)
        return above + "\n" + words if above and words else above or words

    def _bot_is_at_it(self, turn: Turn) -> Outcome | None:
        """Buttons of a ticket that is over do nothing, politely; asked about requests, the bot says that
        there are none.
        """
        lang = self._desk.lang_of(turn.customer)
        if turn.press and turn.press.action in ("cancel_ticket", "add_details", "solved", "still_here"):
            say = Outbound(turn.inbounds[0].peer, self._words.say("handoff.over", lang=lang), author="bot")
            return Outcome("relay", Result.ANSWERED, "ticket_over", (say,))
        if turn.inbounds[0].kind is InboundKind.MESSAGE and _asks_status(turn):
            last = turn.past[0].number if turn.past else None
            say = Outbound(
                turn.inbounds[0].peer,
                self._words.say("handoff.no_ticket", lang=lang, last=last),
                author="bot",
            )
            return Outcome("relay", Result.ANSWERED, "status", (say,))
        is_words = (
            turn.inbounds[0].kind is InboundKind.MESSAGE
            and not turn.text.startswith("/")
            and (turn.text or turn.attachments or brings_words(turn.context))
        )
        if (
            is_words
            and not self._is_thanks(turn)
            and (left := reopening.left_off(self._desk, turn)) is not None
        ):
            return settled(
                self._desk, turn.ticket, reopening.reopened(self._desk, turn, left, reason="came_back")
            )
        return None

    def _blocked(self, turn: Turn) -> Outcome:
        say: tuple[Outbound, ...] = ()
        if turn.ticket and turn.ticket.status != "closed" and (to := self._desk.places.thread(turn.ticket)):
            say = (notices.in_desk(self._desk, to, turn.ticket, "desk.customer_blocked"),)
        return Outcome("relay", Result.IGNORED, "blocked", say, events=(Event("customer_blocked"),))

    def _bounced(self, turn: Turn, reason: str) -> Outcome:
        """A letter came back: told where the customer's ticket is shown, also where that is closed since."""
        ticket = turn.ticket or (turn.past[0] if turn.past else None)
        to = self._desk.places.thread(ticket) if ticket else None
        say: tuple[Outbound, ...] = ()
        if ticket is not None and to is not None:
            address = turn.conversation.peer.chat
            say = (
                notices.in_desk(
                    self._desk, to, ticket, "desk.letter_bounced", reason=reason, address=address
                ),
            )
        return Outcome("relay", Result.IGNORED, "bounced", say, events=(Event("customer_blocked"),))

    def _in_public(self, turn: Turn) -> Outcome | None:
        """A comment goes to whoever has its ticket; else the comments' own dialog decides."""
        if turn.ticket is None or turn.ticket.status == "closed":
            return None
        return settled(self._desk, turn.ticket, self._carry(turn, turn.ticket))

    def _taken_back(self, turn: Turn, first: Inbound) -> Outcome:
        """A comment was deleted, or is back: who works on it hears of it."""
        say: tuple[Outbound, ...] = ()
        if turn.ticket and turn.ticket.status != "closed" and (to := self._desk.places.thread(turn.ticket)):
            key = "desk.comment.restored" if first.data.get("restored") else "desk.comment.deleted"
            say = (notices.in_desk(self._desk, to, turn.ticket, key),)
        return Outcome("relay", Result.CARRIED if say else Result.IGNORED, "taken_back", say)

    def _stepped_in(self, turn: Turn, inbound: Inbound) -> Outcome:
        """A colleague answered in the community's own inbox: the bot steps back, the desk hears of it."""
        note = (
            HistoryEntry(
                inbound.at,
                "operator",
                inbound.text,
                inbound.sender.name,
                (*inbound.context, *inbound.attachments),
            ),
        )
        say: tuple[Outbound, ...] = ()
        if turn.ticket and turn.ticket.status != "closed" and (to := self._desk.places.thread(turn.ticket)):
            told = (
                self._words.say("desk.stepped_in", lang=self._desk.lang, name=inbound.sender.name)
                + " "
                + self._with_context(inbound)
            )
            say = (
                Outbound(
                    to,
                    told,
                    attachments=inbound.attachments,
                    heading=heading(turn.ticket, self._words, self._desk.lang),
                    ticket=turn.ticket.number,
                    author="",
                ),
            )
        later = () if turn.ticket and turn.ticket.status != "closed" else (self._step_back(turn),)
        return Outcome(
            "relay",
            Result.CARRIED,
            "stepped_in",
            say,
            status=Status.OPERATOR,
            timers=later,
            notes=note,
            events=(Event("stepped_in"),),
        )

    def _step_back(self, turn: Turn) -> Timer:
        return Timer(f"resume:{turn.conversation.id}", BotResumed(), turn.now + STEP_BACK)

    def _resume(self, turn: Turn) -> Outcome:
        if turn.conversation.status is Status.OPERATOR and (
            turn.ticket is None or turn.ticket.status == "closed"
        ):
            return Outcome("relay", Result.IGNORED, "resumed", status=Status.BOT, state={})
        return Outcome("relay", Result.IGNORED, "timer_over")
