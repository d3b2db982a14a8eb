"""The embedded store: one SQLite file with one owner, written by one thread, read beside it.

Each method is one unit of the writer; units that wait together are committed together. `:memory:` is the same
store without a file, and the only fake there is.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.errors import StorageError
from bot.storage import maintenance, privacy
from bot.storage.base import (
    Lease,
    Replica,
)
from bot.storage.database import Database, Made, SqliteDatabase, Work
from bot.storage.migrations import bring_up
from bot.storage.queries import (
    turns,
)
from bot.storage.query_store import QueryStore
from bot.storage.sqlite.free_space import FreeSpace, portions
from bot.storage.sqlite.lockfile import LockFile
from bot.storage.sqlite.writer import Writer
from bot.storage.turn_locks import MemoryLocks
from bot.text.problems import told

READING = 0.05  # seconds until the log is tried again that somebody reads


def _now() -> datetime:
    return datetime.now(UTC)


class SqliteStore(QueryStore):
    """A `Store` in one SQLite file (or in memory). Made by `open`; `close` gives the file back."""

    _locks: MemoryLocks

    def __init__(
        self,
        file: Path | None,
        lock: LockFile | None,
        db: SqliteDatabase,
        reader: SqliteDatabase | None,
        now: Callable[[], datetime],
        group: int,
    ) -> None:
        self.file, self.holder, self.shared = file, "", False
        self._hits: dict[str, list[datetime]] = {}
        self._lock, self._db, self._reading, self._now = lock, db, reader, now
        self._locks = MemoryLocks()
        self._turns = turns.highest(db)
        self._space: FreeSpace | None = None
        self._scrubbing = asyncio.Lock()
        self._writer = Writer(db, self._locks, group=group)
        self._reader = None if reader is None else Writer(reader, MemoryLocks(), reads=True)

    @classmethod
    def open(
        cls, url_or_path: str | Path, *, now: Callable[[], datetime] = _now, group: int = 64
    ) -> SqliteStore:
        """The store in this file, made with its folder where there is none and brought up to this version's
        shape.

        Takes `sqlite:///data/bot.db`, a plain path, or `:memory:`; *group* is how many waiting units share a
        commit at most. Raises `StorageBusy` where another process owns the file, `StorageNewer` where a newer
        version has been at it, `StorageError` where it cannot be opened.
        """
        file = _file(url_or_path)
        with ExitStack() as undo:
            try:
                lock = None if file is None else _own(file)
                if lock is not None:
                    undo.callback(lock.release)
                db = _connect(str(file) if file else ":memory:")
                undo.callback(db.close)
                bring_up(db, file, now())
                if file is not None and privacy.to_scrub(db):
                    _clean(db, file)
                reader = _connect(f"{file.as_uri()}?mode=ro", read_only=True) if file else None
                store = cls(file, lock, db, reader, now, group)
            except OSError as error:
                raise StorageError(told("database.folder", folder=file and file.parent)) from error
            except sqlite3.Error as error:
                why = told("database.not_opened", file=file or ":memory:", reason=error)
                raise StorageError(why) from error
            undo.pop_all()
            return store

    @property
    def commits(self) -> int:
        """How many transactions were needed so far."""
        return self._writer.commits

    async def _write(self, work: Work[Made], undo: Callable[[Made], None] | None = None) -> Made:
        return await self._writer.run(work, undo=undo)

    async def _read(self, work: Work[Made]) -> Made:
        """Beside the writer where there is a file: a future is resolved after its COMMIT, so what a caller
        wrote they read.
        """
        return await (self._reader or self._writer).run(work)

    def _post(self, work: Work[object]) -> None:
        self._writer.post(work)

    def _number(self, db: Database) -> int:
        self._turns += 1
        return self._turns

    async def _scrub(self) -> None:
        """Beside everything else: the writer is asked for a few milliseconds at a time."""
        if self.file is None:
            return
        async with self._scrubbing:
            space = self._space = self._space or FreeSpace(self.file)
            try:
                people = await self._read(privacy.to_scrub)
                await self._alone(space.begin)
                for pages in portions(await asyncio.to_thread(space.stale)):
                    await self._alone(lambda db, pages=pages: space.blank(db, pages))  # type: ignore[misc]
            finally:
                await self._writer.run(space.end, alone=True)
            await self._write(lambda db: privacy.scrubbed(db, people))

    async def _alone(self, work: Work[bool]) -> None:
        """Again and again, until it could be done."""
        while not await self._writer.run(work, alone=True):
            await asyncio.sleep(READING)

    # --- one process: it holds everything, and nobody else is there
    async def renew(self, names: Collection[str], now: datetime, lasting: timedelta) -> Mapping[str, Lease]:
        return {name: Lease(name, self.holder, 0, now + lasting) for name in names}

    async def give_up(self, names: Collection[str]) -> None:
        pass

    async def leases(self) -> tuple[Lease, ...]:
        return ()

    async def report(self, replica: Replica, now: datetime) -> None:
        pass

    async def replicas(self, since: datetime) -> tuple[Replica, ...]:
        return ()

    async def hit(self, name: str, now: datetime, within: timedelta) -> int:
        lately = [at for at in self._hits.get(name, ()) if now - within < at <= now]  # the clock may go back
        self._hits[name] = [*lately, now]
        return len(lately) + 1

    async def clock(self) -> datetime | None:
        return None

    def listen(self, heard: Callable[[str], None]) -> None:
        pass

    async def backup(self, path: Path) -> None:
        """By a connection of its own: neither writers nor readers wait for it."""
        if self.file is None:
            await self._writer.run(lambda _: maintenance.backup(self._db, path), alone=True)
        else:
            await asyncio.to_thread(copy_beside_owner, self.file, path)

    async def check(self) -> tuple[str, ...]:
        if self.file is None:
            return await self._read(lambda db: _faults(db, self._now()))
        return await asyncio.to_thread(_faults_beside, self.file, self._now())

    async def close(self) -> None:
        """Finish what waits, tidy the log, give the file back. A second call changes nothing."""
        if self._reader is not None and self._reading is not None:
            self._reader.close()
            self._reading.close()
        self._writer.close()
        self._db.close()
        if self._space is not None:
            self._space.close()
        if self._lock is not None:
            self._lock.release()


def _clean(db: SqliteDatabase, file: Path) -> None:
    """What a process that died could not finish: before anybody reads or writes."""
    space = FreeSpace(file)
    try:
        if space.begin(db):
            space.clean()
            db.execute("pragma shrink_memory")
            privacy.scrubbed(db, privacy.to_scrub(db))
        space.end(db)
    finally:
        space.close()


def copy_beside_owner(url_or_path: str | Path, to: Path) -> None:
    """A whole copy of a database that another process owns, as of one moment.

    Read-only: only the owner writes and checkpoints, so the two connections cannot meet in the log. Raises
    `StorageError`.
    """
    file = _file(url_or_path)
    if file is None or not file.is_file():
        raise StorageError(told("database.none", file=file or ":memory:"))
    try:
        db = _connect(f"{file.as_uri()}?mode=ro", read_only=True)
        try:
            maintenance.backup(db, to, of=file)
        finally:
            db.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(told("database.not_copied", file=file, reason=error)) from error


def _faults(db: Database, now: datetime) -> tuple[str, ...]:
    return maintenance.check_file(db) + maintenance.check(db, now)


def _faults_beside(file: Path, now: datetime) -> tuple[str, ...]:
    """By a connection of its own: all of the file is read, and nobody is to wait for that."""
    db = _connect(f"{file.as_uri()}?mode=ro", read_only=True)
    try:
        db.execute("begin")
        return _faults(db, now)
    finally:
        db.close()


def _file(url_or_path: str | Path) -> Path | None:
    """The database file; None for memory."""
    name = str(url_or_path)
    if name.startswith("sqlite://"):
        name = name.removeprefix("sqlite://").removeprefix("/") or ":memory:"
    elif "://" in name:
        raise StorageError(told("database.kind", kind=name.partition("://")[0]))
    return None if name == ":memory:" else Path(name).expanduser().resolve()


def _own(file: Path) -> LockFile:
    """The right to *file*, which is there afterwards, with its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = LockFile(file)
    maintenance.make_private(file)
    return lock


def _connect(name: str, *, read_only: bool = False) -> SqliteDatabase:
    db = sqlite3.connect(
        name,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
        uri=read_only,
        factory=SqliteDatabase,
    )
    db.row_factory = sqlite3.Row
    pragmas = (
        ()
        if read_only
        else (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "secure_delete = on",
            "wal_autocheckpoint = 4000",
        )
    )
    for pragma in (*pragmas, "cache_size = -8000", "busy_timeout = 5000"):
        db.execute(f"pragma {pragma}")
    return db
