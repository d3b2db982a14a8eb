"""Threads that carry out units of work, each on a connection of the pool; units that wait together share a
commit.

A unit's future is resolved after the COMMIT that holds it. One that fails is rolled back, and its neighbours
with it: they are done again, each in a transaction of its own, so a unit must do nothing but through its
`Database`. So are units that met a deadlock, and those whose connection broke before their COMMIT was sent.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue
from typing import Any, cast

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from bot.errors import StorageError
from bot.storage.database import Made, Work
from bot.storage.postgres.database import NOTIFIED, PostgresDatabase
from bot.storage.units import Unit, tell, waited_for
from bot.text.problems import told

TRIES = 6  # of a unit that meets deadlocks or broken connections
HURRY = "150ms"  # how long units in a group wait for a lock: then they go one by one, which cannot deadlock
AWAY = 3.0  # seconds that a unit waits for a connection, while the database is away

_AGAIN = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
_BROKEN = (psycopg.OperationalError, psycopg.InterfaceError)


class _Unsure(Exception):
    """The connection broke while COMMIT was under way: whether it was done nobody can tell."""


class PooledWriter:
    """Runs units on *threads* threads, up to *group* of them in one transaction."""

    def __init__(
        self,
        pool: ConnectionPool[psycopg.Connection[Any]],
        *,
        threads: int,
        group: int,
        as_error: Callable[[BaseException], BaseException],
    ) -> None:
        self.commits = 0  # how many transactions were needed so far, for metrics and tests
        self.tells = False  # whether other processes are told of what they may look for
        self._pool, self._group, self._as_error = pool, group, as_error
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"storage-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work[Made], undo: Callable[[Made], None] | None = None) -> Made:
        """What *work* returned, once it is committed. Raises `StorageError`; then nothing of it was done, or
        (only where the connection broke at the COMMIT) nobody can tell: every unit of ours may be repeated.
        """
        unit, future = waited_for(work, undo=undo)
        self._put(unit)
        return cast(Made, await future)

    def post(self, work: Work[Any]) -> None:
        """Do it soon; nobody waits for the result."""
        self._put(Unit(work))

    def close(self) -> None:
        """Finish what waits and end the threads. A second call changes nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _put(self, unit: Unit) -> None:
        with self._closing:
            if self._closed:
                raise StorageError(told("database.closed"))
            self._queue.put(unit)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            units = [first]
            while len(units) < self._group:
                try:
                    unit = self._queue.get_nowait()
                except Empty:
                    break
                if unit is None:
                    self._queue.put(None)
                    break
                units.append(unit)
            self._carry_out(units)
            tell(units, self._as_error)
        self._queue.put(None)  # the next thread ends, too

    def _carry_out(self, units: list[Unit]) -> None:
        if len(units) > 1:
            try:
                self._commit(units, hurry=True)
                return
            except _Unsure as error:
                for unit in units:
                    unit.error = error.__cause__
                return
            except BaseException:  # noqa: BLE001 - whose it was shows when each goes alone
                pass
        for unit in units:
            self._alone(unit)

    def _alone(self, unit: Unit) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                self._commit([unit])
                return
            except _Unsure as error:
                unit.error = error.__cause__
                return
            except (PoolTimeout, PoolClosed) as error:  # these are OperationalErrors, and have waited already
                unit.error = error
                return
            except (*_AGAIN, *_BROKEN) as error:
                if attempt == TRIES:
                    unit.error = error
                    return
                time.sleep(random.uniform(0.005, 0.03) * attempt)
            except BaseException as error:  # noqa: BLE001 whoever waits is told
                unit.error = error
                return

    def _commit(self, units: Collection[Unit], *, hurry: bool = False) -> None:
        with self._pool.connection(timeout=AWAY) as connection:
            db = PostgresDatabase(connection)
            if hurry:
                db.execute(f"set local lock_timeout = '{HURRY}'")
            for unit in units:
                unit.result = unit.work(db)
            if self.tells:
                for what in sorted(db.hints):
                    db.execute("select pg_notify(?, ?)", (NOTIFIED, what))
            try:
                connection.commit()
            except _BROKEN as error:
                raise _Unsure from error
        self.commits += 1
