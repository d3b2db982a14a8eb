"""The channel of time: fires when it is time, and notices a wall clock that was set back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bot.adapters.clock import ClockAdapter
from bot.clock import HandClock
from bot.errors import StorageError

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


async def test_a_clock_that_was_set_back_is_told() -> None:
    """Once at the start, and once for each jump back; forward jumps and small corrections are nobody's
    business.
    """
    clock, told = HandClock(NOON), list[datetime]()

    async def fire(now: datetime) -> int:
        return 0

    async def went_back(now: datetime) -> None:
        told.append(now)

    task = asyncio.create_task(ClockAdapter(clock, fire, lambda: None, went_back=went_back, tick=0.01).run())
    for move in (
        timedelta(),
        timedelta(hours=5),
        -timedelta(seconds=1),
        -timedelta(hours=1),
        timedelta(seconds=1),
    ):
        clock.at += move
        seen = clock.at
        for _ in range(5):
            await asyncio.sleep(0.01)
        if move == -timedelta(hours=1):
            assert told[-1] == seen
    task.cancel()

    assert len(told) == 2 and told[0] == NOON


async def test_a_store_that_is_away_ends_nothing() -> None:
    """What could not be told or fired is when the store is back; a clock set back is not forgotten."""
    clock, told, fired = HandClock(NOON), list[datetime](), asyncio.Event()
    away = [StorageError("the database is away")] * 3

    async def fire(now: datetime) -> int:
        if away:
            raise away.pop()
        fired.set()
        return 1

    async def went_back(now: datetime) -> None:
        if away:
            raise away.pop()
        told.append(now)

    task = asyncio.create_task(ClockAdapter(clock, fire, lambda: None, went_back=went_back, tick=0.001).run())
    async with asyncio.timeout(5):
        await fired.wait()
    task.cancel()

    assert told == [NOON]
