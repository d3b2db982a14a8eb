"""How often something happened lately. Moments come from whoever counts, so the clock is theirs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class SlidingWindow:
    """At most *most* in any *seconds*: remembers the newest moments, tells whether there were too many
    and when one more fits. What is exactly *seconds* old counts no more.

    Moments are seconds of one clock and are added in order; memory holds *most* + 1 of them.
    """

    def __init__(self, most: int, seconds: float) -> None:
        if most < 1 or seconds <= 0:
            raise ValueError("a window counts at least one, in some time")
        self.most, self.seconds = most, seconds
        self._moments: deque[tuple[float, str]] = deque(maxlen=most + 1)

    def add(self, moment: float, key: str = "") -> None:
        """Count one; a *key* that is remembered is not counted again."""
        if not key or all(key != known for _, known in self._moments):
            self._moments.append((moment, key))

    def is_exceeded(self, now: float) -> bool:
        """Whether more than *most* happened lately."""
        return sum(now - moment < self.seconds for moment, _ in self._moments) > self.most

    def is_full(self, now: float) -> bool:
        """Whether one more would be too many."""
        return self.free_at(now) > now

    def free_at(self, now: float, pending: Iterable[float] = ()) -> float:
        """The first moment from *now* on at which one more fits, never before the newest that counts.

        *pending* happen, too, after those that were added.
        """
        marks = [*(moment for moment, _ in self._moments), *pending]
        full = [marks[-self.most] + self.seconds] if len(marks) >= self.most else []
        return max([now, *marks[-1:], *full])
