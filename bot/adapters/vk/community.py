"""One community, as the parts of its adapter share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.adapters.base import Health


@dataclass(frozen=True, slots=True)
class Community:
    """The name of its channel, its number at VK, how it is doing, and the time."""

    channel: str
    group_id: int
    health: Health
    clock: Callable[[], datetime]
