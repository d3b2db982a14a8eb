"""A customer who waits for a person says when and where to be answered: this evening, tomorrow, by phone, by
e-mail, in another of their messengers. The ticket keeps it, its deadlines follow it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from bot.dialogs.consent import NO, YES, Consent
from bot.dialogs.short_answers import language_of
from bot.handoff import card_posts, notices
from bot.handoff.answer_times import AnswerTime, offered
from bot.handoff.answer_wish import AT, BY, CONTACT, OPEN, contact_in, facts_of
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.handoff.tickets.settle import settled
from bot.i18n.texts import Texts
from bot.model import Button, Customer, Event, Outbound, Outcome, Result, RichText, Rows, Ticket, Turn
from bot.text.customer_fields import CONTACTS
from bot.text.pii import mask


class AnswerTerms(Protocol):
    """What customers may choose, as config.yaml tells it."""

    @property
    def times(self) -> bool: ...

    @property
    def by(self) -> Sequence[str]: ...


class WishDialog:
    """Hears the buttons under the words about a ticket, and the number or the address that was then asked
    for; everything else is left to the operator who has the ticket.
    """

    def __init__(self, desk: DeskContext, choice: AnswerTerms, consent: Consent) -> None:
        self._desk, self._choice, self._consent = desk, choice, consent
        self._texts: Texts = desk.texts

    async def __call__(self, turn: Turn) -> Outcome | None:
        ticket = turn.ticket
        if ticket is None or ticket.status == "closed" or turn.customer is None:
            return None
        outcome = self._decided(turn, ticket, turn.customer)
        return None if outcome is None else settled(self._desk, ticket, outcome)

    def _decided(self, turn: Turn, ticket: Ticket, customer: Customer) -> Outcome | None:
        asked = str(turn.conversation.state.get(CONTACT) or "")
        if turn.press is None:
            value = contact_in(asked, turn.text)
            return self._contact(turn, ticket, customer, asked, value) if value else None
        match turn.press.action:
            case action if action == OPEN:
                return self._ask(turn, ticket, customer)
            case action if action == AT:
                return self._at(turn, ticket, turn.press.value)
            case action if action == BY:
                return self._by(turn, ticket, customer, turn.press.value)
            case action if action in (YES, NO) and asked in CONTACTS:
                return self._consented(turn, customer, asked, agreed=action == YES)
        return None

    # --- what may be chosen

    def _ask(self, turn: Turn, ticket: Ticket, customer: Customer, key: str = "wish.ask") -> Outcome:
        rows: list[tuple[Button, ...]] = []
        if self._choice.times:
            times = offered(self._desk.hours, turn.now)
            rows += [
                (Button(self._label(turn, "wish.time", start=t.start, end=t.end), AT, t.value),)
                for t in times
            ]
            rows.append((Button(self._label(turn, "wish.soon"), AT, ""),))
        places = [Button(self._label(turn, f"wish.by.{by}"), BY, by) for by in self._choice.by]
        places += [
            Button(self._label(turn, "wish.by.channel", channel=self._desk.places.title(c)), BY, c)
            for c in self._others(turn, customer)
        ]
        if places or ticket.state.wish_by:
            places.append(Button(self._label(turn, "wish.by.here"), BY, ""))
        rows += [tuple(places[i : i + 2]) for i in range(0, len(places), 2)]
        return self._said(turn, ticket, key, buttons=tuple(rows))

    def _others(self, turn: Turn, customer: Customer) -> list[str]:
        """Their other messengers."""
        own = turn.conversation.peer.channel
        return list(dict.fromkeys(p.channel for p in customer.peers if p.channel != own))

    # --- what was chosen

    def _at(self, turn: Turn, ticket: Ticket, value: str) -> Outcome:
        time = AnswerTime.read(value) if value else None
        if value and (time is None or time.end <= turn.now):
            customer = turn.customer or Customer(0)
            return self._ask(turn, ticket, customer, "wish.past")
        start, end = (time.start, time.end) if time else (None, None)
        return self._kept(turn, ticket, lifecycle.wished(ticket, start, end, ticket.state.wish_by))

    def _by(self, turn: Turn, ticket: Ticket, customer: Customer, by: str) -> Outcome:
        at, until = ticket.state.wish_at, ticket.state.wish_until
        if by in CONTACTS:
            if not customer.fields.get(by):
                return self._ask_contact(turn, ticket, customer, by)
            given = lifecycle.contact_given(ticket, by, str(customer.fields[by]))
            return self._kept(turn, ticket, lifecycle.wished(given, at, until, by))
        own = turn.conversation.peer
        peer = next((p for p in customer.peers if by and p.channel == by), own)
        changed = lifecycle.wished(ticket, at, until, by if peer != own else "")
        return self._kept(turn, ticket, lifecycle.answered_at(changed, peer))

    def _ask_contact(self, turn: Turn, ticket: Ticket, customer: Customer, by: str) -> Outcome:
        state = {**turn.conversation.state, CONTACT: by}
        if self._consent.is_on:
            standing = self._consent.standing(customer)
            if standing == "refused":
                return self._said(turn, ticket, "wish.no_contact")
            if standing == "unknown":
                notice, facts, buttons = self._consent.notice(turn)
                return replace(self._said(turn, ticket, notice, buttons=buttons, facts=facts), state=state)
        return replace(self._said(turn, ticket, f"wish.ask_{by}"), state=state)

    def _consented(self, turn: Turn, customer: Customer, by: str, *, agreed: bool) -> Outcome | None:
        ticket = turn.ticket
        if ticket is None or turn.press is None or turn.press.value != self._consent.version:
            return None if ticket is None else self._ask_contact(turn, ticket, customer, by)
        record = (self._consent.given if agreed else self._consent.refused)(turn, customer)
        said = self._said(turn, ticket, f"wish.ask_{by}" if agreed else "wish.no_contact")
        state = {k: v for k, v in turn.conversation.state.items() if k != CONTACT}
        return replace(
            said,
            customer=record.customer,
            events=(record.event,),
            state={**state, CONTACT: by} if agreed else state,
        )

    def _contact(self, turn: Turn, ticket: Ticket, customer: Customer, by: str, value: str) -> Outcome:
        given = lifecycle.contact_given(ticket, by, value)
        changed = lifecycle.wished(given, ticket.state.wish_at, ticket.state.wish_until, by)
        state = {k: v for k, v in turn.conversation.state.items() if k != CONTACT}
        known = replace(customer, fields={**customer.fields, by: value})
        return replace(self._kept(turn, ticket, changed), customer=known, state=state)

    def _kept(self, turn: Turn, before: Ticket, ticket: Ticket) -> Outcome:
        """The wish stands with the ticket: both sides hear of it, the card shows it."""
        state, desk = ticket.state, self._desk
        facts = facts_of(desk, ticket)
        contact = mask(str(getattr(state.contacts, state.wish_by, ""))) if state.wish_by in CONTACTS else ""
        told = self._said(turn, ticket, "wish.kept", facts={**facts, "contact": contact})
        posts: tuple[Outbound, ...] = ()
        if before != ticket and (to := desk.places.thread(ticket)) is not None:
            word = notices.in_desk(desk, to, ticket, "desk.wish.told", now=turn.now, **facts)
            posts = (word, *card_posts.edited(desk, ticket))
        at = state.wish_at.isoformat() if state.wish_at else ""
        event = Event("answer_wished", ticket=ticket.number, data={"at": at, "by": state.wish_by})
        return replace(
            told, messages=(*told.messages, *posts), ticket=ticket, reason="wished", events=(event,)
        )

    # --- words

    def _label(self, turn: Turn, key: str, **facts: object) -> str:
        label = self._texts.text(key, lang=language_of(turn, self._texts.lang), now=turn.now, **facts)
        return label[:1].upper() + label[1:]

    def _said(
        self,
        turn: Turn,
        ticket: Ticket,
        key: str | RichText,
        *,
        buttons: Rows = (),
        facts: Mapping[str, object] = MappingProxyType({}),
    ) -> Outcome:
        language = language_of(turn, self._texts.lang)
        given = {"number": ticket.number, "now": turn.now, **facts}
        text = key if isinstance(key, RichText) else self._texts.say(key, lang=language, **given)
        say = Outbound(turn.conversation.peer, text, buttons=buttons, ticket=ticket.number)
        return Outcome("wish", Result.ANSWERED, "wish", (say,))
