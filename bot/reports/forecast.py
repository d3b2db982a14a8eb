"""What the coming week will bring, hour by hour, and how far such a forecast was off so far.

The forecast of an hour is simple exponential smoothing (Brown, 1956) over the same hour of the same weekday
in the weeks before; its error is measured on the last two weeks, each forecast from what was known a week
earlier, beside the naive forecast "as last week". A holiday is like the Sundays and holidays before it, and
teaches nothing about the weekday it fell on. Operators needed are Erlang C (Erlang, 1917) for the business's
own service level and handling time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import exp
from statistics import fmean
from zoneinfo import ZoneInfo

from bot.model import Event
from bot.reports.ledger import without_played
from bot.reports.report import SLICE, Calendar, ReportSource

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SUNDAY = 7
WEEKS = 8  # that are looked back at
ALPHA = 0.3  # how much the newest week weighs
CHECKED = 2  # weeks on which the error is measured
CAP = 600.0  # seconds: a longer silence before an answer is no work on it
TICKETS, ASSUMED = 20, 360.0  # fewer closed tickets tell no handling time: then these seconds are taken
MOST = 500  # operators
KINDS = (
    "mystery_begun",
    "heard",
    "ticket_opened",
    "ticket_taken",
    "first_reply",
    "operator_wrote",
    "customer_wrote",
    "ticket_closed",
)
Hours = Mapping[datetime, float]  # by the beginning of the hour, UTC


@dataclass(frozen=True, slots=True)
class ForecastError:
    """How far off the forecast was on the hours of past weeks: the mean miss of an hour, and all misses as a
    share of all that came; `naive` the same of "as last week". None where there was too little to measure.
    """

    hours: int = 0
    mean: float | None = None
    share: float | None = None
    naive: float | None = None
    naive_share: float | None = None
    by_hour: Mapping[int, float] | None = None  # the mean miss by the hour of the day


@dataclass(frozen=True, slots=True)
class ForecastHour:
    """An hour to come: conversations and tickets expected; `waiting` are those that came while the business
    was closed; `operators` is None where it is closed.
    """

    start: datetime
    visits: float
    tickets: float
    waiting: float = 0.0
    operators: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The coming week; without `hours` where there is not enough history."""

    made: datetime
    zone: ZoneInfo
    weeks: int  # whole weeks that were lived
    hours: tuple[ForecastHour, ...] = ()
    visits: ForecastError = ForecastError()
    tickets: ForecastError = ForecastError()
    handling: float = ASSUMED
    handled: int = 0  # closed tickets that the handling time is of, 0 where it is assumed
    holidays: frozenset[date] = frozenset()  # among the days to come

    def days(self) -> Mapping[date, Mapping[int, Sequence[ForecastHour]]]:
        """The hours by local day and hour; one is missing, or there twice, where the clocks are changed."""
        found: dict[date, dict[int, list[ForecastHour]]] = defaultdict(lambda: defaultdict(list))
        for hour in self.hours:
            local = hour.start.astimezone(self.zone)
            found[local.date()][local.hour].append(hour)
        return found


@dataclass(frozen=True, slots=True)
class ServiceGoal:
    """So large a share of tickets is to be answered within so many seconds; an operator works on so many at
    once.
    """

    share: float
    within: float
    at_once: int = 1


async def read_forecast(
    source: ReportSource, calendar: Calendar, now: datetime, goal: ServiceGoal
) -> Forecast:
    """Read the weeks behind *now* in small slices and forecast the one before it."""
    events, at = list[Event](), now - WEEKS * WEEK - CHECKED * WEEK
    while at < now:
        events += await source.events(since=at, until=min(at + SLICE, now), kinds=KINDS)
        at += SLICE
    return forecast(without_played(events), calendar, now, goal)


def forecast(events: Sequence[Event], calendar: Calendar, now: datetime, goal: ServiceGoal) -> Forecast:
    """The week from the coming full hour on."""
    zone, start = calendar.zone, _hour(now) + HOUR
    first = min((e.at for e in events if e.at is not None and e.kind == "heard"), default=now)
    weeks = int((now - first) / WEEK)
    handling, handled = handling_time(events)
    if weeks < 2:
        return Forecast(now, zone, weeks, handling=handling, handled=handled)
    visits, tickets = _visits(events), _tickets(events)
    since = _hour(first) + HOUR  # the first hour was lived in part
    hours, waiting = list[ForecastHour](), 0.0
    for n in range(int(WEEK / HOUR)):
        at = start + n * HOUR
        come = expected(tickets, at, since, calendar)
        made = ForecastHour(at, expected(visits, at, since, calendar), come)
        if calendar.working(at, at + HOUR) > timedelta():
            need = operators_needed(come + waiting, handling / goal.at_once, goal)
            hours.append(ForecastHour(at, made.visits, come, waiting, need))
            waiting = 0.0
        else:
            hours.append(made)
            waiting += come
    return Forecast(
        now,
        zone,
        weeks,
        tuple(hours),
        measured(visits, now, since, calendar),
        measured(tickets, now, since, calendar),
        handling,
        handled,
        frozenset(d for n in range(8) if calendar.is_holiday(d := start.astimezone(zone).date() + n * DAY)),
    )


def expected(counts: Hours, at: datetime, since: datetime, calendar: Calendar) -> float:
    """The forecast of the hour that begins at *at*, from the same local hour of the weeks before it."""
    return smoothed(_past(counts, at, since, calendar))


def smoothed(values: Sequence[float]) -> float:
    """Simple exponential smoothing, oldest first; nothing known makes 0.

    >>> smoothed([10, 10, 20])
    13.0
    """
    level = values[0] if values else 0.0
    for value in values[1:]:
        level += ALPHA * (value - level)
    return level


def measured(counts: Hours, now: datetime, since: datetime, calendar: Calendar) -> ForecastError:
    """The error on the last weeks, hour by hour, each from what was known a week before."""
    misses, naive, total = list[float](), list[float](), 0.0
    by_hour: dict[int, list[float]] = defaultdict(list)
    at, end = _hour(now) - CHECKED * WEEK, _hour(now)
    while at < end:
        past = _past(counts, at, since, calendar)
        if len(past) >= 2:
            came = counts.get(at, 0.0)
            misses.append(abs(came - smoothed(past)))
            naive.append(abs(came - past[-1]))
            by_hour[at.astimezone(calendar.zone).hour].append(misses[-1])
            total += came
        at += HOUR
    if len(misses) < WEEK / HOUR or not total:
        return ForecastError(len(misses))
    return ForecastError(
        len(misses),
        fmean(misses),
        sum(misses) / total,
        fmean(naive),
        sum(naive) / total,
        {hour: fmean(values) for hour, values in by_hour.items()},
    )


def operators_needed(tickets: float, handling: float, goal: ServiceGoal) -> int:
    """The fewest operators with whom the goal is kept, by Erlang C, for so many tickets in the hour.

    >>> operators_needed(100, 180, ServiceGoal(0.8, 20))
    8
    """
    load = tickets * handling / 3600
    if load <= 0:
        return 0
    blocked, number = 1.0, 0
    while number < MOST:
        number += 1
        blocked = load * blocked / (number + load * blocked)  # Erlang B, by its recursion
        if number <= load:
            continue
        waits = blocked / (1 - load / number * (1 - blocked))
        if 1 - waits * exp(-(number - load) * goal.within / handling) >= goal.share:
            break
    return number


def handling_time(events: Iterable[Event]) -> tuple[float, int]:
    """Mean seconds of an operator's work on a ticket, and of how many closed tickets: what passed before each
    of their answers since the last thing that happened in the ticket, ten minutes at most.
    """
    last, worked = dict[int, datetime](), Counter[int]()
    closed = set[int]()
    for event in events:
        if event.ticket is None or event.at is None or event.kind == "heard":
            continue
        number = event.ticket
        if event.kind in ("operator_wrote", "first_reply", "ticket_closed") and number in last:
            by_operator = event.kind != "ticket_closed" or event.actor not in ("", "customer", "bot")
            worked[number] += round(min(CAP, (event.at - last[number]).total_seconds()) * by_operator)
        if event.kind == "ticket_closed":
            closed.add(number)
        if event.kind != "ticket_opened":
            last[number] = event.at
    seconds = [worked[n] for n in closed if worked[n]]
    return (fmean(seconds), len(seconds)) if len(seconds) >= TICKETS else (ASSUMED, 0)


def _past(counts: Hours, at: datetime, since: datetime, calendar: Calendar) -> list[float]:
    """What the same hour by the clock on the wall had on such days before, oldest first."""
    zone = calendar.zone
    local, found = at.astimezone(zone).replace(tzinfo=None), list[float]()
    for days in _days_back(local.date(), calendar):
        then = (local - days * DAY).replace(tzinfo=zone).astimezone(UTC)
        if then >= since:
            found.append(counts.get(then, 0.0))
    return found


def _days_back(day: date, calendar: Calendar) -> Sequence[int]:
    """How many days ago such days were: the same weekday without holidays; of a holiday, the holidays and
    Sundays.
    """
    if not calendar.is_holiday(day):
        weeks = (7 * week for week in range(WEEKS, 0, -1))
        return [days for days in weeks if not calendar.is_holiday(day - days * DAY)]
    back = ((days, day - days * DAY) for days in range(7 * WEEKS, 0, -1))
    return [n for n, then in back if then.isoweekday() == SUNDAY or calendar.is_holiday(then)][-WEEKS:]


def _visits(events: Iterable[Event]) -> Hours:
    """Conversations in which a customer wrote, by hour."""
    seen = {(_hour(e.at), e.conversation) for e in events if e.kind == "heard" and e.at is not None}
    return {hour: float(n) for hour, n in Counter(hour for hour, _ in seen).items()}


def _tickets(events: Iterable[Event]) -> Hours:
    opened = Counter(_hour(e.at) for e in events if e.kind == "ticket_opened" and e.at is not None)
    return {hour: float(n) for hour, n in opened.items()}


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
