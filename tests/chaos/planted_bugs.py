"""Bugs planted on purpose, to show that the laws can be broken and that the run sees it.

None of this is in the product.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from types import MethodType

from bot.adapters.base import Accept
from bot.app import Service
from bot.model import Outcome, Turn
from bot.storage.base import Delivery, DeliveryResult, FinishedTurn
from bot.storage.database import Database
from bot.storage.queries import commit as finishing
from bot.storage.queries.turns import take
from bot.storage.sqlite.store import SqliteStore
from tests.chaos.platforms import PlatformAdapter, Update
from tests.chaos.service_process import ServiceProcess


class _EagerAdapter(PlatformAdapter):
    async def hand_over(self, accept: Accept, batch: Sequence[Update]) -> None:
        self.confirm(batch)
        self.fuse.point("after a confirmation")
        await accept([u.inbound for u in batch])


class ConfirmsBeforeCommit(ServiceProcess):
    """The platform is told to forget an update that is not kept yet."""

    adapter = _EagerAdapter


class ClaimsAndReadsApart(ServiceProcess):
    """A turn's messages are read in one step and its conversation is locked in the next; what is then closed
    is what waits, not what was read.
    """

    def plant(self, service: Service) -> None:
        store = service.store

        async def take_turn(self: SqliteStore, now: datetime, *, batch: int = 50) -> Turn | None:
            turn = await self._write(lambda db: take(db, self._locks, self._number, now, batch))
            if turn is not None:
                _, inbounds, since = self._locks.held.pop(turn.conversation.id)  # read, and let go …
                await asyncio.sleep(0.01)
                self._locks.held[turn.conversation.id] = (turn.id, inbounds, since)  # … and claimed
            return turn

        async def finish_turn(self: SqliteStore, turn: Turn, outcome: Outcome, now: datetime) -> FinishedTurn:
            _, inbounds, since = self._locks.held.get(turn.conversation.id, (0, (), 0))
            self._locks.held[turn.conversation.id] = (turn.id, inbounds, since)
            checked, finishing.close_inbounds = finishing.close_inbounds, _close_all
            try:
                return await self._write(lambda db: finishing.finish(db, self._locks, turn, outcome, now))
            finally:
                finishing.close_inbounds = checked

        store.take_turn = MethodType(take_turn, store)  # type: ignore[method-assign]
        store.finish_turn = MethodType(finish_turn, store)  # type: ignore[method-assign]


def _close_all(db: Database, turn: int, inbounds: tuple[int, ...], outcome: Outcome, now: datetime) -> None:
    """Without the check that all of them are still open."""
    for id in inbounds:
        db.execute(
            "update inbox set turn = ?, done_at = ?, result = ? where id = ? and done_at is null",
            (turn, int(now.timestamp() * 1000), outcome.result.value, id),
        )


def _forget_the_send(db: Database, id: int) -> None:
    db.execute("update outbox set status = 'pending', tries = tries - 1 where id = ?", (id,))


class SendsBeforeRecord(ServiceProcess):
    """A send begins while its row still says "pending": that it is under way is known to memory alone."""

    def plant(self, service: Service) -> None:
        store, under_way = service.store, dict[int, tuple[str, str]]()

        async def take_deliveries(
            self: SqliteStore, now: datetime, *, limit: int = 32, resting: Collection[tuple[str, str]] = ()
        ) -> tuple[Delivery, ...]:
            taken = await SqliteStore.take_deliveries(
                self, now, limit=limit, resting={*resting, *under_way.values()}
            )
            for delivery in taken:
                under_way[delivery.id] = (delivery.outbound.to.channel, delivery.outbound.to.chat)
                await self._write(partial(_forget_the_send, id=delivery.id))
            return taken

        async def settle(
            self: SqliteStore, delivery: Delivery, settled: DeliveryResult, now: datetime
        ) -> tuple[int, ...]:
            try:
                return await SqliteStore.settle(self, delivery, settled, now)
            finally:
                under_way.pop(delivery.id, None)

        store.take_deliveries = MethodType(take_deliveries, store)  # type: ignore[method-assign]
        store.settle = MethodType(settle, store)  # type: ignore[method-assign]


PROCESSES: dict[str, type[ServiceProcess]] = {
    "": ServiceProcess,
    "confirm-before-commit": ConfirmsBeforeCommit,
    "claim-and-read-apart": ClaimsAndReadsApart,
    "send-before-record": SendsBeforeRecord,
}
