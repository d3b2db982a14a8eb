"""Time as a channel: timers that are due come back as inbounds of their conversations, and jumps of the wall
clock are noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import StorageError
from bot.observability import get_logger

SLACK = timedelta(seconds=2)  # what a clock may be set back by without anybody noticing


class ClockAdapter:
    """Fires when the next timer is due, at the latest every *tick* seconds. *went_back* hears of a wall clock
    that was set back, and is called once at first: what it was set back by before this process began cannot
    be known.
    """

    def __init__(
        self,
        clock: Clock,
        fire: Callable[[datetime], Awaitable[int]],
        wake: Callable[[], None],
        *,
        went_back: Callable[[datetime], Awaitable[object]],
        tick: float = 1.0,
    ) -> None:
        self._clock, self._fire, self._wake, self._went_back, self._tick = clock, fire, wake, went_back, tick

    async def run(self) -> None:
        """Until cancelled. While the store cannot be used, what is due waits."""
        went_back, expected = True, self._clock()
        while True:
            now, ticks = self._clock(), self._clock.monotonic()
            went_back = went_back or now < expected - SLACK
            try:
                if went_back:
                    await self._went_back(now)
                    went_back = False
                    self._wake()
                if await self._fire(now):
                    self._wake()
            except StorageError as error:
                get_logger("clock").error("storage_failed", error=str(error))
            await asyncio.sleep(self._tick)
            expected = now + timedelta(seconds=self._clock.monotonic() - ticks)
