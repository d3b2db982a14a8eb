"""Supervisors hear at once of an important customer who is upset, and again where they are left waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.config.handoff import length
from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.model import Event, InboundKind, Outbound, Outcome, Result, Ticket, Turn

UPSET = "upset"  # why the bot called a person
ANGRY = 0.6  # how upset (0..1) words are of which a supervisor should know


def noticed(desk: DeskContext, turn: Turn, outcome: Outcome) -> Outcome:
    """The outcome with the word to the supervisors, where the turn's customer is important and upset; once in
    the time of the config for a conversation.
    """
    ticket = outcome.opens or outcome.ticket or turn.ticket
    if ticket is None or ticket.status == "closed" or not is_important(desk, turn):
        return outcome
    if not (outcome.reason == UPSET or _is_upset(desk, turn)) or _told_lately(desk, turn, ticket):
        return outcome
    told = lifecycle.upset_told(ticket, turn.now)
    key = "opens" if outcome.opens is not None else "ticket"
    event = Event("upset_customer", ticket=ticket.number, data={"channel": turn.conversation.peer.channel})
    return replace(
        outcome,
        messages=(*outcome.messages, *_said(desk, told, "desk.upset_customer", turn.now)),
        events=(*outcome.events, event),
        **{key: told},  # type: ignore[arg-type]
    )


def still_waits(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """A part of the time for an answer has passed."""
    waited = lifecycle.upset_waited(ticket, turn.now)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "upset_waits",
        _said(desk, waited, "desk.upset_waits", turn.now),
        ticket=waited,
        events=(Event("upset_customer_waits", ticket=ticket.number, actor=ticket.operator),),
    )


def is_important(desk: DeskContext, turn: Turn) -> bool:
    """Whether the customer is one of those whom the config names."""
    wanted = desk.rules.vip.fields
    if not wanted or turn.customer is None:
        return False
    known = turn.customer.fields
    return all(
        str(known.get(name, "")).casefold() in {v.strip() for v in value.casefold().split(",")}
        for name, value in wanted.items()
    )


def _is_upset(desk: DeskContext, turn: Turn) -> bool:
    words = [i.text for i in turn.inbounds if i.kind is InboundKind.MESSAGE and i.text.strip()]
    return any(desk.rules.upset(text) >= ANGRY for text in words)


def _told_lately(desk: DeskContext, turn: Turn, ticket: Ticket) -> bool:
    pause = length(desk.rules.vip.again) or timedelta()
    known = (t.state.upset_told for t in (ticket, *turn.past))
    return any(at is not None and turn.now - at < pause for at in known)


def _said(desk: DeskContext, ticket: Ticket, key: str, now: datetime) -> tuple[Outbound, ...]:
    facts = {**notices.facts(desk, ticket, now), "operator": ticket.operator_name}
    called = notices.supervisors(desk, desk.places.thread(ticket))
    return (
        *notices.aloud(desk, ticket, key, **facts, supervisors=called),
        *notices.to_absent(desk, ticket, key, **facts),
    )
