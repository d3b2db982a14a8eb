"""The rounds: every few seconds the desk looks whether anybody is forgotten or can be given to somebody now,
and whether its views still tell the truth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.handoff.desk_context import DeskContext
from bot.handoff.queue.auto_assign import AutoAssign
from bot.handoff.queue.board import Boards
from bot.handoff.queue.position import QueuePositions
from bot.handoff.sla.debts import OverdueWork, UndeliveredAnswers
from bot.handoff.sla.watchdog import Watchdog
from bot.model import Inbound, Outbound


class AcceptTimers(Protocol):
    """The inbox."""

    async def __call__(self, channel: str, inbounds: Sequence[Inbound]) -> None: ...


class PeriodicSource(Protocol):
    """Who finds what has to be decided now; the same find has the same key, and counts once."""

    async def look(self, now: datetime) -> Sequence[Inbound]: ...


class PeriodicChecks:
    """One `go` after another; what it missed or said twice because of a crash is put right by the next."""

    def __init__(
        self,
        desk: DeskContext,
        accept: AcceptTimers,
        enqueue: Callable[[Sequence[Outbound], datetime], Awaitable[object]],
        *,
        finders: Sequence[PeriodicSource] = (),
        mend: Callable[[], Awaitable[int]],
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._desk = desk
        self._finders: tuple[PeriodicSource, ...] = (
            _Looking(desk),
            Watchdog(desk),
            UndeliveredAnswers(desk),
            AutoAssign(desk),
            *finders,
        )
        self._views = (OverdueWork(desk, mend), QueuePositions(desk), Boards(desk))
        self._accept, self._enqueue, self._committed = accept, enqueue, committed

    async def go(self, now: datetime) -> None:
        """Look once. Raises `StorageError`."""
        await self._desk.shared.catch_up()
        for finder in self._finders:
            for inbound in await finder.look(now):
                await self._accept(inbound.peer.channel, [inbound])
        for view in self._views:
            if say := await view.look(now):
                await self._enqueue(say, now)
                self._committed()


class _Looking:
    """The groups themselves, looked at before the tickets in them."""

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        return await self._desk.groups.look(self._desk, now)
