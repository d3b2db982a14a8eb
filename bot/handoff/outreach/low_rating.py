"""After a low score: the supervisor sees it with an apology ready, sends it with one tap or their own words,
and is reminded until somebody did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.handoff import notices
from bot.handoff.card import called
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice
from bot.handoff.outreach.order_replies import acknowledged, answer, tail
from bot.handoff.tickets import lifecycle
from bot.model import (
    Button,
    Customer,
    Event,
    Outbound,
    OutboundKind,
    Outcome,
    Priority,
    Receipt,
    Result,
    RichText,
    Rows,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import FollowUpDue

AFTER = timedelta(hours=24)  # until somebody is reminded that nobody has looked
LISTED = 15
LOOKED = 2000  # newest tickets among which open follow-ups are looked for
PRESSES = frozenset({"apologize", "apology_edit", "followup_done"})


def opened(
    desk: DeskContext, turn: Turn, ticket: Ticket, score: int
) -> tuple[tuple[Outbound, ...], tuple[Timer, ...]]:
    """What the desk sees of a low score, and the timer that reminds of it.

    A comment that comes after it is shown without the buttons.
    """
    if (to := desk.places.thread(ticket)) is None:
        return (), ()
    comment = ticket.state.comment
    is_shown = bool(ticket.state.followup)
    apology = "" if is_shown else apology_to(desk, ticket, turn.customer).text
    said = notices.in_desk(
        desk,
        to,
        ticket,
        "desk.low_rating",
        score=score,
        operator=ticket.operator_name,
        comment=comment,
        supervisors=notices.supervisors(desk, to),
        apology=apology,
    )
    if is_shown:
        return (said,), ()
    later = Timer(f"followup:{ticket.number}", FollowUpDue(ticket.number), turn.now + AFTER)
    return (replace(said, buttons=_buttons(desk, ticket), name=f"followup:{ticket.number}"),), (later,)


def apology_to(desk: DeskContext, ticket: Ticket, customer: Customer | None) -> RichText:
    lang = customer.language if customer else desk.lang
    return desk.texts.say(
        "followup.apology", lang=lang, customer=customer, number=ticket.number, operator=ticket.operator_name
    )


async def pressed(desk: DeskContext, turn: Turn, action: str) -> Outcome:
    """The buttons under a low score; each works while the follow-up is open."""
    ticket = turn.ticket
    if ticket is None or ticket.state.followup != "open":
        return notice(desk, turn, "followup.over")
    if action == "apologize":
        return _said(desk, turn, ticket, apology_to(desk, ticket, turn.customer))
    if action == "followup_done":
        return _settled(desk, turn, ticket, "followup.settled", ())
    return answer(desk, turn, "followup.how", text=apology_to(desk, ticket, turn.customer).text)


def sorry(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """/sorry own words: to the customer of a low score, though their ticket is closed."""
    ticket, inbound = turn.ticket, turn.inbounds[0]
    if ticket is None:
        return answer(desk, turn, "desk.which_ticket")
    if not ticket.state.followup:
        return answer(desk, turn, "followup.none")
    if not rest:
        return answer(desk, turn, "followup.how", text=apology_to(desk, ticket, turn.customer).text)
    return _said(desk, turn, ticket, tail(inbound.rich, max(0, inbound.text.rfind(rest))))


async def listed(desk: DeskContext, turn: Turn) -> Outcome:
    """/followups: the low scores nobody has looked at."""
    found = waiting(await desk.ticket_reader.tickets(open_only=False, limit=LOOKED))
    rows = [
        {
            "number": t.number,
            "name": called(t, desk.texts, desk.lang),
            "rating": t.rating,
            "operator": t.operator_name,
            "comment": t.state.comment,
            "closed": t.closed,
        }
        for t in found[:LISTED]
    ]
    return answer(desk, turn, "followup.listed", rows=rows, more=len(found) - len(rows), now=turn.now)


def waiting(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Tickets whose low score still waits for somebody."""
    return [t for t in tickets if t.state.followup == "open"]


async def remind(desk: DeskContext, turn: Turn, number: int) -> Outcome:
    """Nobody has looked for a day: said once more, aloud."""
    ticket = await desk.ticket_reader.ticket(number)
    if ticket is None or ticket.state.followup != "open" or (to := desk.places.thread(ticket)) is None:
        return Outcome("desk", Result.IGNORED, "timer_over")
    text = desk.texts.say(
        "followup.remind",
        lang=desk.lang,
        number=ticket.number,
        name=ticket.state.name,
        score=ticket.rating or 0,
        supervisors=notices.supervisors(desk, to),
    )
    text = notices.supervisors(desk, to).mentioned(text, to.channel)
    say = Outbound(
        replace(to, thread=""),
        text,
        buttons=_buttons(desk, ticket),
        ticket=ticket.number,
        author="",
        priority=Priority.NOTICE,
    )
    return Outcome(
        "desk",
        Result.ANSWERED,
        "followup_reminded",
        (say,),
        events=(Event("followup_reminded", ticket=ticket.number),),
    )


def _buttons(desk: DeskContext, ticket: Ticket) -> Rows:
    actions = (("apologize", "primary"), ("apology_edit", ""), ("followup_done", ""))
    made = [
        Button(desk.texts.text(f"followup.button.{a}", lang=desk.lang), a, str(ticket.number), style=style)  # type: ignore[arg-type]
        for a, style in actions
    ]
    return ((made[0],), tuple(made[1:]))


def _said(desk: DeskContext, turn: Turn, ticket: Ticket, text: RichText) -> Outcome:
    """The apology goes to the customer, with a way back to a person."""
    inbound = turn.inbounds[0]
    if turn.subject is not None and not turn.subject.reachable:
        return notice(desk, turn, "desk.customer_blocked")
    lang = turn.customer.language if turn.customer else desk.lang
    human = Button(desk.texts.text("buttons.human", lang=lang), "human")
    message = inbound.message if not inbound.callback else ""
    told = Outbound(
        ticket.customer_peer,
        text,
        ((human,),),
        ticket=ticket.number,
        author="operator",
        author_name=inbound.sender.name,
        on_uncertain="hold",
        receipt=Receipt(turn.peer, message) if message else None,
    )
    return _settled(desk, turn, ticket, "followup.sent", (told,))


def _settled(desk: DeskContext, turn: Turn, ticket: Ticket, key: str, told: tuple[Outbound, ...]) -> Outcome:
    """Somebody looked: the notice says who, and the reminder is off."""
    name = turn.inbounds[0].sender.name
    done = lifecycle.followed_up(ticket, turn.now if told else None)
    shown = desk.texts.say(key, lang=desk.lang, by=name, number=ticket.number, score=ticket.rating or 0)
    edit = notices.in_desk(
        desk,
        desk.places.thread(ticket) or turn.peer,
        ticket,
        key,
        by=name,
        number=ticket.number,
        score=ticket.rating or 0,
    )
    edit = replace(
        edit,
        text=shown,
        kind=OutboundKind.EDIT,
        edits=f"followup:{ticket.number}",
        priority=Priority.COSMETIC,
    )
    event = Event("apologized" if told else "followup_settled", ticket=ticket.number, actor=turn.actor)
    say = (*told, *acknowledged(desk, turn, "desk.done"), edit)
    return Outcome(
        "desk",
        Result.ANSWERED,
        event.kind,
        say,
        ticket=done,
        cancel=(f"followup:{ticket.number}",),
        events=(event,),
    )
