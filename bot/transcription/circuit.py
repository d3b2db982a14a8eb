"""Stops asking an engine that fails again and again, so that customers do not wait for it in vain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

FAILURES = 3  # in a row, after which nobody is asked for a while
PAUSE = timedelta(minutes=1)


class EngineCircuit:
    """Of one process: each finds out for itself. After the pause one try shows whether it works again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures = 0
        self._until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody is to be asked now."""
        return self._until is not None and self._clock() < self._until

    def went(self, *, well: bool) -> bool:
        """How a try ended; true where the engine has just been given up for a while."""
        self._failures = 0 if well else self._failures + 1
        was, self._until = self._until, None
        if self._failures >= FAILURES:
            self._until = self._clock() + PAUSE
        return self._until is not None and was is None
