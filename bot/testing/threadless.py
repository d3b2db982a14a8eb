"""A store that works where it is called, without threads: for days that are played rather than lived, where
nobody waits beside.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.storage.database import Made, SqliteDatabase, Work
from bot.storage.sqlite.store import SqliteStore
from bot.storage.sqlite.writer import Writer, as_storage_error
from bot.storage.turn_locks import MemoryLocks
from bot.storage.units import Unit


class DirectWriter(Writer):
    """The store's writer without its thread: each unit is a transaction at once (one that only *reads* needs
    none).
    """

    def __init__(
        self, db: SqliteDatabase, locks: MemoryLocks, *, reads: bool = False
    ) -> None:  # the base's thread is not wanted
        self.commits = 0
        self._db, self._locks = db, locks
        self._begin, self._reads = "BEGIN IMMEDIATE", reads

    async def run(
        self, work: Work[Made], *, alone: bool = False, undo: Callable[[Made], None] | None = None
    ) -> Made:
        unit = Unit(work)
        if alone or self._reads:
            self._alone(unit)
        else:
            self._commit([unit])
        if unit.error is not None:
            raise as_storage_error(unit.error)
        made: Made = unit.result
        return made

    def post(self, work: Work[object]) -> None:
        self._commit([Unit(work)])

    def close(self) -> None:
        return None


def without_threads(store: SqliteStore) -> None:
    """Let *store* work in the caller's thread from now on; nothing may be under way in it."""
    store._writer.close()
    store._writer = DirectWriter(store._db, store._locks)
    if store._reader is not None and store._reading is not None:
        store._reader.close()
        store._reader = DirectWriter(store._reading, MemoryLocks(), reads=True)


def through_one_writer(
    store: SqliteStore,
    make: Callable[[SqliteDatabase, MemoryLocks], Writer],
    now: Callable[[], datetime],
) -> None:
    """Let all that *store* reads and writes go through the writer that *make* gives; *now* is its clock."""
    store._now = now
    store._writer.close()
    if store._reader is not None and store._reading is not None:
        store._reader.close()
        store._reading.close()
    store._reader = store._reading = None
    store._writer = make(store._db, store._locks)
