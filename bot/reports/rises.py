"""Whether customers ask about a topic unusually often: the last hour against the same hour of the same
weekday in the weeks before.

The score is Iglewicz and Hoaglin's modified z-score (How to Detect and Handle Outliers, ASQC 1993): the
distance from the median in units of 1.4826 times the median absolute deviation, which one strange week does
not move. Counts of rare things scatter by the square root of their mean (Poisson), so that is the least unit.
The limits below were chosen on simulated months: `python -m tests.reports.alarms` measures them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median
from zoneinfo import ZoneInfo

WINDOW = timedelta(hours=1)
WEEKS, ENOUGH = 6, 3  # weeks that are looked back at; with fewer lived ones nothing is said
BESIDE = (-WINDOW, timedelta(), WINDOW)  # of each week the hours before and after count, too
SCORE = 6.0  # from which it is a rise
TIMES = 2.0  # so many times the usual it must be as well: large topics scatter little
LEAST = 8  # customers in the hour: below that it may be chance
CALM = 3.0  # a rise is over below this score
MAD = 1.4826  # makes the median absolute deviation a standard deviation of a normal distribution


@dataclass(frozen=True, slots=True)
class TopicLevel:
    """How many customers asked about a topic in the last hour, and how many usually do."""

    topic: str
    count: int
    usual: float
    score: float

    def has_risen(self, least: int = LEAST) -> bool:
        return self.count >= least and self.score >= SCORE and self.count >= TIMES * self.usual

    @property
    def is_calm(self) -> bool:
        return self.score < CALM


def level(topic: str, count: int, past: Sequence[int]) -> TopicLevel:
    """The topic's *count* beside those of the *past* windows.

    >>> level("a", 12, [2, 3, 1, 2, 4, 2]).score
    7.07...
    """
    usual = median(past)
    spread = MAD * median(abs(n - usual) for n in past)
    unit = max(spread, sqrt(max(usual, 1.0)))
    return TopicLevel(topic, count, usual, (count - usual) / unit)


def levels(now: Mapping[str, int], past: Sequence[Mapping[str, int]]) -> tuple[TopicLevel, ...]:
    """The level of every topic that is asked about now; who was not asked about in a past window counts 0."""
    return tuple(level(topic, count, [p.get(topic, 0) for p in past]) for topic, count in sorted(now.items()))


def past_windows(now: datetime, weeks: int, zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """From and until of the windows of one week ago, two and so on, by the clock on the wall: eleven o'clock
    stays eleven o'clock when the clocks are changed.
    """
    local, found = now.astimezone(zone).replace(tzinfo=None), list[tuple[datetime, datetime]]()
    for week in range(1, weeks + 1):
        until = (local - timedelta(weeks=week)).replace(tzinfo=zone).astimezone(now.tzinfo)
        found += [(until + aside - WINDOW, until + aside) for aside in BESIDE]
    return tuple(found)
