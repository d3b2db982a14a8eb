"""The store of several processes: PostgreSQL 15 or later, the same queries as SQLite's, threads of a pool.

What one process may do at a time is a row with a time on it (`leases`), a turn under way is columns of its
conversation, and a hint that there is something to do is a NOTIFY that may be lost. All of it works behind a
pooler that hands out connections for one transaction; only LISTEN wants an address of its own.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from bot.errors import StorageError, VersionConflict
from bot.observability import get_logger
from bot.storage import maintenance
from bot.storage.base import Lease, Replica
from bot.storage.codec import moment, ms
from bot.storage.database import Database, Made, Work
from bot.storage.postgres import schema
from bot.storage.postgres.database import NOTIFIED, PostgresDatabase, prepared
from bot.storage.postgres.dump import dump
from bot.storage.postgres.leased_turns import LeasedTurns
from bot.storage.postgres.pooler import hears, is_pooled
from bot.storage.postgres.problems import explained, no_hints, old_server, url_fault, wrong_encoding
from bot.storage.postgres.writer import PooledWriter
from bot.storage.queries import leases
from bot.storage.query_store import QueryStore
from bot.text.problems import told

GROUP = 16  # units that share a commit at most
PATIENCE = 10  # seconds that a new connection may take
# Seconds for which a pool tries to connect by itself, with growing pauses; then whoever wants a connection
# begins anew, so that a database that comes back is there within a second or two.
AGAIN = 3.0
_TIME = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"
# Where a customer's words were, for VACUUM after they were blanked.
_WORDS = (
    "conversations, inbox, turns, history, tickets, topics, outbox, timers, events, customers, settings,"
    " visitors, chat_lines"
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server is reached: *url* for the work, *listen_url* for LISTEN where *url* leads to a pooler
    that hands out connections for one transaction; *connections* at most at once. *pooled*: such a pooler was
    seen.
    """

    url: str
    listen_url: str = ""
    connections: int = 6
    pooled: bool = False


def _now() -> datetime:
    return datetime.now(UTC)


class PostgresStore(QueryStore):
    """A `Store` in a PostgreSQL database that other processes work on, too. Made by `open`."""

    _locks: LeasedTurns

    def __init__(
        self, server: ServerSettings, holder: str, now: Callable[[], datetime], *, own_time: bool
    ) -> None:
        self.file: Path | None = None
        self.holder, self.shared = holder, True
        self._server, self._now, self._own_time = server, now, own_time
        self._locks = LeasedTurns(holder)
        readers = max(1, server.connections // 3)
        self._pool = _pool(server, server.connections - readers)
        self._reading = _pool(server, readers, reads=True)
        self._leasing = _pool(server, 1)

        as_error = partial(_as_storage_error, url=server.url)
        self._writer = PooledWriter(
            self._pool, threads=server.connections - readers, group=GROUP, as_error=as_error
        )
        self._reader = PooledWriter(self._reading, threads=readers, group=1, as_error=as_error)
        # law: no heartbeat stands behind what is written, however much that is
        self._heartbeat = PooledWriter(self._leasing, threads=1, group=1, as_error=as_error)
        self.listening = threading.Event()  # hints are heard
        self._listener: threading.Thread | None = None
        self._closing = threading.Event()

    @classmethod
    def open(
        cls,
        server: ServerSettings | str,
        *,
        now: Callable[[], datetime] = _now,
        holder: str = "",
        own_time: bool = False,
    ) -> PostgresStore:
        """The store in this database, brought up to this version's shape.

        *holder* names this process: one that is started again under its name has its leases and turns at
        once. Leases go by the database's clock, or by *own_time*, the times that the methods are given (for
        tests). Raises `StorageNewer` where a newer version has changed the shape, `StorageError` with what to
        do where the server cannot be used.
        """
        server = ServerSettings(server) if isinstance(server, str) else server
        if fault := url_fault(server.url) or (server.listen_url and url_fault(server.listen_url)):
            raise StorageError(fault)
        holder = holder or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        try:
            with psycopg.connect(server.url, connect_timeout=PATIENCE) as connection:
                _check_server(connection.info, server.url)
                if is_pooled(connection):
                    server = replace(server, pooled=True)
                    connection.prepare_threshold = None
                prepared(connection)
                db = PostgresDatabase(connection)
                schema.bring_up(db, ms(now()))
                LeasedTurns(holder).free_of(db, holder)
            return cls(server, holder, now, own_time=own_time)
        except psycopg.Error as error:
            raise explained(error, server.url) from error

    @property
    def commits(self) -> int:
        """How many transactions were needed so far."""
        return self._writer.commits

    async def _write(self, work: Work[Made], undo: Callable[[Made], None] | None = None) -> Made:
        return await self._writer.run(work, undo=undo)

    async def _read(self, work: Work[Made]) -> Made:
        return await self._reader.run(work)

    def _post(self, work: Work[object]) -> None:
        self._writer.post(work)

    def _number(self, db: Database) -> int:
        return int(db.execute("select nextval('turn_ids')").fetchone()[0])

    async def _scrub(self) -> None:
        """Dead rows go at once, not when autovacuum comes; the log (WAL) and backups keep what they hold
        until they are past their time.
        """
        await asyncio.to_thread(self._vacuum)

    def _vacuum(self) -> None:
        try:
            with psycopg.connect(self._server.url, autocommit=True, connect_timeout=PATIENCE) as connection:
                connection.execute(f"vacuum {_WORDS}")
        except psycopg.Error as error:
            raise explained(error, self._server.url) from error

    # --- several processes
    def _time(self, db: Database, now: datetime) -> datetime:
        """Leases go by one clock for all."""
        return now if self._own_time else moment(db.execute(_TIME).fetchone()[0])

    def _epochs(self, db: Database, now: datetime) -> Mapping[str, int] | None:
        return leases.epochs(db, self.holder, self._time(db, now))

    async def renew(self, names: Collection[str], now: datetime, lasting: timedelta) -> Mapping[str, Lease]:
        def keep(db: Database) -> Mapping[str, Lease]:
            time = self._time(db, now)
            for gone in leases.ended(db, time - lasting):
                self._locks.free_of(db, gone)
            return leases.renew(db, self.holder, names, time, lasting)

        return await self._heartbeat.run(keep)

    async def give_up(self, names: Collection[str]) -> None:
        await self._heartbeat.run(lambda db: leases.give_up(db, self.holder, names))

    async def leases(self) -> tuple[Lease, ...]:
        return await self._heartbeat.run(leases.listed)

    async def report(self, replica: Replica, now: datetime) -> None:
        await self._heartbeat.run(lambda db: leases.report(db, replica, self._time(db, now)))

    async def replicas(self, since: datetime) -> tuple[Replica, ...]:
        found = await self._heartbeat.run(lambda db: leases.replicas(db, since))
        self._writer.tells = any(replica.name != self.holder for replica in found)
        return found

    async def hit(self, name: str, now: datetime, within: timedelta) -> int:
        return await self._write(lambda db: leases.hit(db, name, now, within))

    async def clock(self) -> datetime | None:
        return moment(await self._heartbeat.run(lambda db: db.execute(_TIME).fetchone()[0]))

    def listen(self, heard: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        self._writer.tells = True
        self._listener = threading.Thread(
            target=self._listen, args=(loop, heard), name="storage-listener", daemon=True
        )
        self._listener.start()

    def _listen(self, loop: asyncio.AbstractEventLoop, heard: Callable[[str], None]) -> None:
        """Until the store is closed; a lost connection is opened again, what was missed is found by polling.
        Through a pooler that lets no hints through it ends with a warning: polling finds all.
        """
        url, told_of = self._server.listen_url or self._server.url, ""
        while not self._closing.is_set():
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=PATIENCE) as connection:
                    connection.execute(f"listen {NOTIFIED}")
                    doubtful = bool(self._server.listen_url) or is_pooled(connection)
                    if doubtful and not hears(connection, self._server.url):
                        get_logger("storage").warning("no_hints", hint=no_hints(url))
                        return
                    self.listening.set()
                    told_of = ""
                    while not self._closing.is_set():
                        for notice in connection.notifies(timeout=1.0, stop_after=1):
                            loop.call_soon_threadsafe(heard, notice.payload)
            except psycopg.Error as error:
                if (why := str(explained(error, url))) != told_of:
                    get_logger("storage").warning("not_listening", problem=why)
                    told_of = why
                self._closing.wait(2.0)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return

    # --- the database itself
    async def backup(self, path: Path) -> None:
        """By pg_dump, in its own format, as of one moment. Raises `StorageError` where it is missing."""
        await asyncio.to_thread(dump, self._server.listen_url or self._server.url, path)

    async def check(self) -> tuple[str, ...]:
        return await self._read(lambda db: maintenance.check(db, self._now()))

    async def close(self) -> None:
        """Finish what waits, then let go of the connections. A second call changes nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        for worker in (self._reader, self._writer, self._heartbeat):
            worker.close()
        if self._listener is not None:
            self._listener.join(timeout=5)
        for pool in (self._reading, self._pool, self._leasing):
            pool.close()


def open_postgres(
    url: str,
    *,
    now: Callable[[], datetime] = _now,
    listen_url: str = "",
    pool: int = 6,
    holder: str = "",
) -> PostgresStore:
    """What `storage.url: postgresql://…` opens; see `PostgresStore.open` and `ServerSettings`."""
    return PostgresStore.open(ServerSettings(url, listen_url, max(2, pool)), now=now, holder=holder)


def _check_server(info: psycopg.ConnectionInfo, url: str) -> None:
    """Raises `StorageError` where the server cannot keep what is kept here."""
    encoding = info.parameter_status("server_encoding") or ""
    if fault := old_server(info.server_version, url) or wrong_encoding(encoding, url):
        raise StorageError(fault)


def _as_storage_error(error: BaseException, *, url: str) -> BaseException:
    if isinstance(error, StorageError | VersionConflict):
        return error
    if isinstance(error, psycopg.Error):
        wrapped = explained(error, url)
    else:
        wrapped = StorageError(told("database.not_written", reason=f"{type(error).__name__}: {error}"))
    wrapped.__cause__ = error
    return wrapped


def _pool(
    server: ServerSettings, size: int, *, reads: bool = False
) -> ConnectionPool[psycopg.Connection[Any]]:
    """Connections that are opened when first wanted."""

    def configure(connection: psycopg.Connection[Any]) -> None:
        prepared(connection)
        if reads:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
        if server.pooled:  # nothing of a connection outlives a transaction
            connection.prepare_threshold = None

    return ConnectionPool(
        server.url,
        min_size=1,
        max_size=size,
        open=True,
        configure=configure,
        reconnect_timeout=AGAIN,
        kwargs={"connect_timeout": PATIENCE},
        name="otklik-reads" if reads else "otklik",
    )
