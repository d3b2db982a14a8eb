"""Opening hours: over midnight, with a break, round the clock, and in the nights of the clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app import open_hours
from bot.config.loader import Config
from bot.handoff.sla.hours import WEEKDAYS, Hours
from bot.text.day_spans import spans, written

ALWAYS = dict.fromkeys(WEEKDAYS, "00:00-24:00")
BAR = dict.fromkeys(WEEKDAYS, "21:00-02:00")
LUNCH = {key: ["10:00-13:00", "14:00-20:00"] for key in WEEKDAYS}


def hours(week: object, zone: str = "Europe/Moscow", **more: object) -> Hours:
    return open_hours(
        Config.model_validate({"hours": {"week": week, "timezone": zone, "country": None, **more}})
    )


def at(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_hours_over_midnight() -> None:
    """Open till two in the morning: one stretch, which belongs to the evening it begins on."""
    bar = hours(BAR)

    assert [
        bar.is_open(at(f"2026-11-20 {t}")) for t in ("01:59:59", "02:00", "20:59", "21:00", "23:59:59")
    ] == [True, False, False, True, True]
    assert bar.working(at("2026-11-20 20:00"), at("2026-11-21 03:00")) == timedelta(hours=5)
    assert bar.add_working(at("2026-11-20 23:30"), timedelta(hours=3)) == at("2026-11-21 21:30")
    assert bar.next_open(at("2026-11-21 02:00")) == at("2026-11-21 21:00")


def test_a_night_that_runs_into_a_day_off() -> None:
    """New Year's Eve is worked till two though the first of January is closed; nothing begins on it."""
    bar = hours(BAR, exceptions={date(2027, 1, 1): "closed"})

    assert bar.is_open(at("2027-01-01 01:30")) and not bar.is_open(at("2027-01-01 21:30"))
    assert bar.next_open(at("2027-01-01 02:00")) == at("2027-01-02 21:00")


def test_a_lunch_break() -> None:
    """Nobody is there at half past one, and the deadline waits for two o'clock."""
    shop = hours(LUNCH)

    assert [shop.is_open(at(f"2026-11-20 {t}")) for t in ("12:59", "13:00", "13:59", "14:00")] == [
        True,
        False,
        False,
        True,
    ]
    assert shop.next_open(at("2026-11-20 13:30")) == at("2026-11-20 14:00")
    assert shop.working(at("2026-11-20 09:00"), at("2026-11-20 21:00")) == timedelta(hours=9)
    assert shop.add_working(at("2026-11-20 12:45"), timedelta(minutes=30)) == at("2026-11-20 14:15")


def test_round_the_clock_leaves_nothing_out() -> None:
    """Not even the last microsecond before midnight."""
    always = hours(ALWAYS)

    assert always.is_open(at("2026-11-20 23:59:59.999999")) and always.next_open(
        at("2026-11-20 23:59:59.999999")
    ) == at("2026-11-20 23:59:59.999999")
    assert always.working(at("2026-11-20 00:00"), at("2026-11-27 00:00")) == timedelta(days=7)
    assert always.add_working(at("2026-11-20 12:00"), timedelta(days=5)) == at("2026-11-25 12:00")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Moscow", "Asia/Vladivostok"])
@pytest.mark.parametrize("night", ["2027-03-28", "2026-10-25"])
def test_deadlines_over_the_nights_of_the_clock_change(zone: str, night: str) -> None:
    """At a desk that never closes an hour is an hour, also where the clock jumps."""
    always, eve = hours(ALWAYS, zone), at(f"{night} 00:30", zone).astimezone(UTC)

    for length in (timedelta(minutes=45), timedelta(hours=2), timedelta(hours=5), timedelta(days=2)):
        assert always.add_working(eve, length).astimezone(UTC) - eve == length
        assert always.working(eve, eve + length) == length


@pytest.mark.parametrize(("night", "length"), [("2027-03-28", 4), ("2026-10-25", 6)])
def test_a_night_shift_is_as_long_as_it_is(night: str, length: int) -> None:
    """From 21:00 to 02:00 is five hours; from 22:00 to 03:00 over the change it is four, or six."""
    before = (date.fromisoformat(night) - timedelta(days=1)).isoformat()
    shift = hours({WEEKDAYS[5]: "22:00-03:00"}, "Europe/Berlin")

    assert shift.working(
        at(f"{before} 12:00", "Europe/Berlin"), at(f"{night} 12:00", "Europe/Berlin")
    ) == timedelta(hours=length)


_minute = st.integers(0, 24 * 60 - 1)
_day = st.one_of(
    st.just("closed"),
    st.builds(lambda a, b: f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}", _minute, _minute).filter(
        lambda s: s[:2] != s[6:8]
    ),
)


@given(
    st.fixed_dictionaries(dict.fromkeys(WEEKDAYS, _day)).filter(lambda w: set(w.values()) != {"closed"}),
    st.sampled_from(["Europe/Berlin", "Europe/Moscow", "America/St_Johns"]),
    st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30)),  # noqa: DTZ001 - what Hypothesis wants
    st.integers(0, 180),
)
def test_working_time_adds_up(week: dict[str, str], zone: str, moment: datetime, minutes: int) -> None:
    """The moment after so much working time has exactly so much of it before it, and people are there just
    before.
    """
    desk, start, amount = hours(week, zone), moment.replace(tzinfo=UTC), timedelta(minutes=minutes)
    end = desk.add_working(start, amount)

    assert desk.working(start, end) == amount
    assert amount == timedelta() or desk.is_open(end - timedelta(microseconds=1))
    opens = desk.next_open(start)
    assert opens is not None and desk.is_open(opens) and desk.working(start, opens) == timedelta()


@given(st.lists(_day, min_size=1, max_size=3))
def test_a_day_is_written_as_it_is_read(texts: list[str]) -> None:
    """What is accepted means the same when it is written out and read again; what is not says why."""
    try:
        read = spans([t for t in texts if t != "closed"])
    except ValueError as error:
        assert str(error)
        return
    assert spans(written(read)) == read


def test_the_wait_told_before_a_closing() -> None:
    """Half a minute before the holidays nobody promises twenty minutes: the real day is told."""
    off = {date(2027, 1, d): "closed" for d in range(1, 11)}
    shop = hours(dict.fromkeys(WEEKDAYS, "10:00-20:00"), exceptions={date(2026, 12, 31): "closed", **off})
    waited = [(at("2026-12-29 12:00"), at("2026-12-29 12:20"))] * 3

    late = shop.estimate(at("2026-12-30 19:59:30"), ahead=0, recent=waited)
    assert (late.open, late.minutes, late.closes, late.at) == (
        True,
        None,
        at("2026-12-30 20:00"),
        at("2027-01-11 10:00"),
    )
    early = shop.estimate(at("2026-12-30 19:30"), ahead=0, recent=waited)
    assert (early.minutes, early.closes) == (20, None)


def test_waits_are_working_time() -> None:
    """Who wrote in the evening and was answered in the morning waited twenty minutes, not twelve hours."""
    shop = hours(dict.fromkeys(WEEKDAYS, "10:00-20:00"))
    nights = [(at("2026-11-19 21:55"), at("2026-11-20 10:20"))] * 5

    assert shop.estimate(at("2026-11-20 12:00"), ahead=0, recent=nights).minutes == 20
