"""How a customer's points have changed: kept beside them, in a field of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

KEPT = 20  # changes that are remembered


@dataclass(frozen=True, slots=True)
class PointsChange:
    """What the points became, when, and by whom."""

    at: datetime
    value: str
    by: str


def name_of(field: str) -> str:
    """The field that keeps the history of *field*."""
    return f"_{field}_history"


def with_history(
    known: Mapping[str, object], changes: Mapping[str, object], field: str, now: datetime, by: str
) -> Mapping[str, object]:
    """The changes, with the history where the points are among them and become something else."""
    if not field or field not in changes or str(known.get(field)) == str(changes[field]):
        return changes
    before = known.get(name_of(field))
    rows = list(before) if isinstance(before, Sequence) and not isinstance(before, str) else []
    value = changes[field]
    row = [now.isoformat(), "" if value is None else str(value), by]
    return {**changes, name_of(field): [*rows, row][-KEPT:]}


def history_of(known: Mapping[str, object], field: str) -> tuple[PointsChange, ...]:
    """The changes, the newest first; what cannot be read is left out."""
    rows = known.get(name_of(field)) if field else ()
    found = []
    for row in rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ():
        if isinstance(row, Sequence) and len(row) == 3:
            found.append(PointsChange(datetime.fromisoformat(str(row[0])), str(row[1]), str(row[2])))
    return tuple(reversed(found))
