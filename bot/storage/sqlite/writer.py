"""The one thread that writes: callers hand it units of work, it commits those that wait together.

A unit is a function of the connection. Its future is resolved only after the COMMIT that holds it, so "done"
means kept. A unit that fails is rolled back to its own savepoint and does not hurt its neighbours.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, cast

from bot.errors import StorageError
from bot.storage.database import Made, SqliteDatabase, Work
from bot.storage.turn_locks import MemoryLocks
from bot.storage.units import Unit, tell, waited_for
from bot.text.problems import told


class Writer:
    """Runs units one after another on a connection of its own, up to *group* of them in one transaction (that
    only *reads*).
    """

    def __init__(
        self, db: SqliteDatabase, locks: MemoryLocks, *, group: int = 64, reads: bool = False
    ) -> None:
        self.commits = 0  # how many transactions were needed so far, for metrics and tests
        self._db, self._locks, self._group = db, locks, group
        self._begin = "BEGIN" if reads else "BEGIN IMMEDIATE"
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(
            target=self._run, name="storage-reader" if reads else "storage", daemon=True
        )
        self._thread.start()

    async def run(
        self, work: Work[Made], *, alone: bool = False, undo: Callable[[Made], None] | None = None
    ) -> Made:
        """What *work* returned, once it is committed. Raises `StorageError`; then nothing of it was done.

        A caller who is cancelled leaves the unit to its fate; *undo* is then called with its result, in the
        writer's turn.
        """
        unit, future = waited_for(work, alone=alone, undo=undo)
        self._put(unit)
        return cast(Made, await future)

    def post(self, work: Work[Any]) -> None:
        """Do it after everything that waits now; nobody waits for the result."""
        self._put(Unit(work))

    def close(self) -> None:
        """Finish what waits and end the thread. A second call changes nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, unit: Unit) -> None:
        with self._closing:
            if self._closed:
                raise StorageError(told("database.closed"))
            self._queue.put(unit)

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            units, last = [first], False
            while len(units) < self._group and not units[-1].alone:
                try:
                    unit = self._queue.get_nowait()
                except Empty:
                    break
                if unit is None:
                    last = True
                    break
                units.append(unit)
            lonely = units.pop() if units[-1].alone else None
            if units:
                self._commit(units)
            if lonely is not None:
                self._alone(lonely)
                units.append(lonely)
            tell(units, as_storage_error)
            if last:
                return

    def _commit(self, units: list[Unit]) -> None:
        db = self._db
        before = db.total_changes
        try:
            db.execute(self._begin)
            for unit in units:
                self._step(unit, savepoint=len(units) > 1)
            if db.in_transaction:
                db.execute("COMMIT")
            self._locks.keep()
        except BaseException as error:  # noqa: BLE001 the whole group is lost: a full disk, a broken file
            self._locks.back_to(0)
            if db.in_transaction:
                db.execute("ROLLBACK")
            for unit in units:
                unit.error = unit.error or error
        self.commits += db.total_changes != before

    def _step(self, unit: Unit, *, savepoint: bool) -> None:
        db, mark = self._db, self._locks.mark()
        if savepoint:
            db.execute("SAVEPOINT unit")
        try:
            unit.result = unit.work(db)
        except BaseException as error:
            unit.error = error
            self._locks.back_to(mark)
            if not db.in_transaction:  # SQLite gave up the whole transaction by itself
                raise
            db.execute("ROLLBACK TO unit" if savepoint else "ROLLBACK")
        if savepoint:
            db.execute("RELEASE unit")

    def _alone(self, unit: Unit) -> None:
        try:
            unit.result = unit.work(self._db)
        except BaseException as error:  # noqa: BLE001 whoever waits is told
            unit.error = error


def as_storage_error(error: BaseException) -> BaseException:
    if isinstance(error, StorageError):
        return error
    reason = str(error) if isinstance(error, sqlite3.Error) else f"{type(error).__name__}: {error}"
    wrapped = StorageError(told("database.not_written", reason=reason))
    wrapped.__cause__ = error
    return wrapped
