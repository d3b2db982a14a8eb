"""How often something may happen in all processes together: each counts what passed it by itself, and the
store counts what passed them all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

REST = 10  # how many times within a window a process asks again whether others have used it up


class HitCount(Protocol):
    """The store, as far as it counts."""

    async def hit(self, name: str, now: datetime, within: timedelta) -> int: ...


class SharedWindow:
    """At most *most* of *name* in any *within*.

    What is refused does not count here. Where this process alone has used the window up, the store is not
    asked; where others have, it is asked again after a tenth of the window, so that somebody who goes on
    asking neither writes to the database each time nor, by what the store counts of the refused, keeps the
    window full for ever. With one process this is a plain sliding window.
    """

    def __init__(
        self,
        name: str,
        most: int,
        within: timedelta,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.most, self._within, self._monotonic = name, most, within, monotonic
        self._counted: deque[float] = deque()
        self._forgiven: deque[float] = deque()  # in the store's count, but not in ours
        self._asks_from = 0.0

    async def admit(self, store: HitCount, now: datetime) -> float:
        """Count one more: 0 where it may happen, else for how many seconds it has to wait.

        Raises `StorageError`, and then nothing is counted.
        """
        moment = self._monotonic()
        if (wait := self._wait(moment)) > 0:
            return wait
        self._counted.append(moment)  # before anything is awaited: many ask at once
        try:
            together = await store.hit(self.name, now, self._within)
        except BaseException:
            _take_out(self._counted, moment)
            raise
        _drop(self._forgiven, moment - self._within.total_seconds())
        if together - len(self._forgiven) <= self.most:
            return 0.0
        self.forgive(moment)
        self._asks_from = moment + self._within.total_seconds() / REST
        return self._asks_from - moment

    def forgive(self, moment: float | None = None) -> None:
        """What was admitted last (or at *moment*) counts no more."""
        if moment is None:
            moment = self._counted[-1] if self._counted else self._monotonic()
        _take_out(self._counted, moment)
        self._forgiven.append(moment)

    def _wait(self, moment: float) -> float:
        seconds = self._within.total_seconds()
        _drop(self._counted, moment - seconds)
        full = self._counted[-self.most] + seconds if len(self._counted) >= self.most else moment
        return max(full, self._asks_from) - moment


def _take_out(moments: deque[float], moment: float) -> None:
    if moment in moments:  # the window may have ended while the store was waited for
        moments.remove(moment)


def _drop(moments: deque[float], until: float) -> None:
    while moments and moments[0] <= until:
        moments.popleft()
