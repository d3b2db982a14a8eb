"""A customer comes back with what was closed: the same ticket, with the same operator where possible."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import card_posts, notices
from bot.handoff.context import is_context
from bot.handoff.customer_posts import shown_context, shown_file
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.message_names import shown_name
from bot.handoff.queue import wait_estimate
from bot.handoff.tickets import lifecycle, transfer
from bot.handoff.tickets.create import asked_again, shown_to_the_bot, so_far
from bot.handoff.tickets.settle import settled
from bot.handoff.topics import reopen_topic
from bot.model import Event, Outbound, Outcome, Result, Status, Ticket, Turn

NOT_WELL = "not_well"  # why a ticket was opened again: the customer said so when they were asked


def reopened(desk: DeskContext, turn: Turn, ticket: Ticket, *, reason: str, apology: bool = False) -> Outcome:
    """The customer comes back with it: the same ticket, with the same operator where they are there."""
    ticket = lifecycle.moved_to(ticket, turn.conversation.id, turn.conversation.peer)
    same = bool(ticket.operator) and desk.roster.is_here(ticket.operator)
    ticket = lifecycle.transcribed(ticket, so_far(desk, turn, ticket.state.name))
    opened = lifecycle.came_back(ticket, turn.now, same_operator=same)
    lang = desk.lang_of(turn.customer)
    estimate = wait_estimate.estimate_of(desk, turn, desk.queue.before_new(ticket, turn.waiting))
    told = desk.texts.say(
        "handoff.reopened",
        lang=lang,
        customer=turn.customer,
        number=ticket.number,
        operator=ticket.operator_name if same else "",
        apology=apology,
        promise=estimate,
        now=turn.now,
    )
    say = [
        Outbound(
            ticket.customer_peer,
            told,
            buttons=wait_estimate.buttons(desk, lang, opened),
            ticket=ticket.number,
            name=f"opened:{ticket.number}",
        )
    ]
    if (to := desk.places.thread(opened)) is not None:
        text = asked_again(turn, ticket)
        operator = (desk.roster.member(opened.operator).call or opened.operator_name) if same else ""
        topic = reopen_topic(to, ticket.number)
        say += [topic, *card_posts.edited(desk, opened)]
        back = notices.in_desk(desk, to, opened, "desk.came_back", operator=operator, text=text)
        say.append(replace(back, name=shown_name(ticket.number)))
        brought = shown_to_the_bot(turn, ticket.closed)
        say += shown_context(desk, to, opened, tuple(a for a in brought if is_context(a)))
        say += [shown_file(desk, to, opened, a) for a in brought if not is_context(a)]
    event = Event("ticket_reopened", ticket=ticket.number, actor="customer", data={"reason": reason})
    status = Status.OPERATOR if same else Status.WAITING
    later = () if same else transfer.look_for_somebody(desk, opened, turn.now)
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


def left_off(desk: DeskContext, turn: Turn) -> Ticket | None:
    """The ticket that was closed over the customer's silence: any words of theirs open it again, as they were
    told.
    """
    last = closed_lately(desk, turn)
    return last if last is not None and last.state.closed_over_silence else None


def closed_lately(desk: DeskContext, turn: Turn) -> Ticket | None:
    """The ticket that a request for a person opens again; one the customer took back themselves stays
    closed.
    """
    limit = desk.deadlines.reopen
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


def not_well(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """Asked some days later, the customer said that not all is well; where another ticket is open, whoever
    works on that hears of it.
    """
    if turn.ticket is not None and turn.ticket.status != "closed":
        place = desk.places.thread(turn.ticket)
        key = "desk.not_well_before"
        told = (notices.in_desk(desk, place, turn.ticket, key, number=ticket.number),) if place else ()
        return Outcome("desk", Result.ANSWERED, NOT_WELL, told)
    opened = reopened(desk, turn, ticket, reason=NOT_WELL, apology=True)
    to = desk.places.thread(ticket)
    again = (notices.in_desk(desk, to, ticket, "desk.not_well"),) if to is not None else ()
    return settled(desk, turn.ticket, replace(opened, messages=(*opened.messages, *again)))
