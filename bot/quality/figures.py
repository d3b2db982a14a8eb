"""Figures of the scorecard from its events alone: by operator and week, and how far the marks that are made
by themselves agree with supervisors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from hashlib import sha256
from statistics import fmean

from bot.model import Event
from bot.quality.criterion import WORTH

SCORED, REVIEWED = "dialog_scored", "dialog_reviewed"
KINDS = (SCORED, REVIEWED)
SAMPLE, LOW, MYSTERY, CHOSEN = "sample", "low_rating", "mystery", "chosen"  # why a dialog was looked at
LOW_RATING = 2


@dataclass(slots=True)
class ScoreFigures:
    """How somebody's dialogs were: *seen* by itself, *said* by supervisors of a fair sample."""

    operator: str
    seen: list[float] = field(default_factory=list)
    said: list[float] = field(default_factory=list)
    marks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    weeks: dict[date, list[float]] = field(default_factory=lambda: defaultdict(list))
    looked: int = 0  # by supervisors, for whatever reason

    def mean(self, of: Sequence[float], least: int) -> float | None:
        """None where there are too few to say anything."""
        return fmean(of) if len(of) >= least else None


@dataclass(frozen=True, slots=True)
class MarkAgreement:
    """How often a mark by itself was the supervisor's too. *unseen*: theirs alone; *missed*: by criterion."""

    criterion: str
    same: int = 0
    other: int = 0
    unseen: int = 0

    @property
    def share(self) -> float | None:
        both = self.same + self.other
        return self.same / both if both else None


def by_operator(events: Iterable[Event], zone: tzinfo) -> dict[str, ScoreFigures]:
    """The newest score of each dialog counts, in the week it was made."""
    found: dict[str, ScoreFigures] = {}
    for event in newest(events).values():
        operator = str(event.data.get("of") or "")
        if not operator or event.at is None:
            continue
        mine = found.setdefault(operator, ScoreFigures(operator))
        score = event.data.get("score")
        if event.kind == REVIEWED:
            mine.looked += 1
            if event.data.get("reason") == SAMPLE and isinstance(score, (int, float)):
                mine.said.append(float(score))
            continue
        if isinstance(score, (int, float)):
            mine.seen.append(float(score))
            mine.weeks[week_of(event.at, zone)].append(float(score))
        for name, value in _marks(event).items():
            mine.marks[name].append(WORTH[value])
    return found


def agreement(events: Iterable[Event]) -> dict[str, MarkAgreement]:
    """By criterion, over the dialogs that have both scores; supervisors scored what is not seen by itself,
    too.
    """
    last = newest(events)
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (kind, ticket), event in last.items():
        scored = last.get((SCORED, ticket))
        if kind != REVIEWED or scored is None:
            continue
        seen = _marks(scored)
        for name, value in _marks(event).items():
            place = 2 if name not in seen else 0 if seen[name] == value else 1
            counted[name][place] += 1
    return {name: MarkAgreement(name, *counts) for name, counts in counted.items()}


def newest(events: Iterable[Event]) -> dict[tuple[str, int], Event]:
    """The last score of each kind and ticket; mystery customers are left out."""
    real = (e for e in events if not e.data.get("played"))
    return {(e.kind, e.ticket): e for e in real if e.kind in KINDS and e.ticket is not None}


def sample(events: Iterable[Event], zone: tzinfo, each: int) -> tuple[int, ...]:
    """Tickets to look at: of each operator and week as many, chosen by a number that nobody picks. Who was
    looked at counts.
    """
    last = newest(events)
    looked = {
        ticket for (kind, ticket), e in last.items() if kind == REVIEWED and e.data.get("reason") == SAMPLE
    }
    known = {ticket for kind, ticket in last if kind == REVIEWED}
    groups: dict[tuple[str, date], list[int]] = defaultdict(list)
    for (kind, ticket), event in last.items():
        if kind == SCORED and event.at is not None and event.data.get("of"):
            groups[str(event.data["of"]), week_of(event.at, zone)].append(ticket)
    chosen: list[int] = []
    for tickets in groups.values():
        left = max(0, each - sum(t in looked for t in tickets))
        chosen += [t for t in sorted(tickets, key=_lot) if t not in known][:left]
    return tuple(sorted(chosen))


def week_of(at: datetime, zone: tzinfo) -> date:
    """The Monday of its week."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _marks(event: Event) -> dict[str, str]:
    marks = event.data.get("marks")
    return {str(k): str(v) for k, v in marks.items() if v in WORTH} if isinstance(marks, Mapping) else {}


def _lot(ticket: int) -> bytes:
    return sha256(f"sample {ticket}".encode()).digest()
