"""What follows from a ticket as it becomes: its deadlines, its timers, its views."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import dialog_scores
from bot.handoff.card import topic_name
from bot.handoff.card_posts import redrawn
from bot.handoff.desk_context import DeskContext
from bot.handoff.playbooks import checklist
from bot.model import OutboundKind, Outcome, Ticket


def settled(desk: DeskContext, known: Ticket | None, outcome: Outcome) -> Outcome:
    """The outcome with the timers and the views that follow from the ticket as it becomes; *known* is
    the one of the turn.
    """
    after = outcome.opens or outcome.ticket
    if after is None:
        return outcome
    before = known if outcome.opens is None and known is not None and known.number == after.number else None
    if outcome.opens is None and after == known:
        return replace(outcome, ticket=None)
    after = desk.deadlines.dated(checklist.chosen(desk, after))
    later, cancel = desk.deadlines.changes(before, after)
    if ends := before is not None and before.status != "closed" and after.status == "closed":
        later = (*later, *dialog_scores.later(desk, after))
    same = before is not None and topic_name(before, desk.texts, desk.lang) == topic_name(
        after, desk.texts, desk.lang
    )
    say = tuple(
        redrawn(desk, o, after)
        for o in outcome.messages
        if not (same and o.kind is OutboundKind.RENAME_TOPIC and o.ticket == after.number)
    )
    kept = {"opens": after} if outcome.opens is not None else {"ticket": after}
    return replace(
        outcome,
        messages=say,
        events=(*outcome.events, *(checklist.ended(desk, after) if ends else ())),
        timers=(*outcome.timers, *later),
        cancel=(*outcome.cancel, *cancel),
        **kept,  # type: ignore[arg-type]
    )
