"""How long to wait until a platform that does not answer is asked again."""

from __future__ import annotations

import random

FIRST, LONGEST = 0.5, 30.0  # seconds


class RetryPause:
    """Pauses that grow from try to try, never twice the same: accounts that lost one platform together do
    not come back together.
    """

    def __init__(self) -> None:
        self._length = FIRST

    def next(self, *, at_least: float = 0.0) -> float:
        length, self._length = self._length, min(LONGEST, self._length * 2)
        return max(at_least, length) * random.uniform(0.75, 1.25)

    def reset(self) -> None:
        self._length = FIRST
