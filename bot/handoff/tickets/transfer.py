"""A ticket changes hands: given to somebody, to a team, or back to the queue; its history goes along and
nobody asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.handoff.card import transcript
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.roster import Member
from bot.handoff.tickets import lifecycle
from bot.handoff.topics import close_topic
from bot.model import (
    Event,
    HistoryEntry,
    Outbound,
    Outcome,
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
    say = (*desk.card_edit(back), *desk.loud(back, key, **desk.facts(turn, ticket)))
    later = look_for_somebody(desk, back, turn.now)
    return Outcome(
        "desk", Result.ANSWERED, why, say, status=Status.WAITING, ticket=back, timers=later, events=(event,)
    )


def give_to(
    desk: DeskContext, turn: Turn, ticket: Ticket, to: Member, /, *, key: str, **facts: object
) -> Outcome:
    """Into the hands of one operator, who is called by name."""
    now_his = lifecycle.assigned(ticket, to.id, to.name, turn.now)
    say = list(desk.card_edit(now_his))
    if (place := desk.thread(now_his)) is not None:
        say.append(desk.notice(place, now_his, key, operator=to.call, **facts))
    event = Event("ticket_assigned", ticket=ticket.number, actor=to.id, data={"from": ticket.operator})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "assigned",
        tuple(say),
        status=Status.OPERATOR,
        ticket=now_his,
        events=(event,),
    )


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
    before = desk.thread(turn.ticket) if turn.ticket is not None else None
    after = desk.thread(ticket)
    if before is None or after is None or (before.channel, before.chat) == (after.channel, after.chat):
        return give_to(desk, turn, ticket, to, key=key, **facts)
    moved = _with_talk(desk, ticket, history)
    his = lifecycle.assigned(moved, to.id, to.name, turn.now)
    there = replace(
        desk.notice(after, his, key, operator=to.call, **facts), priority=Priority.MESSAGE
    )  # one lane: the card stands first
    here = desk.notice(before, ticket, "desk.brought_to", operator=to.full_name, **facts)
    closed = close_topic(before, ticket.number)
    event = Event("ticket_assigned", ticket=ticket.number, actor=to.id, data={"from": ticket.operator})
    say = (here, closed, desk.card(after, his), there)
    return Outcome(
        "desk", Result.ANSWERED, "assigned", say, status=Status.OPERATOR, ticket=his, events=(event,)
    )


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
    before = desk.thread(ticket)
    moved = lifecycle.transferred(ticket, team, team if desk.teams.place(team) else "", turn.now)
    after = desk.thread(moved)
    say: list[Outbound] = []
    if (
        before is not None
        and after is not None
        and (before.channel, before.chat) == (after.channel, after.chat)
    ):
        say += [*desk.card_edit(moved), desk.notice(after, moved, key, **facts)]
    else:
        moved = _with_talk(desk, moved, history)
        if before is not None:
            say += [
                desk.notice(before, ticket, key, **facts),
                close_topic(before, ticket.number),
            ]
        if after is not None:
            say += [
                desk.card(after, moved),
                replace(desk.notice(after, moved, key, **facts), priority=Priority.MESSAGE),
            ]  # one lane: the card stands first
    event = Event("ticket_moved", ticket=ticket.number, actor=ticket.operator, data={"team": team})
    later = look_for_somebody(desk, moved, turn.now)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "moved",
        tuple(say),
        status=Status.WAITING,
        ticket=moved,
        timers=later,
        events=(event,),
    )


def _with_talk(desk: DeskContext, ticket: Ticket, history: Sequence[HistoryEntry]) -> Ticket:
    """With the talk so far: where it is shown from now on nobody has read it."""
    name = ticket.state.name or desk.words.text("desk.nameless", lang=desk.lang)
    return lifecycle.transcribed(ticket, transcript(history[-CARRIED_LINES:], name, desk.words, desk.lang))
