"""What all processes of the service know of the operators' side: read from the store, and read anew when it
has changed there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot.model import DeskState


class StatePart(Protocol):
    """A part of the desk that knows something of the state."""

    def follow(self, state: DeskState) -> None: ...


class SharedState:
    """Keeps *parts* at the newest state that `read` gave; *others* tells whether other processes decide,
    too.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[DeskState]],
        parts: Sequence[StatePart],
        *,
        others: bool = False,
    ) -> None:
        self._read, self._parts, self.others = read, parts, others
        self.version = -1

    async def catch_up(self, version: int | None = None) -> None:
        """Know at least what was committed up to *version* (None: up to now). Raises `StorageError`."""
        if version is not None and version <= self.version:
            return
        state = await self._read()
        if state.version >= self.version:  # several turns may be reading at once
            self.version = state.version
            for part in self._parts:
                part.follow(state)
