"""Time as a channel: timers that are due come back as inbounds of their conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.clock import Clock


class ClockAdapter:
    """Rings when the next timer is due, at the latest every *tick* seconds (the wall clock may jump)."""

    def __init__(self, clock: Clock, fire: Callable[[datetime], Awaitable[int]], wake: Callable[[], None], *, tick: float = 1.0) -> None:
        self._clock, self._fire, self._wake, self._tick = clock, fire, wake, tick

    async def run(self) -> None:
        while True:
            if await self._fire(self._clock()):
                self._wake()
            await asyncio.sleep(self._tick)
