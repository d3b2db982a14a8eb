"""Customers who are not answered any more: blocked by a supervisor with a reason, for a time or for good.

What they write is kept all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.outreach.segment import BLOCKED
from bot.handoff.sla.time_parsing import read_term
from bot.handoff.tickets import closing
from bot.model import (
    Button,
    Customer,
    Event,
    HistoryEntry,
    InboundKind,
    Json,
    Outbound,
    Outcome,
    Result,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import ApiRequest, BlockOver, PageOrder, TicketTimer, UnattendedTicket
from bot.text.graphemes import shorten
from bot.text.person_names import full_name

REASON = 200  # characters that are kept of a reason
SHOWN = 8  # blocked customers of one list: each has a button
THEIRS = frozenset(
    {InboundKind.MESSAGE, InboundKind.EDIT, InboundKind.PRESS, InboundKind.START, InboundKind.REACTION}
)


@dataclass(frozen=True, slots=True)
class Block:
    """Why, by whom, until when (None = until somebody ends it), and whether the customer has been told."""

    reason: str
    by: str
    at: datetime
    until: datetime | None = None
    told: bool = False

    @classmethod
    def of(cls, customer: Customer | None) -> Block | None:
        """The block of this customer; None where there is none."""
        kept = customer.fields.get(BLOCKED) if customer is not None else None
        if not isinstance(kept, Mapping):
            return None
        until, at = kept.get("until"), kept.get("at")
        return cls(
            str(kept.get("reason", "")),
            str(kept.get("by", "")),
            datetime.fromisoformat(str(at)),
            datetime.fromisoformat(str(until)) if until else None,
            kept.get("told") is True,
        )

    def lasts(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    def on(self, customer: Customer) -> Customer:
        kept: Json = {
            "reason": self.reason,
            "by": self.by,
            "at": self.at.isoformat(),
            "until": self.until.isoformat() if self.until else "",
            "told": self.told,
        }
        return replace(customer, fields={**customer.fields, BLOCKED: kept})


def without_block(customer: Customer) -> Customer:
    return replace(customer, fields={k: v for k, v in customer.fields.items() if k != BLOCKED})


# --- the customer's side


def of_customer(desk: DeskContext, turn: Turn) -> Outcome | None:
    """What becomes of a blocked customer's turn: kept, and answered with one polite line the first time; None
    where nobody is blocked, or it is no word of theirs and nothing that would write to them.
    """
    first = turn.inbounds[0]
    block = Block.of(turn.customer)
    if isinstance(first.payload, BlockOver):
        return _over(turn, block, first.payload.by)
    if block is None or turn.customer is None or not block.lasts(turn.now):
        return None
    if first.kind is InboundKind.INTERNAL:
        works = isinstance(first.payload, TicketTimer | UnattendedTicket | ApiRequest | PageOrder)
        return None if works else Outcome("blocklist", Result.IGNORED, "blocked")
    if first.kind not in THEIRS:
        return None
    if block.told:
        return Outcome("blocklist", Result.IGNORED, "blocked")
    text = desk.texts.say(
        "handoff.blocked", lang=desk.lang_of(turn.customer), until=block.until, now=turn.now
    )
    told = replace(block, told=True).on(turn.customer)
    return Outcome("blocklist", Result.ANSWERED, "blocked", (Outbound(turn.peer, text),), customer=told)


def _over(turn: Turn, block: Block | None, by: str) -> Outcome:
    """The time it was for has passed; a block that was made longer meanwhile has a timer of its own."""
    if block is None or turn.customer is None or (block.lasts(turn.now) and not by):
        return Outcome("blocklist", Result.IGNORED, "still_blocked" if block else "not_blocked")
    how = "operator" if by else "time"
    event = Event("customer_let_in", actor=by, data={"customer": turn.customer.id, "how": how})
    return Outcome(
        "blocklist", Result.IGNORED, "block_over", customer=without_block(turn.customer), events=(event,)
    )


# --- the supervisors' side


def block(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/block reason [term]: the ticket is closed without a word, and the customer answered no more."""
    reason, term = read_term(rest)
    if not reason or turn.customer is None or (term is not None and not term):
        return say(desk, turn, "desk.block.how")
    until = turn.now + term if term else None
    made = Block(shorten(reason, REASON), turn.inbounds[0].sender.name, turn.now, until)
    key = f"block:{turn.customer.id}"
    timers = (Timer(key, BlockOver(), until, conversation=ticket.conversation),) if until else ()
    if ticket.status == "closed":
        closed = Outcome("desk", Result.ANSWERED, "blocked")
    else:
        closed = closing.close(desk, turn, ticket, by=turn.actor, told=False)
    told = say(desk, turn, "desk.block.done", reason=made.reason, until=until, now=turn.now)
    note = desk.texts.text("desk.block.note", lang=desk.lang, reason=made.reason, until=until, now=turn.now)
    event = Event(
        "customer_shut_out",
        ticket=ticket.number,
        actor=turn.actor,
        data={"customer": turn.customer.id, "until": until.isoformat() if until else ""},
    )
    return replace(
        closed,
        reason="blocked",
        messages=(*told.messages, *closed.messages),
        customer=made.on(turn.customer),
        timers=timers,
        cancel=() if until else (key,),
        events=(*closed.events, event),
        notes=(HistoryEntry(turn.now, "note", note, made.by),),
    )


def unblock(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """/unblock: they are answered again."""
    if turn.customer is None or Block.of(turn.customer) is None:
        return notice(desk, turn, "desk.block.none")
    event = Event(
        "customer_let_in",
        ticket=ticket.number,
        actor=turn.actor,
        data={"customer": turn.customer.id, "how": "operator"},
    )
    return replace(
        done(desk, turn, "desk.block.ended"),
        customer=without_block(turn.customer),
        cancel=(f"block:{turn.customer.id}",),
        events=(event,),
    )


async def unblock_by_number(desk: DeskContext, turn: Turn, _command: str, rest: str) -> Outcome:
    """/unblock 12, where no ticket is at hand."""
    return await unblock_number(desk, turn, rest.partition(" ")[0])


async def unblock_number(desk: DeskContext, turn: Turn, number: str) -> Outcome:
    """The customer of this ticket: an order to their own conversation, where it meets the customer as they
    then are.
    """
    ticket = await desk.ticket_reader.ticket(int(number)) if number.isdecimal() else None
    if ticket is None or not ticket.customer_peer.chat:
        return say(desk, turn, "desk.no_such_ticket", number=number)
    order = Timer(
        f"unblock:{ticket.number}", BlockOver(turn.actor), turn.now, conversation=ticket.conversation
    )
    return replace(done(desk, turn, "desk.block.ended"), timers=(order,))


async def listed(desk: DeskContext, turn: Turn, _value: str) -> Outcome:
    """/blocked: who is blocked, the newest first, each with why, by whom and until when."""
    reader = desk.ticket_reader
    events = await reader.events(kinds=["customer_shut_out"])
    newest = {
        int(str(e.data["customer"])): e.ticket
        for e in sorted(events, key=lambda e: e.at or turn.now)
        if "customer" in e.data
    }
    rows: list[dict[str, object]] = []
    buttons: list[tuple[Button, ...]] = []
    for id, number in reversed(newest.items()):
        customer = await reader.customer(id)
        found = Block.of(customer)
        if customer is None or found is None or not found.lasts(turn.now):
            continue
        name = full_name(customer) or desk.texts.text("desk.nameless", lang=desk.lang)
        rows.append(
            {"number": number, "name": name, "reason": found.reason, "by": found.by, "until": found.until}
        )
        if number is not None and len(buttons) < SHOWN:
            label = desk.texts.text("desk.block.button", lang=desk.lang, number=number, name=name)
            buttons.append((Button(label, "unblock_number", str(number)),))
    said = say(desk, turn, "desk.block.list", tuple(buttons), rows=rows[:30], now=turn.now)
    return replace(said, reason="blocked_list")
