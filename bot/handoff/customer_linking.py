"""One person on two channels, from the operators' side: who a phone or an e-mail also belongs to, joined by a
press and undone by a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.handoff import card_posts, notices
from bot.handoff.card import numbered
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice, say
from bot.handoff.tickets import lifecycle
from bot.model import (
    Button,
    Customer,
    CustomerMerge,
    Event,
    InboundKind,
    Outbound,
    Outcome,
    Peer,
    Result,
    Ticket,
    Turn,
)
from bot.model.internal import MergeCustomers
from bot.text.customer_fields import CONTACTS, normal, written
from bot.text.person_names import full_name

STATE = "link"  # where a conversation's state remembers what was said about linking
PAYLOAD = "link_"  # of deep links: t.me/shop_bot?start=link_12345678
COMMAND = re.compile(r"/(link|unlink)(?:@\w+)?(?:\s+(.{1,40}))?", re.I)
CODE = re.compile(r"\d{4}[ -]?\d{4}")
MOST = 5  # customers offered at once
CARDS = 1000  # of the newest tickets the contacts are looked at, closed ones too
LINES = 50  # of a conversation in which a phone is looked for


def is_waiting(turn: Turn) -> bool:
    """Whether the customer was just asked for a code, so that plain digits are one."""
    kept = turn.conversation.state.get(STATE)
    until = kept.get("waiting") if isinstance(kept, Mapping) else None
    return isinstance(until, str) and datetime.fromisoformat(until) > turn.now


def is_about_linking(turn: Turn) -> bool:
    """Whether the words are no word for the operator who has the ticket: a command, a code that was asked
    for, an answer to our question.
    """
    first, text = turn.inbounds[0], turn.text.strip()
    if turn.press is not None:
        return turn.press.action in ("link_sure", "link_not")
    if first.kind is InboundKind.START:
        return first.text.startswith(PAYLOAD)
    return COMMAND.fullmatch(text) is not None or (is_waiting(turn) and CODE.fullmatch(text) is not None)


def came_over(
    desk: DeskContext, turn: Turn, ticket: Ticket, title: str
) -> tuple[Ticket, tuple[Outbound, ...]]:
    """The ticket followed its customer to another channel (*title*): its card says so, and whoever has the
    ticket is told once.
    """
    if ticket.state.channel in (title, ""):
        return ticket, ()
    moved = lifecycle.came_over(ticket, title)
    if (to := desk.places.thread(moved)) is None:
        return moved, ()
    return moved, (
        notices.in_desk(desk, to, moved, "desk.came_over", channel=title),
        *card_posts.edited(desk, moved),
    )


async def same(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/same, /same 8912…, /same a@b.ru, /same vk:7: who else this may be; nothing is joined before the
    press.
    """
    if turn.press is not None:
        return await _join(desk, turn, turn.press.value)
    own = turn.customer.id if turn.customer else 0
    found = [c for c in await _meant(desk, ticket, rest.strip()) if c.id != own][:MOST]
    if not found:
        return say(desk, turn, "desk.same_nobody")
    buttons = tuple((Button(_called(desk, c), "same", str(c.id)),) for c in found)
    return say(desk, turn, "desk.same_found", buttons)


async def apart(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/apart: the latest joining of this customer was a mistake."""
    others = await desk.ticket_reader.joined(turn.customer.id) if turn.customer else ()
    if turn.customer is None or not others:
        return say(desk, turn, "desk.apart_nobody")
    event = Event(
        "customers_parted",
        ticket=ticket.number,
        actor=turn.actor,
        data={"into": turn.customer.id, "other": others[0]},
    )
    outcome = say(desk, turn, "desk.apart")
    return replace(
        outcome,
        reason="parted",
        customer_merge=CustomerMerge(turn.customer.id, others[0], undone=True),
        events=(event,),
    )


async def by_request(desk: DeskContext, turn: Turn, request: MergeCustomers) -> Outcome:
    """Somebody compared both on a page and said yes: one customer from now on, or two again. Where either is
    not what the page showed, nothing is done.
    """
    own, asked = turn.customer, turn.inbounds[0]
    if own is None or own.id != request.into:
        return Outcome("requests", Result.IGNORED, "merge_stale")
    other = await desk.ticket_reader.customer(request.other)
    joined = request.other in await desk.ticket_reader.joined(own.id)
    free = other is not None and other.peers and other.id != own.id
    if other is None or not (joined if request.undone else free):
        return Outcome("requests", Result.IGNORED, "merge_stale")
    kind, key = (
        ("customers_parted", "desk.apart") if request.undone else ("customers_joined", "desk.same_done")
    )
    event = Event(kind, actor=asked.sender.id, data={"into": own.id, "other": other.id})
    to = desk.places.thread(turn.ticket) if turn.ticket and turn.ticket.status != "closed" else None
    told = (notices.in_desk(desk, to, turn.ticket, key, name=_called(desk, other)),) if to else ()
    return Outcome(
        "requests",
        Result.ANSWERED,
        "parted" if request.undone else "joined",
        told,
        customer_merge=CustomerMerge(own.id, other.id, undone=request.undone),
        events=(event,),
    )


async def _join(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The press of an operator who has made sure."""
    found = await desk.ticket_reader.customer(int(value)) if value.isdecimal() else None
    if found is None or not found.peers or turn.customer is None or found.id == turn.customer.id:
        return notice(desk, turn, "desk.old_button")
    inbound = turn.inbounds[0]
    event = Event("customers_joined", actor=inbound.actor, data={"into": found.id, "other": turn.customer.id})
    told = [notices.in_desk(desk, inbound.peer, turn.ticket, "desk.same_done", name=_called(desk, found))]
    if turn.ticket is not None:
        told.append(
            Outbound(
                turn.ticket.customer_peer,
                desk.texts.say("link.by_operator", lang=desk.lang_of(turn.customer)),
                ticket=turn.ticket.number,
            )
        )
    return Outcome(
        "desk",
        Result.ANSWERED,
        "joined",
        tuple(told),
        customer_merge=CustomerMerge(found.id, turn.customer.id),
        events=(event,),
    )


async def _meant(desk: DeskContext, ticket: Ticket, word: str) -> tuple[Customer, ...]:
    """Customers with this contact or address; without a word those with the contacts of the ticket and its
    words.
    """
    channel, sign, chat = word.partition(":")
    if sign and channel and chat:
        found = await _customer_at(desk, Peer(channel, chat))
        return (found,) if found else ()
    wanted = written(word) if word else _merged(_of_card(ticket), written(await _words_of(desk, ticket)))
    people: dict[int, Customer] = {}
    for name, values in wanted.items():
        for value in sorted(values):
            people |= {c.id: c for c in await desk.ticket_reader.find_customers({name: value})}
    for other in await desk.ticket_reader.tickets(open_only=False, limit=CARDS):
        if any(_of_card(other)[name] & values for name, values in wanted.items()):
            customer = await _customer_at(desk, other.customer_peer)
            people |= {customer.id: customer} if customer else {}
    return tuple(people.values())


async def _customer_at(desk: DeskContext, peer: Peer) -> Customer | None:
    talk = await desk.ticket_reader.conversation(peer)
    return await desk.ticket_reader.customer(talk.customer) if talk and talk.customer else None


async def _words_of(desk: DeskContext, ticket: Ticket) -> str:
    """What the customer has written while an operator has the ticket."""
    lines = await desk.ticket_reader.history(ticket.conversation, limit=LINES)
    mine = (
        line
        for line in lines
        if line.author == "customer" and (ticket.opened is None or line.at >= ticket.opened)
    )
    return "\n".join(line.text for line in mine)


def _of_card(ticket: Ticket) -> dict[str, set[str]]:
    """The contacts that its card shows."""
    contacts = ticket.state.contacts
    told = {"phone": contacts.phone, "email": contacts.email}
    return {name: {kept for kept in (normal(name, told.get(name, "")),) if kept} for name in CONTACTS}


def _merged(one: Mapping[str, set[str]], other: Mapping[str, set[str]]) -> dict[str, set[str]]:
    return {name: {*one.get(name, ()), *other.get(name, ())} for name in CONTACTS}


def _called(desk: DeskContext, customer: Customer) -> str:
    """Name and channels, as a button says it."""
    name = full_name(customer) or numbered(customer.id, desk.texts, desk.lang)
    return f"{name} · {', '.join(dict.fromkeys(p.channel for p in customer.peers))}"[:60]
