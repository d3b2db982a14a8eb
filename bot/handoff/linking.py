"""One person on two channels, from the operators' side: who a phone or an e-mail also belongs to, joined by a press and undone by a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.attributes import CONTACTS, normal
from bot.handoff.marks import marked
from bot.handoff.room import DeskRoom
from bot.handoff.saying import notice, say, who
from bot.model import Button, Customer, Event, InboundKind, Joining, Outbound, Outcome, Peer, Result, Ticket, Turn

STATE = "link"  # where a conversation's state remembers what was said about linking
PAYLOAD = "link_"  # of deep links: t.me/shop_bot?start=link_12345678
COMMAND = re.compile(r"/(link|unlink)(?:@\w+)?(?:\s+(.{1,40}))?", re.I)
CODE = re.compile(r"\d{4}[ -]?\d{4}")
MOST = 5  # customers offered at once


def is_waiting(turn: Turn) -> bool:
    """Whether the customer was just asked for a code, so that plain digits are one."""
    kept = turn.conversation.state.get(STATE)
    until = kept.get("waiting") if isinstance(kept, Mapping) else None
    return isinstance(until, str) and datetime.fromisoformat(until) > turn.now


def is_about_linking(turn: Turn) -> bool:
    """Whether the words are no word for the operator who is at it: a command, a code that was asked for, an answer to our question."""
    first, text = turn.said[0], turn.text.strip()
    if turn.press is not None:
        return turn.press.action in ("link_sure", "link_not")
    if first.kind is InboundKind.START:
        return first.text.startswith(PAYLOAD)
    return COMMAND.fullmatch(text) is not None or (is_waiting(turn) and CODE.fullmatch(text) is not None)


def came_over(desk: DeskRoom, turn: Turn, ticket: Ticket, title: str) -> tuple[Ticket, tuple[Outbound, ...]]:
    """The ticket followed its customer to another channel (*title*): its card says so, and whoever is at it is told once."""
    if ticket.data.get("channel") in (title, None):
        return ticket, ()
    moved = marked(ticket, channel=title)
    if (to := desk.thread(moved)) is None:
        return moved, ()
    return moved, (desk.notice(to, moved, "desk.came_over", channel=title), *desk.card_edit(moved))


async def same(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/same, /same 8912…, /same a@b.ru, /same vk:7: who else this may be; nothing is joined before the press."""
    if turn.press is not None:
        return await _join(desk, turn, turn.press.value)
    if turn.said[0].sender.anonymous:
        return notice(desk, turn, "desk.anonymous")
    own = turn.customer.id if turn.customer else 0
    found = [c for c in await _meant(desk, ticket, rest.strip()) if c.id != own][:MOST]
    if not found:
        return say(desk, turn, "desk.same_nobody")
    buttons = tuple((Button(_called(c), "same", str(c.id)),) for c in found)
    return say(desk, turn, "desk.same_found", buttons)


async def apart(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/apart: the latest joining of this customer was a mistake."""
    if turn.said[0].sender.anonymous:
        return notice(desk, turn, "desk.anonymous")
    others = await desk.records.joined(turn.customer.id) if turn.customer else ()
    if turn.customer is None or not others:
        return say(desk, turn, "desk.apart_nobody")
    event = Event("customers_parted", ticket=ticket.number, actor=who(turn.said[0]), data={"into": turn.customer.id, "other": others[0]})
    outcome = say(desk, turn, "desk.apart")
    return replace(outcome, reason="parted", joining=Joining(turn.customer.id, others[0], undone=True), events=(event,))


async def _join(desk: DeskRoom, turn: Turn, value: str) -> Outcome:
    """The press of an operator who has made sure."""
    found = await desk.records.customer(int(value)) if value.isdecimal() else None
    if found is None or not found.peers or turn.customer is None or found.id == turn.customer.id:
        return notice(desk, turn, "desk.old_button")
    inbound = turn.said[0]
    event = Event("customers_joined", actor=who(inbound), data={"into": found.id, "other": turn.customer.id})
    told = [desk.notice(inbound.peer, turn.ticket, "desk.same_done", name=_called(found))]
    if turn.ticket is not None:
        told.append(Outbound(turn.ticket.customer_peer, desk.words.say("link.by_operator", lang=desk.customer_lang(turn)), ticket=turn.ticket.number))
    return Outcome("desk", Result.ANSWERED, "joined", tuple(told), joining=Joining(found.id, turn.customer.id), events=(event,))


async def _meant(desk: DeskRoom, ticket: Ticket, word: str) -> tuple[Customer, ...]:
    """Customers with this contact or address; without a word those with the contacts of the ticket."""
    channel, sign, chat = word.partition(":")
    if sign and channel and chat:
        talk = await desk.records.conversation(Peer(channel, chat))
        found = await desk.records.customer(talk.customer) if talk and talk.customer else None
        return (found,) if found else ()
    known = ticket.data.get("contacts")
    told = dict.fromkeys(CONTACTS, word) if word else known if isinstance(known, Mapping) else {}
    contacts = {name: kept for name in CONTACTS if told.get(name) and (kept := normal(name, str(told[name])))}
    return tuple(await desk.records.known_by(contacts)) if contacts else ()


def _called(customer: Customer) -> str:
    """Name and channels, as a button says it."""
    name = " ".join(p for p in (customer.name, customer.last_name) if p) or f"№{customer.id}"
    return f"{name} · {', '.join(dict.fromkeys(p.channel for p in customer.peers))}"[:60]
