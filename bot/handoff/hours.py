"""When people answer: opening hours with holidays and exceptions, and what may honestly be promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import holidays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAR = 370  # days ahead that are looked through for the next opening
MIN_SAMPLES = 3  # fewer past waits say nothing


@dataclass(frozen=True, slots=True)
class Promise:
    """What a waiting customer is told. `at` is when people are next there (None: now), `minutes` the usual wait (None: not known)."""

    place: int
    open: bool
    at: datetime | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Weekdays in a row (0 = Monday) with the same hours."""

    first: int
    last: int
    opens: time
    closes: time


class Hours:
    """Opening hours in the business's own time zone.

    *week* maps weekday to (opens, closes); *exceptions* single days, None = closed. Holidays of *country* are days off
    unless an exception names the day; working Saturdays that make up for them are worked like the weekday list says for a Friday.
    """

    def __init__(
        self,
        timezone: str = "Europe/Moscow",
        week: Mapping[str, tuple[time, time]] | None = None,
        *,
        country: str | None = None,
        exceptions: Mapping[date, tuple[time, time] | None] | None = None,
    ) -> None:
        self.zone = ZoneInfo(timezone)
        self._week = dict(week) if week is not None else dict.fromkeys(WEEKDAYS, (time(10), time(20)))
        self._exceptions = dict(exceptions or {})
        self._holidays = holidays.country_holidays(country) if country else None
        self._known: dict[date, tuple[datetime, datetime] | None] = {}  # opening and closing of days that were asked about
        self._in_utc: dict[date, tuple[datetime, datetime] | None] = {}  # the same where only differences matter: far quicker to compare

    def day(self, day: date) -> tuple[time, time] | None:
        """Opening and closing time of a day; None = closed."""
        if day in self._exceptions:
            return self._exceptions[day]
        weekday = WEEKDAYS[day.weekday()]
        if self._holidays is not None:
            day in self._holidays  # noqa: B015 - fills the library's data of that year
            if day in getattr(self._holidays, "weekend_workdays", ()):
                return self._week.get(weekday) or self._week.get("fri")
            if day in self._holidays:
                return None
        return self._week.get(weekday)

    def knows_year(self, year: int) -> bool:
        """Whether the holidays of *year* are known."""
        return self._holidays is None or bool(holidays.country_holidays(self._holidays.country, years=year))

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        hours = self.day(local.date())
        return hours is not None and hours[0] <= local.time() < hours[1]

    def closes(self, at: datetime) -> datetime | None:
        """When the day of *at* ends; None on a day off."""
        span = self._span(at.astimezone(self.zone).date())
        return span[1] if span else None

    def runs(self) -> tuple[Run, ...]:
        """The usual week, days with the same hours together; days off are left out."""
        found: list[Run] = []
        for day, name in enumerate(WEEKDAYS):
            if (hours := self._week.get(name)) is None:
                continue
            last = found[-1] if found else None
            if last is not None and last.last == day - 1 and (last.opens, last.closes) == hours:
                found[-1] = Run(last.first, day, *hours)
            else:
                found.append(Run(day, day, *hours))
        return tuple(found)

    def next_open(self, at: datetime) -> datetime | None:
        """The moment itself when open, else the next opening; None when there is none within a year."""
        if self.is_open(at):
            return at
        return next((max(opens, at) for opens, closes in self._spans(at) if closes > at), None)

    def working(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time between two moments people were there."""
        total, start, end = timedelta(), start.astimezone(UTC), end.astimezone(UTC)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            if day not in self._in_utc:
                span = self._span(day)
                self._in_utc[day] = span and (span[0].astimezone(UTC), span[1].astimezone(UTC))
            if (hours := self._in_utc[day]) is not None:
                total += max(timedelta(), min(hours[1], end) - max(hours[0], start))
            day += timedelta(days=1)
        return total

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """The moment when *amount* of working time has passed since *start* (for deadlines)."""
        left, last = amount, start
        for opens, closes in self._spans(start):
            begin = max(opens, start)
            if closes <= begin:
                continue
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
            last = closes
        return last + left

    def promise(self, now: datetime, *, ahead: int, recent_waits: Sequence[float]) -> Promise:
        """What to tell a customer with *ahead* others before him. *recent_waits*: seconds, the newest first.

        The minutes are the median of the recent waits, rounded up to five, and never said outside hours.
        """
        if not self.is_open(now):
            return Promise(ahead + 1, open=False, at=self.next_open(now))
        if len(recent_waits) < MIN_SAMPLES:
            return Promise(ahead + 1, open=True)
        minutes = median(recent_waits) / 60
        return Promise(ahead + 1, open=True, minutes=max(1, round(minutes)) if minutes <= 3 else 5 * -(-int(minutes + 0.99) // 5))

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = start.astimezone(self.zone).date()
        for offset in range(FAR):
            if (span := self._span(first + timedelta(days=offset))) is not None:
                yield span

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        """Opening and closing of a day as moments."""
        if day not in self._known:
            hours = self.day(day)
            self._known[day] = hours and (datetime.combine(day, hours[0], self.zone), datetime.combine(day, hours[1], self.zone))
        return self._known[day]
