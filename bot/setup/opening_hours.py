"""Opening hours and a time zone as an owner says them: «пн-пт 10:00-19:00, сб 11:00-16:00», «Казань»."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from babel.core import get_global
from holidays import list_supported_countries

from bot.handoff.sla.hours import WEEKDAYS
from bot.text.day_spans import CLOSED, DaySpan, spans, written
from bot.text.nearest import nearest
from bot.text.problems import told
from bot.text.yaml_source import read_own

STARTER = Path(__file__).with_name("starter")
LANGUAGES = ("ru", "en")
ALL_DAY = "00:00-24:00"
_PART = re.compile(r"(?P<days>[^\d,;]*?)\s*(?P<span>\d{1,2}:\d{2}\s*[-–—]\s*\d{1,2}:\d{2})\s*(?:[,;]|$)\s*")
_DAYS = re.compile(r"(?P<first>[^\W\d_]+)(?:\s*[-–—]\s*(?P<last>[^\W\d_]+))?")


@cache
def starter_words(language: str) -> Mapping[str, Any]:
    """The words that owners of a language use for days and places."""
    words: Mapping[str, Any] = read_own(STARTER / language / "words.yaml")
    return words


def read_week(text: str) -> dict[str, str]:
    """The hours by weekday; days that are not named are days off, unless none is named at all.

    Raises `ValueError` that says what is wrong.
    """
    if text.strip().casefold() in {starter_words(lang)["round_the_clock"] for lang in LANGUAGES}:
        return dict.fromkeys(WEEKDAYS, ALL_DAY)
    week: dict[str, list[DaySpan]] = {}
    days: tuple[str, ...] = WEEKDAYS
    for named, span in _parts(text):
        days = tuple(_days(named)) if named else days
        for day in days:
            week.setdefault(day, []).extend(spans(span))
    return {day: written(spans([str(s) for s in week[day]])) for day in WEEKDAYS if day in week}


def _parts(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        if (found := _PART.match(text, at)) is None:
            raise ValueError(told("setup.not_hours", text=text.strip()))
        yield found["days"].strip(" :"), found["span"]
        at = found.end()
    if not text.strip():
        raise ValueError(told("setup.not_hours", text=""))


def _days(named: str) -> Iterator[str]:
    known = {short: day for lang in LANGUAGES for short, day in starter_words(lang)["days"].items()}
    if named.casefold() in {starter_words(lang)["every_day"] for lang in LANGUAGES}:
        yield from WEEKDAYS
        return
    found = _DAYS.fullmatch(named)
    ends = [known.get(str(part).casefold()) for part in found.groups() if part] if found else []
    if not ends or None in ends:
        raise ValueError(told("setup.not_days", text=named))
    first, last = WEEKDAYS.index(str(ends[0])), WEEKDAYS.index(str(ends[-1]))
    count = (last - first) % len(WEEKDAYS) + 1
    yield from (WEEKDAYS[(first + n) % len(WEEKDAYS)] for n in range(count))


def said_week(week: Mapping[str, str], language: str) -> str:
    """The hours as `read_week` reads them: «пн-пт 10:00-19:00, сб 11:00-16:00»; "" where no day is open."""
    shorts = {day: short for short, day in starter_words(language)["days"].items()}
    runs = list[tuple[list[str], str]]()
    for day in WEEKDAYS:
        hours = week.get(day, CLOSED)
        if runs and runs[-1][1] == hours:
            runs[-1][0].append(shorts[day])
        else:
            runs.append(([shorts[day]], hours))
    named = [(days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}", hours) for days, hours in runs]
    return ", ".join(f"{days} {hours}" for days, hours in named if hours != CLOSED)


def read_zone(text: str) -> str:
    """The name of a time zone, from its name («Asia/Omsk»), the end of it («omsk») or a city («Казань»).

    Raises `ValueError` with the nearest names.
    """
    said, zones = text.strip().casefold(), available_timezones()
    for lang in LANGUAGES:
        if zone := starter_words(lang)["zones"].get(said):
            return str(zone)
    whole = {z.casefold(): z for z in zones}
    ends = {z.rsplit("/", 1)[-1].casefold(): z for z in sorted(zones, reverse=True) if "/" in z}
    if found := whole.get(said) or ends.get(said.replace(" ", "_")):
        return found
    cities = [*ends, *(c for lang in LANGUAGES for c in starter_words(lang)["zones"])]
    near = [_zone_of(c, ends) for c in nearest(said, cities, likeness=70, limit=3)]
    raise ValueError(told("setup.not_zone", text=text.strip(), near=", ".join(dict.fromkeys(near)) or "–"))


def _zone_of(city: str, ends: Mapping[str, str]) -> str:
    return ends.get(city) or next(
        str(starter_words(lang)["zones"][city]) for lang in LANGUAGES if city in starter_words(lang)["zones"]
    )


def country_of(zone: str) -> str | None:
    """The country of a time zone, where its holidays are known."""
    country = get_global("zone_territories").get(zone)
    return country if country in list_supported_countries() else None


__all__ = [
    "CLOSED",
    "LANGUAGES",
    "STARTER",
    "country_of",
    "read_week",
    "read_zone",
    "said_week",
    "starter_words",
]
