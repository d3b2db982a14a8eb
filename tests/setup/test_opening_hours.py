"""Hours and a time zone are understood as owners say them, and refused with an example."""

from __future__ import annotations

import pytest

from bot.setup.opening_hours import country_of, read_week, read_zone, said_week
from bot.text.problems import reading

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("10:00-20:00", dict.fromkeys(WEEK, "10:00-20:00")),
        ("ежедневно 9:00–21:00", dict.fromkeys(WEEK, "09:00-21:00")),
        ("Round the clock", dict.fromkeys(WEEK, "00:00-24:00")),
        (
            "пн-пт: 10:00-19:00, сб 11:00-16:00",
            {**dict.fromkeys(WEEK[:5], "10:00-19:00"), "sat": "11:00-16:00"},
        ),
        ("mon 9:00-13:00, 14:00-18:00", {"mon": "09:00-13:00, 14:00-18:00"}),
        ("sat-mon 12:00-14:00", dict.fromkeys(("mon", "sat", "sun"), "12:00-14:00")),
    ],
)
def test_hours_are_understood(said: str, wanted: dict[str, str]) -> None:
    assert read_week(said) == wanted


@pytest.mark.parametrize(
    "said", ["", "10-20", "пт 10:00-9", "кк 10:00-20:00", "25:00-26:00", "пн-кк 9:00-10:00"]
)
def test_what_is_no_hours_is_told_with_an_example(said: str) -> None:
    with reading("en"), pytest.raises(ValueError, match=r"\w"):
        read_week(said)


@pytest.mark.parametrize(
    ("said", "zone", "country"),
    [
        ("Казань", "Europe/Moscow", "RU"),
        ("omsk", "Asia/Omsk", "RU"),
        ("New York", "America/New_York", "US"),
        ("Europe/London", "Europe/London", "GB"),
        ("UTC", "UTC", None),
    ],
)
def test_a_zone_is_found_by_its_name_or_a_city(said: str, zone: str, country: str | None) -> None:
    assert (read_zone(said), country_of(zone)) == (zone, country)


def test_a_zone_that_is_none_is_told_with_near_ones() -> None:
    with pytest.raises(ValueError, match="Europe/Moscow"):
        read_zone("Каазань")


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(
    "said",
    [
        "пн-пт 10:00-19:00, сб 11:00-16:00",
        "пн 9:00-13:00, 14:00-18:00, ср 10:00-20:00",
        "круглосуточно",
        "вс 21:00-02:00",
    ],
)
def test_hours_are_said_as_they_are_read(said: str, language: str) -> None:
    """What the set-up page shows can be sent back as it is."""
    week = read_week(said)
    assert read_week(said_week(week, language)) == week
