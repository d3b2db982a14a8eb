"""How often a visitor, and an address, may ask: what is more is told to wait, and changes nothing."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from bot.sliding_window import SlidingWindow

MOST = 20_000  # callers remembered; the one who asked longest ago is forgotten first
# What may be done how often within how many seconds: by one visitor, and by all of one address.
PER_VISITOR = {
    "messages": (20, 60.0),
    "presses": (30, 60.0),
    "files": (10, 300.0),
    "typing": (40, 60.0),
    "read": (60, 60.0),
    "email": (5, 600.0),
    "consent": (10, 600.0),
    "events": (60, 60.0),
    "poll": (120, 60.0),
    "download": (120, 60.0),
}
PER_ADDRESS = {
    "session": (60, 60.0),
    "new": (30, 3600.0),
    "messages": (120, 60.0),
    "files": (40, 3600.0),
    "email": (20, 600.0),
    "bad": (60, 60.0),
}


class CallerLimits:
    """The windows of this process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._windows: OrderedDict[tuple[str, str], SlidingWindow] = OrderedDict()

    def wait(self, what: str, who: str, limits: dict[str, tuple[int, float]]) -> int:
        """Count one more: 0 where it may happen, else the seconds to wait, and nothing is counted."""
        if what not in limits:
            return 0
        now, key = self._monotonic(), (what, who)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = SlidingWindow(*limits[what])
            if len(self._windows) > MOST:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        free = window.free_at(now)
        if free > now:
            return max(1, math.ceil(free - now))
        window.add(now)
        return 0
