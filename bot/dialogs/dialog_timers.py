"""Timers of a dialog of one's own: at a moment the dialog is asked again, once, over any restart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.dialogs.kept_facts import aware, facts_of, kept_facts
from bot.dialogs.reply import speaker
from bot.model import InboundKind, Json, Outcome, Timer, Turn

DIALOG_TIMER = "dialog_timer"  # the kind of a timer that wakes the dialog which set it


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
    data = {
        "dialog": speaker().dialog,
        "name": name,
        "facts": kept_facts(f"set_timer: facts of {name}", facts),
    }
    later = Timer(_timer(turn, name), DIALOG_TIMER, aware("set_timer", at), data)
    return replace(outcome, timers=(*outcome.timers, later))


def cancel_timer(turn: Turn, outcome: Outcome, name: str) -> Outcome:
    """The outcome without the timer of that name; nothing happens where it has fired already."""
    return replace(outcome, cancel=(*outcome.cancel, _timer(turn, name)))


def fired_timer(turn: Turn, name: str) -> FiredTimer | None:
    """This dialog's timer *name*, if this turn is its time; None otherwise."""
    data = timer_data(turn)
    if data is None or data.get("dialog") != speaker().dialog or data.get("name") != name:
        return None
    return FiredTimer(name, facts_of(data))


def timer_data(turn: Turn) -> Json | None:
    """What was kept with the dialog's timer that fired, whichever dialog's it is."""
    first = turn.inbounds[0]
    return first.data if first.kind is InboundKind.INTERNAL and first.text == DIALOG_TIMER else None


def _timer(turn: Turn, name: str) -> str:
    return f"{DIALOG_TIMER}:{turn.conversation.id}:{speaker().dialog}:{name}"
