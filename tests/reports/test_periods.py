"""Periods are whole local days, and the one before is as long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.reports.periods import Period, between, last_days, week_before

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # the 22nd in Berlin, a Sunday


def test_days_are_local() -> None:
    """Half past midnight belongs to the new day."""
    period = last_days(7, NOW, BERLIN)
    assert (period.first, period.last) == (date(2026, 11, 16), date(2026, 11, 22))
    assert period.holds(NOW) and not period.holds(period.end) and not period.holds(None)


def test_a_week_is_a_whole_one() -> None:
    """On Sunday the week that counts ended the Sunday before."""
    assert (week_before(NOW, BERLIN).first, week_before(NOW, BERLIN).last) == (
        date(2026, 11, 9),
        date(2026, 11, 15),
    )


def test_the_day_of_25_hours_counts_once() -> None:
    """When clocks go back no moment is lost or counted twice."""
    period = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert period.end.astimezone(UTC) - period.start.astimezone(UTC) == timedelta(hours=25)
    assert period.previous().end == period.start


def test_what_makes_no_sense_is_refused() -> None:
    """The wrong way round, or longer than a year."""
    for first, last in ((date(2026, 2, 2), date(2026, 2, 1)), (date(2020, 1, 1), date(2026, 1, 1))):
        with pytest.raises(ValueError):
            between(first, last, NOW, BERLIN)
    assert between(None, None, NOW, BERLIN).length == 7
