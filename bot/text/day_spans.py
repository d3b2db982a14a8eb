"""A stretch of the day in local time, as people write it: «10:00-20:00», «21:00-02:00», «00:00-24:00»."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from bot.text.problems import told

DAY = 24 * 60  # minutes
CLOSED = "closed"
_SPAN = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–—]\s*([0-9]{1,2}):([0-9]{2})\s*")


@dataclass(frozen=True, slots=True, order=True)
class DaySpan:
    """From *opens* up to *closes*, in minutes after the day's midnight; beyond 24 hours it ends on the next
    day.
    """

    opens: int
    closes: int

    @classmethod
    def parse(cls, text: str) -> DaySpan:
        """Raises `ValueError` that says what is wrong."""
        found = _SPAN.fullmatch(text)
        if found is None:
            raise ValueError(told("config.hours.not_span", text=text.strip()))
        opens, closes = (_minutes(hour, minute) for hour, minute in (found.group(1, 2), found.group(3, 4)))
        if opens in (DAY, closes):
            raise ValueError(told("config.hours.empty_span", text=text.strip()))
        return cls(opens, closes if closes > opens else closes + DAY)

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes if self.closes <= DAY else self.closes - DAY)}"

    @property
    def start(self) -> time:
        """Local time of the opening."""
        return time(self.opens // 60, self.opens % 60)

    def holds(self, at: time) -> bool:
        """Whether the span of a day holds a time of the same day."""
        return self.opens <= at.hour * 60 + at.minute < self.closes

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """The span as two moments, in the zone."""
        return _moment(day, self.opens, zone), _moment(day, self.closes, zone)


def spans(text: object) -> tuple[DaySpan, ...]:
    """The stretches of one day: text, several texts, or "closed".

    Raises `ValueError` that says what is wrong.
    """
    if text is None or text is False or text in (CLOSED, "off"):  # YAML 1.1 makes false of an unquoted `off`
        return ()
    parts = [text] if isinstance(text, str) else text
    if not isinstance(parts, list | tuple) or not all(isinstance(p, str) for p in parts):
        raise ValueError(told("config.hours.not_span", text=text))
    found = sorted(DaySpan.parse(piece) for part in parts for piece in part.split(","))
    for before, after in itertools.pairwise(found):
        if after.opens < before.closes:
            raise ValueError(told("config.hours.overlap", before=before, after=after))
    if found and found[-1].closes - DAY > found[0].opens:
        raise ValueError(told("config.hours.too_long", last=found[-1], first=found[0]))
    return tuple(found)


def written(stretches: Iterable[DaySpan]) -> str:
    """The text that `spans` reads as the same stretches."""
    return ", ".join(map(str, stretches)) or CLOSED


def _minutes(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > DAY:
        raise ValueError(told("config.hours.no_time", clock=f"{hour}:{minute}"))
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _moment(day: date, minutes: int, zone: tzinfo) -> datetime:
    days, rest = divmod(minutes, DAY)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
