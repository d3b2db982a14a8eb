"""What follows from a ticket as it becomes: its deadlines, its timers, its views."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import dialog_scores
from bot.handoff.assist.assistant_requests import LONG_TALK, handed_over
from bot.handoff.card import topic_name
from bot.handoff.card_posts import redrawn
from bot.handoff.desk_context import DeskContext
from bot.handoff.playbooks import checklist
from bot.model import Event, Outbound, OutboundKind, Outcome, Ticket

CHANGES_HANDS = frozenset({"ticket_assigned", "ticket_moved", "ticket_transferred"})  # events


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
    after, asked = _summed_up(desk, before, checklist.chosen(desk, after), outcome)
    after = desk.deadlines.dated(after)
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
        messages=(*say, *(o for o, _ in asked)),
        events=(*outcome.events, *(e for _, e in asked), *(checklist.ended(desk, after) if ends else ())),
        timers=(*outcome.timers, *later),
        cancel=(*outcome.cancel, *cancel),
        **kept,  # type: ignore[arg-type]
    )


def _summed_up(
    desk: DeskContext, before: Ticket | None, after: Ticket, outcome: Outcome
) -> tuple[Ticket, tuple[tuple[Outbound, Event], ...]]:
    """Whoever gets the ticket reads in short what it is about: at its opening, where there was a talk, and
    when it changes hands.
    """
    if not desk.rules.assistant or after.status == "closed":
        return after, ()
    opened = outcome.opens is not None and len(after.state.transcript) >= LONG_TALK
    other = before is not None and before.operator not in ("", after.operator)
    moved = other and any(e.kind in CHANGES_HANDS for e in outcome.events)
    wanted = handed_over(after, f"{after.number}.{after.version}") if opened or moved else None
    if wanted is None:
        return after, ()
    changed, sent, event = wanted
    return changed, ((sent, event),)
