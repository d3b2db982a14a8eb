"""The forecast of the coming week: better than "as last week" on what it can know, honest where it cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.handoff.sla.hours import Hours
from bot.model import Event
from bot.reports.forecast import ServiceGoal, forecast, handling_time, operators_needed
from tests.reports.forecasts import BERLIN, GOAL, NOW, lived


def _hours() -> Hours:
    return Hours("Europe/Berlin")


def test_it_misses_less_than_as_last_week() -> None:
    """Measured on two past weeks, each hour from what was known a week before; a whole week lies ahead."""
    made = forecast(lived(9), _hours(), NOW, GOAL)

    assert len(made.hours) == 168 and made.visits.hours == 2 * 168
    for told in (made.visits, made.tickets):
        assert told.mean is not None and told.naive is not None and told.mean < 0.9 * told.naive
    busy = max(made.hours, key=lambda h: h.tickets)
    assert 10 <= busy.start.astimezone(BERLIN).hour <= 18 and (busy.operators or 0) >= 2


def test_an_hour_stays_its_hour_when_the_clocks_are_changed() -> None:
    """On 25 October one hour is there twice; ten o'clock is forecast from ten o'clock before and after."""
    events = [
        Event(
            "heard", (datetime(2026, 9, 1, 10, 5, tzinfo=BERLIN) + timedelta(days=d)).astimezone(UTC), 7 + d
        )
        for d in range(50)
    ]
    made = forecast(events, _hours(), NOW, GOAL)
    change = made.days()[date(2026, 10, 25)]

    assert len(change[2]) == 2 and all(len(change[h]) == 1 for h in range(24) if h != 2)
    expected = {h.start.astimezone(BERLIN).hour for h in made.hours if h.visits > 0.5}
    assert expected == {10}


def _daily(weekday: int, off: int) -> list[Event]:
    """Ten weeks at ten o'clock: so many conversations on weekdays and on Saturdays, *off* on Sundays and on
    4 November.
    """
    begun, events = datetime(2026, 9, 1, 10, 5, tzinfo=BERLIN), list[Event]()
    for n in range(70):
        at = begun + timedelta(days=n)
        many = off if at.isoweekday() == 7 or at.date() == date(2026, 11, 4) else weekday
        events += [Event("heard", at.astimezone(UTC), 1000 * n + k) for k in range(many)]
    return events


@pytest.mark.parametrize(
    ("now", "day", "expected"),
    [
        (datetime(2026, 11, 2, 8, tzinfo=UTC), date(2026, 11, 4), 1),  # a holiday is like the Sundays
        (datetime(2026, 11, 2, 8, tzinfo=UTC), date(2026, 11, 5), 10),
        (datetime(2026, 11, 9, 8, tzinfo=UTC), date(2026, 11, 11), 10),  # and teaches Wednesdays nothing
    ],
)
def test_holidays_are_known(now: datetime, day: date, expected: int) -> None:
    hours = Hours("Europe/Berlin", country="RU")
    events = [e for e in _daily(10, 1) if e.at is not None and e.at < now]
    made = forecast(events, hours, now, GOAL)
    (hour,) = made.days()[day][10]
    assert hour.visits == pytest.approx(expected)
    assert (date(2026, 11, 4) in made.holidays) is (now < datetime(2026, 11, 4, tzinfo=UTC))


def test_a_young_service_is_told_so_and_a_little_older_one_has_no_error_yet() -> None:
    assert forecast(lived(1), _hours(), NOW, GOAL).hours == ()
    made = forecast(lived(2), _hours(), NOW, GOAL)
    assert made.hours and made.visits.mean is None


def test_what_comes_at_night_waits_for_the_morning() -> None:
    """Closed hours need nobody; the first open one has their tickets, too."""
    made = forecast(lived(4), _hours(), NOW, GOAL)
    night = [h for h in made.hours if h.start.astimezone(BERLIN).hour < 10]
    morning = [h for h in made.hours if h.start.astimezone(BERLIN).hour == 10]

    assert all(h.operators is None for h in night) and all(h.waiting > 0 for h in morning)


@pytest.mark.parametrize(
    ("tickets", "handling", "share", "within", "needed"),
    [(100, 180, 0.8, 20, 8), (0, 180, 0.8, 20, 0), (100, 180, 0.9, 10, 9), (360, 240, 0.8, 20, 29)],
)
def test_operators_by_erlang_c(
    tickets: float, handling: float, share: float, within: float, needed: int
) -> None:
    """Beside published tables: 100 calls of 3 minutes, 80 % within 20 s take 8 agents."""
    assert operators_needed(tickets, handling, ServiceGoal(share, within)) == needed


def test_handling_is_the_time_before_each_answer() -> None:
    """Ten minutes at most for one of them; with few closed tickets a time is assumed."""
    start, events = NOW - timedelta(days=1), list[Event]()
    steps = (("ticket_opened", 0), ("ticket_taken", 5), ("operator_wrote", 7), ("customer_wrote", 9))
    for n in range(25):
        for kind, minutes in (*steps, ("operator_wrote", 60), ("ticket_closed", 61)):
            events.append(Event(kind, start + timedelta(minutes=minutes), ticket=n, actor="telegram:1"))

    assert handling_time(events) == ((2 + 10 + 1) * 60.0, 25)
    assert handling_time(events[:30])[1] == 0
