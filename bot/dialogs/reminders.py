"""Reminders for dialogs of your own: said to the customer at a moment, once, over any restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogs.kept_facts import aware, kept_facts
from bot.dialogs.reply import require_words
from bot.model import Outcome, Timer, Turn
from bot.model.internal import ReminderDue


def remind(
    turn: Turn, outcome: Outcome, at: datetime, key: str, /, *, name: str = "", **facts: object
) -> Outcome:
    """The outcome with a reminder: at *at* the customer gets the words of *key* with *facts*, `customer` and
    `now`.

    *name* (default: the key) tells reminders of one conversation apart: the same name again moves the
    reminder that has not
    been said yet. A moment in the past is said at once. Facts are JSON values or aware datetimes.
    Raises `ValueError` for a moment without a time zone, `TypeError` for a fact that cannot be kept,
    `ConfigError` where there
    are no such words: now, and not when nobody looks any more.
    """
    require_words(key)
    payload = ReminderDue(key, kept_facts(f"remind: facts of {key}", facts))
    later = Timer(_timer(turn, name or key), payload, aware("remind", at))
    return replace(outcome, timers=(*outcome.timers, later))


def take_back(turn: Turn, outcome: Outcome, name: str) -> Outcome:
    """The outcome without the reminder of that name; nothing happens where it was said already."""
    return replace(outcome, cancel=(*outcome.cancel, _timer(turn, name)))


def _timer(turn: Turn, name: str) -> str:
    return f"reminder:{turn.conversation.id}:{name}"
