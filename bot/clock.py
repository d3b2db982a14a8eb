"""What time it is: one clock for the whole service, which tests and the playground may move."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The wall clock, moved by `shift` (the playground's "night").

    Calling it gives the moment, aware, in UTC.
    """

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps, for limits and pauses."""
        return time.monotonic()


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

    def advance(self, **units: float) -> datetime:
        """Move forward, as `timedelta(**units)` would."""
        self.at += timedelta(**units)
        self._passed += max(timedelta(), timedelta(**units))
        return self.at

    def monotonic(self) -> float:
        return self._passed.total_seconds()
