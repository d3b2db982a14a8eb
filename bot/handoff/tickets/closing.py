"""A ticket ends: who hears of it, and when its customer is asked how it was."""

from __future__ import annotations

from datetime import timedelta

from bot.handoff import card_posts, notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.handoff.topics import close_topic
from bot.model import PLAYED, Event, Outbound, Outcome, Result, Status, Ticket, Timer, Turn
from bot.model.internal import CheckInDue, RatingDue

QUIETLY = "handoff.closed_quiet"  # what a silent customer is told


def close(
    desk: DeskContext, turn: Turn, ticket: Ticket, *, by: str, told: bool = True, key: str = ""
) -> Outcome:
    """End the ticket and open the bot again.

    *by*: an operator's id, "customer" or "bot"; *key*: what the customer is told.
    """
    key = key or ("handoff.cancelled" if by == "customer" else "handoff.closed")
    closed = lifecycle.closed(ticket, turn.now, over_silence=key == QUIETLY)
    say: list[Outbound] = []
    if told:
        text = desk.texts.say(
            key, lang=desk.lang_of(turn.customer), customer=turn.customer, number=ticket.number
        )
        say.append(Outbound(ticket.customer_peer, text, ticket=ticket.number, on_uncertain="hold"))
    if key == "handoff.cancelled" and (to := desk.places.thread(ticket)):
        say.append(notices.in_desk(desk, to, ticket, "desk.cancelled_by_customer"))
    say += card_posts.edited(desk, closed)
    if (to := desk.places.thread(ticket)) is not None:
        say.append(close_topic(to, ticket.number))
    event = Event("ticket_closed", ticket=ticket.number, actor=by)
    later = _afterwards(desk, turn, ticket) if told and key == "handoff.closed" else ()
    return Outcome(
        "desk",
        Result.ANSWERED,
        "closed",
        tuple(say),
        state={},
        status=Status.BOT,
        ticket=closed,
        events=(event,),
        timers=later,
    )


def _afterwards(desk: DeskContext, turn: Turn, ticket: Ticket) -> tuple[Timer, ...]:
    """The timers that `dialogs/surveys` answers; only somebody who was answered by a person is asked, and
    nobody whom the service plays itself, and nobody in public.
    """
    peer = ticket.customer_peer
    if ticket.first_reply is None or peer.channel == PLAYED or peer.is_public:
        return ()
    number, talk = ticket.number, ticket.conversation
    rating = RatingDue(number, turn.now)
    asked = Timer(f"rating:{number}", rating, turn.now + (desk.ask_rating or timedelta()), conversation=talk)
    well = Timer(
        f"check_in:{number}",
        CheckInDue(number, turn.now),
        turn.now + (desk.check_in or timedelta()),
        conversation=talk,
    )
    return (*((asked,) if desk.ask_rating is not None else ()), *((well,) if desk.check_in else ()))
