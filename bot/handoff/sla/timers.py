"""What time brings to a ticket: warnings, breaches, reminders, and the next in line.

Each timer is checked against the ticket as it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.handoff import card_posts, compensation, dialog_scores, group_status, notices, overview
from bot.handoff.assist import suggestions
from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach import low_rating, upset_customers
from bot.handoff.sla.debts import UNANSWERED
from bot.handoff.sla.targets import DOUBLINGS, left
from bot.handoff.tickets import closing, handover, lifecycle, transfer
from bot.model import Button, Event, Outbound, Outcome, Payload, Result, Status, Ticket, Timer, Turn
from bot.model.internal import (
    AssignmentDue,
    CompensationDecided,
    CompensationWaits,
    CustomerSilent,
    DeadlineNear,
    DialogScoreDue,
    FollowUpDue,
    OperatorAway,
    OperatorSilent,
    PromiseDue,
    SnoozeOver,
    SuggestionsDue,
    SupervisorOrder,
    TicketUnclaimed,
    UnattendedTicket,
    UpsetCustomerWaits,
)

LATE = timedelta(minutes=10)  # a timer that comes later than this was missed: the bot was down


async def decide(desk: DeskContext, turn: Turn) -> Outcome:
    """What a timer of the desk does; one that came too late or too early does nothing."""
    payload, ticket = turn.inbounds[0].payload, turn.ticket
    match payload:
        case FollowUpDue(ticket=number):
            return await low_rating.remind(desk, turn, number)
        case UnattendedTicket(why=why):
            return await _stranded(desk, turn, why)
        case SupervisorOrder() as order:
            return await overview.carry_out(desk, turn, order)
        case CompensationWaits(ticket=number):
            return await compensation.remind(desk, turn, number)
        case CompensationDecided() as decided:
            return await compensation.carry_out(desk, turn, decided)
        case DialogScoreDue(ticket=number):
            return await dialog_scores.on_timer(desk, turn, number)
    if ticket is None or ticket.status == "closed":
        return Outcome("desk", Result.IGNORED, "timer_over")
    match payload:
        case AssignmentDue():
            return await _assign(desk, turn, ticket)
        case OperatorAway(operator=operator):
            return _left(desk, turn, ticket, operator)
        case SuggestionsDue():
            return await suggestions.on_opening(desk, turn, ticket)
    alarms = desk.deadlines.alarms(ticket).values()
    if (alarm := next((a for a in alarms if a.payload == payload), None)) is None:
        return Outcome("desk", Result.IGNORED, "timer_over")
    if alarm.due > turn.now:  # the deadline moved on since
        return Outcome("desk", Result.IGNORED, "timer_early", timers=(alarm,))
    if (morning := _put_off(desk, alarm, turn.now)) is not None:
        return Outcome("desk", Result.IGNORED, "timer_put_off", timers=(replace(alarm, due=morning),))
    return await _on_alarm(desk, turn, ticket, alarm.payload)


async def _on_alarm(desk: DeskContext, turn: Turn, ticket: Ticket, payload: Payload) -> Outcome:
    """What is done when a time that the ticket still needs has come."""
    match payload:
        case DeadlineNear(goal=name):
            return await _goal(desk, turn, ticket, name)
        case TicketUnclaimed():
            return _waiting(desk, turn, ticket)
        case OperatorSilent():
            return _idle(desk, turn, ticket)
        case CustomerSilent():
            return _quiet(desk, turn, ticket)
        case SnoozeOver():
            return _snooze(desk, turn, ticket)
        case PromiseDue():
            return _promised(desk, turn, ticket)
        case UpsetCustomerWaits():
            return upset_customers.still_waits(desk, turn, ticket)
    return Outcome("desk", Result.IGNORED, "timer_over")


def _put_off(desk: DeskContext, alarm: Timer, now: datetime) -> datetime | None:
    """The next opening, for what was due while people were at work and comes after they have gone; else
    None.
    """
    missed = (
        now - alarm.due > LATE
        and not desk.hours.is_open(now)
        and desk.hours.is_open(alarm.due - timedelta(seconds=1))
    )
    return desk.hours.next_open(now) if missed else None


async def _goal(desk: DeskContext, turn: Turn, ticket: Ticket, name: str) -> Outcome:
    """Operators are warned before a deadline; at a breach the supervisors are called, or another team gets
    the ticket.
    """
    goal = next(g for g in desk.deadlines.goals(ticket) if g.name == name)
    facts = {**_calling(desk, turn, ticket), "goal": desk.texts.text(f"desk.goal.{name}", lang=desk.lang)}
    if turn.now < goal.due:
        warned = lifecycle.deadline_near(ticket, name)
        say = [*card_posts.edited(desk, warned)]
        if (to := desk.places.thread(warned)) is not None:
            say.append(
                notices.in_desk(
                    desk,
                    to,
                    warned,
                    "desk.sla_near",
                    **facts,
                    minutes=max(1, int(left(goal, turn.now).total_seconds() // 60)),
                )
            )
        return Outcome(
            "desk",
            Result.ANSWERED,
            "sla_near",
            tuple(say),
            ticket=warned,
            events=(Event("sla_near", ticket=ticket.number, data={"goal": name}),),
        )
    broken = lifecycle.deadline_broken(ticket, name)
    event = Event(
        "sla_breached",
        ticket=ticket.number,
        actor=ticket.operator,
        data={"goal": name, "due": goal.due.isoformat()},
    )
    other = desk.rules.sla.escalate_to
    if other and name != "resolution" and ticket.state.team != other:
        history = await desk.ticket_reader.history(ticket.conversation, limit=transfer.CARRIED_LINES)
        moved = transfer.move(desk, turn, broken, other, history, key="desk.sla_moved", **facts)
        return replace(moved, reason="sla_breached", events=(event, *moved.events))
    say = [
        *card_posts.edited(desk, broken),
        *notices.aloud(
            desk,
            broken,
            "desk.sla_broken",
            supervisors=notices.supervisors(desk, desk.places.thread(broken)),
            **facts,
        ),
        *notices.to_absent(desk, broken, "desk.sla_broken", **facts),
    ]
    return Outcome("desk", Result.ANSWERED, "sla_breached", tuple(say), ticket=broken, events=(event,))


def _waiting(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """Nobody takes it: said aloud, each time after twice the time."""
    called, key = lifecycle.reminded(ticket), f"waiting:{ticket.number}"
    while called.state.reminders < DOUBLINGS and desk.deadlines.alarms(called)[key].due <= turn.now:
        called = lifecycle.reminded(called)  # steps missed while nobody rang are said once
    times = called.state.reminders
    # the time that the customer asked for has come: nobody has kept them waiting until then
    is_wished = ticket.state.wish_at is not None and not ticket.state.reminders
    say = notices.aloud(
        desk,
        called,
        "desk.wish.due" if is_wished else "desk.nobody_takes",
        at=ticket.state.wish_at,
        supervisors=notices.supervisors(desk, desk.places.thread(called)) if times > 1 else "",
        **notices.facts(desk, ticket, turn.now),
    )
    event = Event("ticket_waits", ticket=ticket.number, data={"times": times})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "nobody_takes",
        say,
        ticket=called,
        timers=transfer.look_for_somebody(desk, called, turn.now),
        events=(event,),
    )


def _left(desk: DeskContext, turn: Turn, ticket: Ticket, operator: str) -> Outcome:
    """Its operator went away while the customer waits for them; they may be back, or somebody else have it by
    now.
    """
    gone = ticket.operator == operator and not desk.roster.is_here(ticket.operator)
    if not gone or not transfer.is_owed(ticket):
        return Outcome("desk", Result.IGNORED, "timer_over")
    return transfer.give_back(desk, turn, ticket, "desk.operator_left_it", why="operator_away")


def _idle(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """The operator keeps silent: back to the queue, and the next one is told."""
    return transfer.give_back(desk, turn, ticket, "desk.operator_silent", why="operator_silent")


def _quiet(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """The customer keeps silent: asked politely first, then the ticket is closed."""
    if ticket.state.quiet_asked is not None:
        return closing.close(desk, turn, ticket, by="bot", key="handoff.closed_quiet")
    lang = desk.lang_of(turn.customer)
    buttons = tuple(
        Button(desk.texts.text(f"handoff.button.{action}", lang=lang), action, str(ticket.number))
        for action in ("solved", "still_here")
    )
    asked = desk.texts.say(
        "handoff.quiet", lang=lang, customer=turn.customer, number=ticket.number, now=turn.now
    )
    say = Outbound(ticket.customer_peer, asked, buttons=(buttons,), ticket=ticket.number)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "quiet_asked",
        (say,),
        ticket=lifecycle.quiet_asked(ticket, turn.now),
        events=(Event("quiet_asked", ticket=ticket.number),),
    )


def _snooze(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """Time to come back to it: to the one who put it off, or to the queue where they are not there."""
    if not ticket.operator or not desk.roster.is_here(ticket.operator):
        return transfer.give_back(desk, turn, ticket, "desk.woken", why="woken")
    woken = lifecycle.resumed(ticket, turn.now)
    say = [
        *card_posts.edited(desk, woken),
        *notices.aloud(desk, woken, "desk.woken", **_calling(desk, turn, ticket)),
    ]
    return Outcome(
        "desk",
        Result.ANSWERED,
        "woken",
        tuple(say),
        ticket=woken,
        events=(Event("ticket_woken", ticket=ticket.number),),
    )


def _promised(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """What was promised to the customer is due: the operators are reminded loudly, the customer hears that
    they are not forgotten.
    """
    told = desk.texts.say(
        "handoff.promised_due", lang=desk.lang_of(turn.customer), customer=turn.customer, number=ticket.number
    )
    kept = lifecycle.promise_reminded(ticket)
    say = (
        Outbound(ticket.customer_peer, told, ticket=ticket.number),
        *card_posts.edited(desk, kept),
        *notices.aloud(
            desk, kept, "desk.promised_due", text=ticket.state.promise, **_calling(desk, turn, ticket)
        ),
    )
    return Outcome(
        "desk",
        Result.ANSWERED,
        "promised_due",
        say,
        ticket=kept,
        events=(Event("promise_due", ticket=ticket.number),),
    )


async def _assign(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """The next who can is given the ticket; too many waiting in a team's group send it to the desk of all.

    law: whoever else is given one in the meantime, by another process, makes this choice void, so that nobody
    is given more than the limit.
    """
    if ticket.status != "waiting":
        return Outcome("desk", Result.IGNORED, "timer_over")
    chosen_from = desk.shared.version if desk.shared.others else None  # before the tickets are read
    open_tickets = await desk.ticket_reader.tickets(limit=1000)
    team = desk.teams.named(ticket.state.team)
    if team and team.overflow and ticket.state.desk == team.name:
        before = [
            t
            for t in open_tickets
            if t.status == "waiting" and t.state.desk == team.name and t.number != ticket.number
        ]
        if len(before) >= team.overflow:
            history = await desk.ticket_reader.history(ticket.conversation, limit=transfer.CARRIED_LINES)
            return transfer.move(
                desk, turn, ticket, "", history, key="desk.overflowed", team=team.title or team.name
            )
    if desk.rules.routing.assign == "everyone":
        return Outcome("desk", Result.IGNORED, "everyone_takes")
    to = desk.teams.choose(
        ticket, desk.roster, open_tickets, desk.rules.routing, but=ticket.state.previous_operator
    )
    if to is None:
        return Outcome("desk", Result.IGNORED, "nobody_free")
    given = transfer.give_to(desk, turn, ticket, to, key="desk.assigned_to")
    return replace(given, desk_version=chosen_from)


async def _stranded(desk: DeskContext, turn: Turn, why: str) -> Outcome:
    """What the watchdog found: somebody is made responsible, loudly."""
    ticket = turn.ticket
    event = Event("stranded_found", ticket=ticket.number if ticket else None, data={"why": why})
    if ticket is None or ticket.status == "closed":
        if why == UNANSWERED and turn.conversation.status is Status.BOT:
            opened = handover.escalate(desk, turn, reason=UNANSWERED, apology=True)
            return replace(opened, events=(*opened.events, event))
        if turn.conversation.status is Status.BOT:
            return Outcome("desk", Result.IGNORED, "not_stranded")
        last = next(
            (line for line in reversed(turn.history) if line.author in ("customer", "operator")), None
        )
        if last is None or last.author != "customer":
            return Outcome("desk", Result.ANSWERED, "bot_again", status=Status.BOT, state={}, events=(event,))
        opened = handover.escalate(desk, turn, reason="stranded", apology=True)
        return replace(opened, events=(*opened.events, event))
    if why == "operator_gone":
        given_back = transfer.give_back(desk, turn, ticket, "desk.operator_gone", why=why)
        return replace(given_back, events=(*given_back.events, event))
    status = Status.WAITING if ticket.status == "waiting" else Status.OPERATOR
    say: tuple[Outbound, ...] = ()
    if why == "no_card" and (to := desk.places.thread(ticket)) is not None:
        cards = await desk.ticket_reader.deliveries(peer=to, name=f"card:{ticket.number}")
        why_not = {
            "cause": group_status.cause(desk, to),
            "again": len(cards) > 1,
        }  # more than one: shown again in vain
        facts = {
            **notices.facts(desk, ticket, turn.now),
            **why_not,
            "supervisors": notices.supervisors(desk, to),
        }
        afar = (
            group_status.to_responsible(desk, to, "desk.stranded", **facts)
            if why_not["again"]
            else notices.to_supervisors(desk, "desk.stranded", **facts)
        )
        say = (
            *await card_posts.reposted(desk, ticket.number, to),
            *notices.aloud(desk, ticket, "desk.stranded", **facts),
            *afar,
        )
    return Outcome("desk", Result.ANSWERED, "stranded", say, status=status, events=(event,))


def _calling(desk: DeskContext, turn: Turn, ticket: Ticket) -> dict[str, object]:
    """The facts, with the operator called so that they are notified."""
    return {
        **notices.facts(desk, ticket, turn.now),
        "operator": desk.roster.member(ticket.operator).call or ticket.operator_name,
    }
