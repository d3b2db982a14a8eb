"""What the alarm of rising topics costs and brings: `python -m tests.reports.alarms` lives through simulated
months and prints false alarms per week and how long an injected rise takes to be told.

Customers come by chance (Poisson) along a day's and a week's curve, with days that are busier or quieter than
others; the shares of twenty topics fall off as in life, few large and many small. The formulas are the
product's own (bot/reports/rises.py), looked at every five minutes as the service does.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import numpy as np
import numpy.typing as npt

from bot.demo.personas import HOURS, WEEKDAYS
from bot.reports.rises import BESIDE, LEAST, WEEKS, WINDOW, level

STEP = 5  # minutes between looks
DAY, HOUR = 24 * 60 // STEP, 60 // STEP
WEEK = 7 * DAY
TOPICS = 20
QUIET = 4  # weeks
SCATTER = 0.12  # of whole days: as lognormal
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measured:
    """False alarms of a quiet month, a week; and of so many injected rises: found, and after how many
    minutes.
    """

    false_per_week: float
    injected: int
    found: int
    delays: tuple[float, ...]

    @property
    def delay(self) -> float | None:
        return median(self.delays) if self.delays else None


def arrivals(per_day: float, weeks: int, random: np.random.Generator) -> Counts:
    """Customers by step and topic."""
    curve = np.repeat(np.array(HOURS) / sum(HOURS), HOUR) / HOUR
    days = np.concatenate([curve * per_day * WEEKDAYS[d % 7] * random.lognormal(0, SCATTER)
                           for d in range(7 * weeks)])  # fmt: skip
    share = 1 / np.arange(1, TOPICS + 1)
    found: Counts = random.poisson(np.outer(days, share / share.sum()))
    return found


def hours_of(counts: Counts) -> Counts:
    """How many came within the hour that ends with each step."""
    total = np.concatenate([np.zeros((1, counts.shape[1]), dtype=np.int64), counts.cumsum(axis=0)])
    found: Counts = total[HOUR:] - total[:-HOUR]
    return np.concatenate([np.zeros((HOUR - 1, counts.shape[1]), dtype=np.int64), found])


def alarms(hours: Counts, topic: int, first: int, last: int) -> list[int]:
    """The steps at which a rise of the topic would be told: once, until it is calm again."""
    told, found = False, list[int]()
    aside = [int(b / WINDOW) * HOUR for b in BESIDE]
    column = hours[:, topic]
    for step in range(first, last):
        if not told and column[step] < LEAST:
            continue
        past = [int(column[step - w * WEEK + a]) for w in range(1, WEEKS + 1) for a in aside]
        seen = level("", int(column[step]), past)
        if not told and seen.has_risen():
            told = True
            found.append(step)
        elif told and seen.is_calm:
            told = False
    return found


def measure(per_day: float, times: float, seed: int, rises: int = 40) -> Measured:
    """A quiet month, then the same month with rises: a topic asked about *times* as often for three hours."""
    random = np.random.default_rng(seed)
    counts = arrivals(per_day, WEEKS + QUIET, random)
    first, last = WEEKS * WEEK, counts.shape[0]
    hours = hours_of(counts)
    false = sum(len(alarms(hours, t, first, last)) for t in range(TOPICS))
    delays = list[float]()
    for _ in range(rises):
        topic, day = int(random.integers(0, TOPICS // 2)), int(random.integers(0, 7 * QUIET))
        start = first + day * DAY + int(random.integers(10, 18)) * HOUR
        risen = counts.copy()
        part = risen[start : start + 3 * HOUR, topic]
        risen[start : start + 3 * HOUR, topic] = random.poisson(
            np.maximum(part.mean(), 0.01) * times, part.shape
        )
        found = alarms(hours_of(risen), topic, start, min(last, start + 3 * HOUR))
        if found:
            delays.append((found[0] - start + 1) * STEP)
    return Measured(false / QUIET, rises, len(delays), tuple(delays))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=3, help="simulated quiet months for each size")
    given = parser.parse_args()
    print("customers a day   rise   false alarms a week   found   median minutes until it is told")
    for per_day in (200, 1000, 3000):
        for times in (3.0, 5.0):
            made = [measure(per_day, times, seed) for seed in range(given.months)]
            false = sum(m.false_per_week for m in made) / len(made)
            found, all_ = sum(m.found for m in made), sum(m.injected for m in made)
            delays = [d for m in made for d in m.delays]
            told = f"{median(delays):.0f}" if delays else "-"
            print(f"{per_day:>15}   x{times:<4.0f} {false:>20.2f}   {found:>2} of {all_:<3} {told:>12}")
    print(f"looked at every {timedelta(minutes=STEP)}, window {WINDOW}, at least {LEAST} customers")


if __name__ == "__main__":
    main()
