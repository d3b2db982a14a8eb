"""The alarm of rising topics, measured on one simulated month: `make alarms` measures more of them."""

from __future__ import annotations

from tests.reports.alarms import measure


def test_a_quiet_month_is_quiet_and_a_rise_is_told_within_the_hour() -> None:
    """A thousand customers a day, twenty topics; a topic is asked about five times as often."""
    seen = measure(1000, 5.0, seed=1, rises=12)

    assert seen.false_per_week <= 1
    assert seen.found >= 9 and seen.delay is not None and seen.delay <= 60
