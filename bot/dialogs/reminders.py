"""Reminders for dialogs of your own: said to the customer at a moment, once, over any restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.dialogs.reply import require_words
from bot.model import Outcome, Timer, Turn

TIMER = "reminder"  # the kind of the timer; bot/dialogs/opt_out.py says it
MOMENT = "__moment__"


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
    if at.tzinfo is None:
        raise ValueError(
            f"remind: {at} has no time zone; take turn.now + timedelta(...), or datetime(...,"
            " tzinfo=ZoneInfo(...))"
        )
    kept = {k: {MOMENT: v.isoformat()} if isinstance(v, datetime) else v for k, v in facts.items()}
    try:
        json.dumps(kept)
    except TypeError as error:
        raise TypeError(f"remind: facts of {key} cannot be kept until then: {error}") from None
    data = {"key": key, "facts": kept}
    return replace(outcome, timers=(*outcome.timers, Timer(_timer(turn, name or key), TIMER, at, data)))


def take_back(turn: Turn, outcome: Outcome, name: str) -> Outcome:
    """The outcome without the reminder of that name; nothing happens where it was said already."""
    return replace(outcome, cancel=(*outcome.cancel, _timer(turn, name)))


def facts_of(data: Mapping[str, object]) -> dict[str, object]:
    """The facts as they were given to `remind`."""
    kept = data.get("facts")
    facts = dict(kept) if isinstance(kept, Mapping) else {}
    return {
        k: datetime.fromisoformat(str(v[MOMENT])) if isinstance(v, Mapping) and MOMENT in v else v
        for k, v in facts.items()
    }


def _timer(turn: Turn, name: str) -> str:
    return f"{TIMER}:{turn.conversation.id}:{name}"
