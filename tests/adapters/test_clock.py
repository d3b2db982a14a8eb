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


async def test_timers_wait_while_the_storage_is_away() -> None:
    """They fire when it is back, and the process has not ended for it."""
    clock, fired, woken = HandClock(NOON), asyncio.Event(), list[int]()
    failures = [StorageError("the database is away")] * 3

    async def fire(now: datetime) -> int:
        if failures:
            raise failures.pop()
        fired.set()
        return 1

    async def went_back(now: datetime) -> None:
        return

    rings = ClockAdapter(clock, fire, lambda: woken.append(1), went_back=went_back, tick=0)
    task = asyncio.create_task(rings.run())
    async with asyncio.timeout(5):
        await fired.wait()
    await asyncio.sleep(0)
    task.cancel()
    assert not failures and woken
