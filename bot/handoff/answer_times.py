"""When a waiting customer may ask to be answered: stretches of the opening hours, soon and in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.handoff.sla.hours import Hours

EVENING, NOON = time(17, 0), time(13, 0)
AHEAD = timedelta(minutes=30)  # what begins sooner is no other time than now
SHORTEST = timedelta(minutes=30)
DAYS, OFFERED = 21, 3  # days that are looked through: the longest holidays, and times offered


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """From when to when, in UTC."""

    start: datetime
    end: datetime

    @property
    def value(self) -> str:
        """As a button carries it."""
        return f"{self.start.isoformat()}|{self.end.isoformat()}"

    @classmethod
    def read(cls, value: str) -> AnswerTime | None:
        start, _, end = value.partition("|")
        try:
            return cls(datetime.fromisoformat(start), datetime.fromisoformat(end))
        except ValueError:
            return None


def offered(hours: Hours, now: datetime) -> tuple[AnswerTime, ...]:
    """This evening, and the morning and the evening of the next day that people are there."""
    found: list[AnswerTime] = []
    days = 0
    for offset in range(DAYS):
        today = list(_of_day(hours, now, offset))
        found += today
        days += bool(today) and offset > 0
        if days:
            break
    return tuple(found[:OFFERED])


def _of_day(hours: Hours, now: datetime, offset: int) -> Iterator[AnswerTime]:
    local = now.astimezone(hours.zone) + timedelta(days=offset)
    midnight = datetime.combine(local.date(), time(0), hours.zone)
    evening = datetime.combine(local.date(), EVENING, hours.zone)
    noon = datetime.combine(local.date(), NOON, hours.zone)
    parts = [(evening, midnight + timedelta(days=1))]
    if offset:
        parts.insert(0, (midnight, noon))
    for first, last in parts:
        start = hours.next_open(max(first, now + AHEAD))
        if start is None or start >= last:
            continue
        end = hours.closing(start)
        end = min(end, last.astimezone(start.tzinfo)) if end is not None else start
        if end - start >= SHORTEST:
            yield AnswerTime(start, end)
