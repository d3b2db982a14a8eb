"""Timers of a dialog of one's own: at a moment the dialog is asked again, once, over any restart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.dialogs.kept_facts import aware, facts_of, kept_facts
from bot.dialogs.reply import speaker
from bot.model import Json, Outcome, Timer, Turn
from bot.model.internal import DialogTimer


@dataclass(frozen=True, slots=True)
class FiredTimer:
    """A timer whose time has come: its *name* and the *facts* that were given to `set_timer`."""

    name: str
    facts: Json = field(default_factory=dict)


def set_timer(turn: Turn, outcome: Outcome, at: datetime, name: str, /, **facts: object) -> Outcome:
    """The outcome with a timer: at *at* this dialog is asked again, and `fired_timer` tells it so.

    Kept with the turn, it fires once, over any restart, also while an operator has the ticket. The same
    *name* in one conversation again moves the timer; one in the past fires at once. *facts* are JSON values
    or aware datetimes. Raises `ValueError` for a moment without a time zone, `TypeError` for a fact that
    cannot be kept.
    """
    kept = kept_facts(f"set_timer: facts of {name}", facts)
    payload = DialogTimer(speaker().dialog, name, kept)
    later = Timer(_timer(turn, name), payload, aware("set_timer", at))
    return replace(outcome, timers=(*outcome.timers, later))


def cancel_timer(turn: Turn, outcome: Outcome, name: str) -> Outcome:
    """The outcome without the timer of that name; nothing happens where it has fired already."""
    return replace(outcome, cancel=(*outcome.cancel, _timer(turn, name)))


def fired_timer(turn: Turn, name: str) -> FiredTimer | None:
    """This dialog's timer *name*, if this turn is its time; None otherwise."""
    match turn.inbounds[0].payload:
        case DialogTimer(dialog=dialog, name=kept, facts=facts) if (dialog, kept) == (speaker().dialog, name):
            return FiredTimer(name, facts_of(facts))
    return None


def _timer(turn: Turn, name: str) -> str:
    return f"dialog_timer:{turn.conversation.id}:{speaker().dialog}:{name}"
