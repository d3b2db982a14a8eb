"""A ticket changes hands: given to somebody, to a team, or back to the queue; its history goes along and
nobody asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.handoff import card_posts, notices
from bot.handoff.card import transcript
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.handoff.topics import close_topic
from bot.model import (
    Event,
    HistoryEntry,
    Member,
    Outbound,
    Outcome,
    Peer,
    Priority,
    Result,
    Status,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import AssignmentDue, OperatorAway

CARRIED_LINES = 30


def look_for_somebody(desk: DeskContext, ticket: Ticket, now: datetime) -> tuple[Timer, ...]:
    """The timer by which a waiting ticket is given to somebody, where tickets are given rather than taken."""
    team = desk.teams.named(ticket.state.team)
    if desk.rules.routing.assign == "everyone" and not (team and team.overflow):
        return ()
    return (Timer(f"assign:{ticket.number}", AssignmentDue(), now, conversation=ticket.conversation),)


def is_owed(ticket: Ticket) -> bool:
    """Whether the customer waits for words of the operator whose ticket it is."""
    return ticket.status == "operator" and (ticket.first_reply is None or ticket.state.asked is not None)


def left_alone(ticket: Ticket, now: datetime) -> Timer:
    """The timer, due at once, by which a ticket is given back whose operator has just gone away."""
    return Timer(
        f"left:{ticket.number}",
        OperatorAway(ticket.operator),
        now,
        conversation=ticket.conversation,
    )


def give_back(desk: DeskContext, turn: Turn, ticket: Ticket, key: str, *, why: str) -> Outcome:
    """To the queue again, said where everybody sees it. *key* is the word of the desk about it."""
    back = lifecycle.queued(ticket, turn.now)
    event = Event("ticket_given_back", ticket=ticket.number, actor=ticket.operator, data={"why": why})
    say = (
        *card_posts.edited(desk, back),
        *notices.aloud(desk, back, key, **notices.facts(desk, ticket, turn.now)),
    )
    later = look_for_somebody(desk, back, turn.now)
    return Outcome(
        "desk", Result.ANSWERED, why, say, status=Status.WAITING, ticket=back, timers=later, events=(event,)
    )


def give_to(
    desk: DeskContext, turn: Turn, ticket: Ticket, to: Member, /, *, key: str, **facts: object
) -> Outcome:
    """Into the hands of one operator, who is called by name."""
    given = lifecycle.assigned(ticket, to.id, to.name, turn.now)
    say = card_posts.edited(desk, given)
    if (place := desk.places.thread(given)) is not None:
        say = (*say, notices.in_desk(desk, place, given, key, operator=to.call, **facts))
    return _given(ticket, given, say)


def bring_to(
    desk: DeskContext,
    turn: Turn,
    ticket: Ticket,
    to: Member,
    history: Sequence[HistoryEntry],
    /,
    *,
    key: str,
    **facts: object,
) -> Outcome:
    """Into the hands of one operator, in the group where *ticket* as it now is belongs; what stood elsewhere
    is closed there.
    """
    before = desk.places.thread(turn.ticket) if turn.ticket is not None else None
    after = desk.places.thread(ticket)
    if before is None or after is None or _in_one_group(before, after):
        return give_to(desk, turn, ticket, to, key=key, **facts)
    given = lifecycle.assigned(_with_talk(desk, ticket, history), to.id, to.name, turn.now)
    left = notices.in_desk(desk, before, ticket, "desk.brought_to", operator=to.full_name, **facts)
    arrived = notices.in_desk(desk, after, given, key, operator=to.call, **facts)
    say = (left, close_topic(before, ticket.number), *_below_card(desk, given, arrived))
    return _given(ticket, given, say)


def move(
    desk: DeskContext,
    turn: Turn,
    ticket: Ticket,
    team: str,
    history: Sequence[HistoryEntry],
    /,
    *,
    key: str,
    **facts: object,
) -> Outcome:
    """To a team, into its group where it has one of its own; "" = to the desk of all.

    The card there holds the talk so far.
    """
    before = desk.places.thread(ticket)
    moved = lifecycle.transferred(ticket, team, team if desk.teams.place(team) else "", turn.now)
    after = desk.places.thread(moved)
    say: tuple[Outbound, ...] = ()
    if before is not None and after is not None and _in_one_group(before, after):
        say = (*card_posts.edited(desk, moved), notices.in_desk(desk, after, moved, key, **facts))
    else:
        moved = _with_talk(desk, moved, history)
        if before is not None:
            say = (notices.in_desk(desk, before, ticket, key, **facts), close_topic(before, ticket.number))
        if after is not None:
            say = (*say, *_below_card(desk, moved, notices.in_desk(desk, after, moved, key, **facts)))
    event = Event("ticket_moved", ticket=ticket.number, actor=ticket.operator, data={"team": team})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "moved",
        say,
        status=Status.WAITING,
        ticket=moved,
        timers=look_for_somebody(desk, moved, turn.now),
        events=(event,),
    )


def _given(before: Ticket, given: Ticket, say: tuple[Outbound, ...]) -> Outcome:
    event = Event(
        "ticket_assigned", ticket=given.number, actor=given.operator, data={"from": before.operator}
    )
    return Outcome(
        "desk", Result.ANSWERED, "assigned", say, status=Status.OPERATOR, ticket=given, events=(event,)
    )


def _below_card(desk: DeskContext, ticket: Ticket, told: Outbound) -> tuple[Outbound, Outbound]:
    """The card where it was not shown yet, and below it what happened: one priority keeps the order."""
    return card_posts.posted(desk, told.to, ticket), replace(told, priority=Priority.MESSAGE)


def _in_one_group(one: Peer, other: Peer) -> bool:
    return (one.channel, one.chat) == (other.channel, other.chat)


def _with_talk(desk: DeskContext, ticket: Ticket, history: Sequence[HistoryEntry]) -> Ticket:
    """With the talk so far: where it is shown from now on nobody has read it."""
    name = ticket.state.name or desk.texts.text("desk.nameless", lang=desk.lang)
    return lifecycle.transcribed(ticket, transcript(history[-CARRIED_LINES:], name, desk.texts, desk.lang))
