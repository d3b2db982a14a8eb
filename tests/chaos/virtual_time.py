"""Time that passes only when everybody waits: an hour of the service's life takes a moment, and the same way
each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from bot.clock import Clock

Made = TypeVar("Made")
Parts = TypeVarTuple("Parts")
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday, 12:00 in Moscow


class _Leaping(selectors.SelectSelector):
    """Where the loop would sleep, its time leaps instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.held = 0.0, False

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or (self.held and timeout > 0):  # something real (a thread) is awaited, not time
            return super().select(None)
        found = super().select(0)
        if not found and timeout > 0:
            self.now += timeout
        return found


class TimelessLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock starts at 0 and leaps over every pause."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._leaping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Parts], Made], *args: *Parts
    ) -> asyncio.Future[Made]:
        """At once and here: a real thread would end at another moment each time."""
        done: asyncio.Future[Made] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            done.set_exception(error)
        return done

    def hold(self, held: bool) -> None:
        """Let no time pass while something real is waited for."""
        self._leaping.held = held


class LoopClock(Clock):
    """The service's clock, told by the loop: at second 0 it is noon of a working day in Moscow."""

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.monotonic()) + self.shift

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run_timeless(work: Coroutine[Any, Any, Made]) -> Made:
    """Run to the end in a loop of its own."""
    with asyncio.Runner(loop_factory=TimelessLoop) as runner:
        return runner.run(work)
