"""Facts that a dialog wants to have again later, as JSON that survives a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from bot.model import Json

MOMENT = "__moment__"


def kept_facts(what: str, facts: Mapping[str, object]) -> Json:
    """*facts* as JSON. Raises `TypeError`, which names *what* they belong to, for one that cannot be kept."""
    kept = {k: {MOMENT: v.isoformat()} if isinstance(v, datetime) else v for k, v in facts.items()}
    try:
        json.dumps(kept)
    except TypeError as error:
        raise TypeError(f"{what} cannot be kept until then: {error}") from None
    return kept


def facts_of(kept: Json) -> dict[str, object]:
    """The facts as they were given to `kept_facts`."""
    return {
        k: datetime.fromisoformat(str(v[MOMENT])) if isinstance(v, Mapping) and MOMENT in v else v
        for k, v in kept.items()
    }


def aware(what: str, at: datetime) -> datetime:
    """*at*, if it says in which zone it is meant. Raises `ValueError`."""
    if at.tzinfo is None:
        raise ValueError(
            f"{what}: {at} has no time zone; take turn.now + timedelta(...), or datetime(...,"
            " tzinfo=ZoneInfo(...))"
        )
    return at
