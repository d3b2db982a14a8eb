"""Death at a chosen moment: every commit and every call of a platform is a point at which the process may
end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from bot.errors import StorageError
from bot.storage.database import Made, SqliteDatabase, Work
from bot.storage.sqlite.writer import Writer, as_storage_error
from bot.storage.turn_locks import MemoryLocks


class Killed(BaseException):
    """The process is dead: nothing of it runs any more. No `except Exception` of ours may survive it."""


class Fuse:
    """Counts the points that one life of the service passes, and ends it at number *at* (0 = never)."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.points, self.dead = at, list[str](), False
        self.blown = asyncio.Event()

    def check(self) -> None:
        """Raises `Killed` when the process is dead."""
        if self.dead:
            raise Killed

    def point(self, what: str) -> None:
        """One moment between two things that the world can see."""
        self.check()
        self.points.append(what)
        if len(self.points) == self.at:
            self.blow()
            raise Killed

    def blow(self) -> None:
        self.dead = True
        self.blown.set()


class DirectWriter(Writer):
    """The store's writer without a thread: each unit is a transaction, with a point before and after every
    COMMIT that changes something.
    """

    def __init__(
        self, db: SqliteDatabase, locks: MemoryLocks, fuse: Fuse, dice: random.Random
    ) -> None:  # the base's thread is not wanted
        self.commits = 0
        self._db, self._locks, self._fuse, self._dice = db, locks, fuse, dice

    async def run(
        self, work: Work[Made], *, alone: bool = False, undo: Callable[[Made], None] | None = None
    ) -> Made:
        self._fuse.check()
        await asyncio.sleep(self._dice.random() * 0.003)
        self._fuse.check()
        made = work(self._db) if alone else self._transaction(work)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if undo is not None and not self._fuse.dead:
                undo(made)
            raise
        self._fuse.check()
        return made

    def post(self, work: Work[Any]) -> None:
        if not self._fuse.dead:
            self._transaction(work)

    def close(self) -> None:
        return None

    def _transaction(self, work: Work[Made]) -> Made:
        db, before = self._db, self._db.total_changes
        try:
            db.execute("begin immediate")
            made = work(db)
            changed = db.total_changes != before
            if changed:
                self._fuse.point("before a commit")
            db.execute("commit")
            self._locks.keep()
        except Killed:
            raise  # what is not committed is not in the file
        except BaseException as error:
            self._locks.back_to(0)
            if db.in_transaction:
                db.execute("rollback")
            if isinstance(error, StorageError):
                raise
            raise as_storage_error(error) from error
        if changed:
            self.commits += 1
            self._fuse.point("after a commit")
        return made
