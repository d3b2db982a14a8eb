"""Where a waiting customer stands, in honest words, and what they may do meanwhile."""

from __future__ import annotations

from bot.handoff.answer_wish import OPEN, facts_of, is_later
from bot.handoff.desk_context import DeskContext
from bot.handoff.sla.hours import WaitEstimate
from bot.model import Button, RichText, Rows, Ticket, Turn


def told(
    desk: DeskContext, turn: Turn, ticket: Ticket, key: str = "handoff.status", *, ahead: int | None = None
) -> RichText:
    """Number, place and honest time of a waiting customer, or who answers.

    *ahead*: how many come before them, where known.
    """
    if ticket.status == "waiting" and is_later(ticket, turn.now):
        return desk.texts.say(
            "wish.stands",
            lang=desk.lang_of(turn.customer),
            number=ticket.number,
            now=turn.now,
            **facts_of(desk, ticket),
        )
    estimate = estimate_of(
        desk, turn, max(0, desk.queue.before_new(ticket, turn.waiting) - 1) if ahead is None else ahead
    )
    return desk.texts.say(
        key,
        lang=desk.lang_of(turn.customer),
        number=ticket.number,
        promise=estimate,
        operator=ticket.operator_name,
        status=ticket.status,
        now=turn.now,
    )


def estimate_of(desk: DeskContext, turn: Turn, ahead: int) -> WaitEstimate:
    """When somebody will answer, with *ahead* before them."""
    return desk.hours.estimate(turn.now, ahead=ahead, recent=turn.recent_answers)


def buttons(desk: DeskContext, lang: str, ticket: Ticket) -> Rows:
    """What a waiting customer may do."""
    labels = (("add_details", "add"), ("cancel_ticket", "cancel"))
    row = tuple(
        Button(desk.texts.text(f"handoff.button.{label}", lang=lang), action, str(ticket.number))
        for action, label in labels
    )
    if not desk.rules.answer_choice or ticket.status != "waiting":
        return (row,)
    return (row, (Button(desk.texts.text("wish.button", lang=lang), OPEN, str(ticket.number)),))
