"""How far the load forecast is off: `python -m tests.reports.forecasts` lives through simulated weeks and
prints its error beside that of "as last week".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.demo.personas import HOURS, WEEKDAYS
from bot.handoff.sla.hours import Hours
from bot.model import Event
from bot.reports.forecast import ServiceGoal, forecast

BERLIN = ZoneInfo("Europe/Berlin")
GOAL = ServiceGoal(0.8, 20)
NOW = datetime(2026, 10, 21, 12, tzinfo=BERLIN).astimezone(UTC)  # the clocks change four days later


def lived(weeks: int, per_day: int = 120, seed: int = 3) -> list[Event]:
    """Tickets and conversations along the day's and the week's curve, by chance; some days are busier."""
    random, found = Random(seed), list[Event]()
    for back in range(7 * weeks, -1, -1):
        day = (NOW - timedelta(days=back)).astimezone(BERLIN).date()
        for n in range(round(per_day * WEEKDAYS[day.weekday()] * random.uniform(0.8, 1.2))):
            hour = random.choices(range(24), HOURS)[0]
            local = datetime(day.year, day.month, day.day, hour, random.randrange(60), tzinfo=BERLIN)
            at, number = local.astimezone(UTC), back * 100_000 + n
            if at < NOW:
                found.append(Event("heard", at, conversation=number))
                if n % 3 == 0:
                    found.append(Event("ticket_opened", at, ticket=number))
    return sorted(found, key=lambda e: e.at or NOW)


def main() -> None:
    print("conversations a day   forecast: mean miss an hour, share   as last week: miss, share")
    for per_day in (60, 300, 3000):
        told = forecast(lived(10, per_day), Hours("Europe/Berlin"), NOW, GOAL).visits
        assert told.mean is not None and told.share is not None
        assert told.naive is not None and told.naive_share is not None
        naive = f"{told.naive:>16.2f} {told.naive_share:>12.0%}"
        print(f"{per_day:>19}   {told.mean:>21.2f} {told.share:>14.0%} {naive}")


if __name__ == "__main__":
    main()
