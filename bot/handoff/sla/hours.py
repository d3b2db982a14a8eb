"""When people answer: opening hours with breaks, nights, holidays and exceptions, and what may honestly be
promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import holidays

from bot.text.day_spans import DaySpan

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAR = 370  # days ahead that are looked through for the next opening
MIN_SAMPLES = 3  # fewer past waits say nothing
UNKNOWN_WAIT = timedelta(
    minutes=15
)  # nobody is told that they will be answered before a closing that is nearer than this
Week = Mapping[str, Sequence[DaySpan]]
Exceptions = Mapping[date, Sequence[DaySpan]]


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """What a waiting customer is told.

    `minutes` is the usual wait (None: not known). `at` is the next opening, where they must reckon with it:
    people are not there now, or (then `closes` is set) they will have gone before their turn comes.
    """

    place: int
    open: bool
    at: datetime | None = None
    minutes: int | None = None
    closes: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayRange:
    """Weekdays in a row (0 = Monday) with the same hours."""

    first: int
    last: int
    stretches: tuple[DaySpan, ...]


class Hours:
    """Opening hours in the business's own time zone; all moments that it gives are in UTC, where nights of
    the clock change are as long as they are.

    *week* maps weekday to its stretches, *exceptions* single days (none = closed); a stretch over midnight
    belongs to the day
    it begins on. Holidays of *country* are days off unless an exception names the day; working Saturdays that
    make up for
    them are worked like the weekday list says for a Friday.
    """

    def __init__(
        self,
        timezone: str = "Europe/Moscow",
        week: Week | None = None,
        *,
        country: str | None = None,
        exceptions: Exceptions | None = None,
    ) -> None:
        self.zone = ZoneInfo(timezone)
        self._week = dict(week) if week is not None else dict.fromkeys(WEEKDAYS, (DaySpan(10 * 60, 20 * 60),))
        self._exceptions = dict(exceptions or {})
        self._holidays = holidays.country_holidays(country) if country else None
        self._known: dict[date, tuple[tuple[datetime, datetime], ...]] = {}  # days that were asked about

    def day(self, day: date) -> tuple[DaySpan, ...]:
        """The stretches that begin on a day, the earliest first; none = closed."""
        if day in self._exceptions:
            return tuple(self._exceptions[day])
        weekday = WEEKDAYS[day.weekday()]
        if self._holidays is not None:
            day in self._holidays  # noqa: B015 - fills the library's data of that year
            if day in getattr(self._holidays, "weekend_workdays", ()):
                return tuple(self._week.get(weekday) or self._week.get("fri") or ())
            if day in self._holidays:
                return ()
        return tuple(self._week.get(weekday) or ())

    def is_holiday(self, day: date) -> bool:
        """Whether it is a holiday of the country, whatever the business's own hours are then."""
        return self._holidays is not None and day in self._holidays

    def knows_year(self, year: int) -> bool:
        """Whether the holidays of *year* are known."""
        return self._holidays is None or bool(holidays.country_holidays(self._holidays.country, years=year))

    def is_open(self, at: datetime) -> bool:
        return self.closing(at) is not None

    def runs(self) -> tuple[DayRange, ...]:
        """The usual week, days with the same hours together; days off are left out."""
        found: list[DayRange] = []
        for day, name in enumerate(WEEKDAYS):
            if not (stretches := tuple(self._week.get(name) or ())):
                continue
            last = found[-1] if found else None
            if last is not None and last.last == day - 1 and last.stretches == stretches:
                found[-1] = DayRange(last.first, day, stretches)
            else:
                found.append(DayRange(day, day, stretches))
        return tuple(found)

    def next_open(self, at: datetime) -> datetime | None:
        """The moment itself when open, else the next opening; None when there is none within a year."""
        return next(
            (max(opens, at.astimezone(UTC)) for opens, closes in self._stretches(at) if closes > at), None
        )

    def closing(self, at: datetime) -> datetime | None:
        """When the stretch that holds *at* ends (midnight counts, though the next may begin there); None when
        closed.
        """
        found = next(((opens, closes) for opens, closes in self._stretches(at, days=1) if closes > at), None)
        return found[1] if found is not None and found[0] <= at else None

    def working(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time between two moments people were there."""
        total, start, end = timedelta(), start.astimezone(UTC), end.astimezone(UTC)
        for opens, closes in self._stretches(start, days=(end - start).days + 1):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, start))
        return total

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """The moment when *amount* of working time has passed since *start* (for deadlines)."""
        left, start = amount, start.astimezone(UTC)
        last = start
        for opens, closes in self._stretches(start):
            begin = max(opens, start)
            if closes <= begin:
                continue
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
            last = closes
        return last + left

    def estimate(
        self, now: datetime, *, ahead: int, recent: Sequence[tuple[datetime, datetime]]
    ) -> WaitEstimate:
        """What to tell a customer with *ahead* others before them. *recent*: when others asked and were
        answered, the newest first.

        The minutes are the median of these waits in working time, rounded up to five; they are only said
        where they pass before closing.
        """
        if not self.is_open(now):
            return WaitEstimate(ahead + 1, open=False, at=self.next_open(now))
        minutes = self._usual(recent)
        expected = UNKNOWN_WAIT if minutes is None else timedelta(minutes=minutes)
        if self.add_working(now, expected) - now <= expected:
            return WaitEstimate(ahead + 1, open=True, minutes=minutes)
        closes = self.leaving(now)
        return WaitEstimate(ahead + 1, open=True, at=closes and self.next_open(closes), closes=closes)

    def _usual(self, recent: Sequence[tuple[datetime, datetime]]) -> int | None:
        if len(recent) < MIN_SAMPLES:
            return None
        minutes = median(self.working(asked, answered).total_seconds() for asked, answered in recent) / 60
        return max(1, round(minutes)) if minutes <= 3 else 5 * -(-int(minutes + 0.99) // 5)

    def leaving(self, now: datetime) -> datetime | None:
        """When people really go: the end of the stretches from *now* on that follow one another without a
        break.
        """
        end: datetime | None = None
        for opens, closes in self._stretches(now):
            if closes > now:
                if end is not None and opens > end:
                    break
                end = closes
        return end

    def _stretches(self, start: datetime, *, days: int = FAR) -> Iterator[tuple[datetime, datetime]]:
        """From the one that may reach over the last midnight on, in order; what overlaps is only given
        once.
        """
        first, reached = start.astimezone(self.zone).date(), datetime.min.replace(tzinfo=UTC)
        for offset in range(-1, days + 1):
            for opens, closes in self._of(first + timedelta(days=offset)):
                if closes > reached:
                    yield max(opens, reached), closes
                    reached = closes

    def _of(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if day not in self._known:
            moments = (span.on(day, self.zone) for span in self.day(day))
            self._known[day] = tuple(
                (opens.astimezone(UTC), closes.astimezone(UTC)) for opens, closes in moments
            )
        return self._known[day]
