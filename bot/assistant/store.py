"""What the assistant keeps in the store: its budget, its rest after failures, and the record of each call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import Event, Outbound


class AssistantStore(Protocol):
    """The store, as far as the assistant needs it. Everything raises `StorageError`."""

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...

    async def count_up(self, name: str, amount: int) -> int: ...

    async def hit(self, name: str, now: datetime, within: timedelta) -> int: ...

    async def enqueue(
        self, say: Sequence[Outbound], now: datetime, *, events: Sequence[Event] = ()
    ) -> tuple[int, ...]: ...
