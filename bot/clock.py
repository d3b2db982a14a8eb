"""What time it is: one clock for the whole service, which tests and the playground may move."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EXACT = 0.001  # seconds: nearer than this no clock is asked
# a monotonic clock that goes on while the machine sleeps, where there is one
_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


class Clock:
    """The wall clock, or the database's once it follows that; moved by `shift` (the playground's "night").

    Calling it gives the moment, aware, in UTC.
    """

    def __init__(self) -> None:
        self.shift = timedelta()
        self._followed: tuple[datetime, float] | None = (
            None  # a moment of the other clock, and our ticks then
        )

    def __call__(self) -> datetime:
        return self._unshifted() + self.shift

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps, for limits and pauses."""
        return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)

    def machine(self) -> datetime:
        """What this machine takes the time to be."""
        return datetime.now(UTC)

    def follow(self, told: datetime, begun: float) -> float:
        """Go by another clock (the database's) from now on, whatever is done to the machine's.

        It said *told* to a question put at *begun* (monotonic), so it is known within half the way there and
        back; after the first time this clock moves no further than into that span. Returns by how many
        seconds the machine's clock is ahead of the other.
        """
        ticks = self.monotonic()
        half = timedelta(seconds=(ticks - begun) / 2)
        present, right, within = self._unshifted(), told + half, half + timedelta(seconds=EXACT)
        first = self._followed is None
        self._followed = (right if first else min(max(present, right - within), right + within), ticks)
        return (self.machine() - right).total_seconds()

    def _unshifted(self) -> datetime:
        if self._followed is None:
            return self.machine()
        moment, ticks = self._followed
        return moment + timedelta(seconds=self.monotonic() - ticks)


class HandClock(Clock):
    """A clock that stands still until it is moved by hand: for tests and replayed histories.

    Setting `at` is what a wall clock that was put right does: no time passes by it.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self.at = start
        self._passed = timedelta()

    def __call__(self) -> datetime:
        return self.at

    def machine(self) -> datetime:
        return self.at

    def follow(self, told: datetime, begun: float) -> float:
        """It is moved by hand, and follows nobody."""
        return 0.0

    def advance(self, **units: float) -> datetime:
        """Move forward, as `timedelta(**units)` would."""
        self.at += timedelta(**units)
        self._passed += max(timedelta(), timedelta(**units))
        return self.at

    def monotonic(self) -> float:
        return self._passed.total_seconds()
