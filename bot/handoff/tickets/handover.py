"""A conversation is handed to a person: a ticket, an honest word to the customer, a card for the desk."""

from __future__ import annotations

from bot.handoff import card_posts
from bot.handoff.assist import suggestions
from bot.handoff.customer_posts import shown_context, shown_file
from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach import upset_customers
from bot.handoff.queue import wait_estimate
from bot.handoff.tickets import lifecycle, reopening, transfer
from bot.handoff.tickets.create import new_ticket, recent_attachments, recent_context
from bot.handoff.tickets.settle import settled
from bot.model import Answer, Event, Outbound, Outcome, Result, Status, Ticket, Turn


def escalate(
    desk: DeskContext, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
) -> Outcome:
    """Hand the conversation to a person: a ticket with a number, an honest word to the customer, a card
    for the desk.
    """
    if turn.ticket is not None and turn.ticket.status != "closed":
        return _already(desk, turn, turn.ticket, reason)
    if (again := reopening.closed_lately(desk, turn)) is not None:
        back = reopening.reopened(desk, turn, again, reason=reason, apology=apology)
        return settled(desk, turn.ticket, upset_customers.noticed(desk, turn, back))
    ticket = new_ticket(desk, turn, reason, answer)
    lang = desk.lang_of(turn.customer)
    estimate = wait_estimate.estimate_of(desk, turn, desk.queue.before_new(ticket, turn.waiting))
    ticket = lifecycle.place_told(ticket, estimate.place)
    told = desk.texts.say(
        "handoff.opened",
        lang=lang,
        customer=turn.customer,
        number=ticket.number,
        promise=estimate,
        apology=apology,
        reason=reason,
        now=turn.now,
    )
    say = [
        Outbound(
            turn.conversation.peer,
            told,
            buttons=wait_estimate.buttons(desk, lang, ticket),
            ticket=ticket.number,
            name=f"opened:{ticket.number}",
        )
    ]
    later = (
        *transfer.look_for_somebody(desk, ticket, turn.now),
        *suggestions.look_later(desk, ticket, turn, estimate.place),
    )
    if (to := desk.places.thread(ticket)) is not None:
        say.append(card_posts.posted(desk, to, ticket))
        say += shown_context(desk, to, ticket, recent_context(turn))
        say += [shown_file(desk, to, ticket, a) for a in recent_attachments(turn)]
    event = Event(
        "ticket_opened",
        ticket=ticket.number,
        data={"reason": reason, "open": estimate.open, "topic": ticket.topic, "priority": ticket.priority},
    )
    why = dict(answer.why) if answer else {}
    opened = Outcome(
        "desk",
        Result.HANDED_OFF,
        reason,
        tuple(say),
        state={},
        status=Status.WAITING,
        opens=ticket,
        timers=later,
        events=(event,),
        explanation=why,
    )
    return settled(desk, turn.ticket, upset_customers.noticed(desk, turn, opened))


def _already(desk: DeskContext, turn: Turn, ticket: Ticket, reason: str) -> Outcome:
    say = Outbound(turn.conversation.peer, wait_estimate.told(desk, turn, ticket), ticket=ticket.number)
    status = Status.OPERATOR if ticket.operator else Status.WAITING
    return Outcome("desk", Result.HANDED_OFF, reason, (say,), status=status)
