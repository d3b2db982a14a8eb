"""Stretches of time that figures are counted for, in whole days of the business's own zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.text.problems import told


@dataclass(frozen=True)
class Period:
    """From the first moment of one day up to, but not including, the first moment of another."""

    first: date
    last: date  # the last day that counts
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def holds(self, moment: datetime | None) -> bool:
        return moment is not None and self._span[0] <= moment < self._span[1]

    @cached_property
    def _span(self) -> tuple[datetime, datetime]:
        """In UTC as the events are: comparing across zones costs twenty times more."""
        return self.start.astimezone(UTC), self.end.astimezone(UTC)

    def previous(self) -> Period:
        """As many days just before, to compare with."""
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1), self.zone)

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.length))


def last_days(count: int, now: datetime, zone: ZoneInfo) -> Period:
    """The last *count* days, today among them."""
    today = now.astimezone(zone).date()
    return Period(today - timedelta(days=count - 1), today, zone)


def week_before(now: datetime, zone: ZoneInfo) -> Period:
    """The last whole week, Monday to Sunday."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday() + 7)
    return Period(monday, monday + timedelta(days=6), zone)


def between(first: date | None, last: date | None, now: datetime, zone: ZoneInfo) -> Period:
    """Two given days; without the last up to today, without the first a week.

    Raises `ValueError` where they are the wrong way round.
    """
    last = last or now.astimezone(zone).date()
    first = first or last - timedelta(days=6)
    if first > last:
        raise ValueError(told("report.order"))
    if (last - first).days > 400:
        raise ValueError(told("report.long"))
    return Period(first, last, zone)
