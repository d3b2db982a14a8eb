"""What the commands read and change of the store, beside a running bot where that is possible.

A file of SQLite belongs to the bot that runs: it is only read, or the bot is stopped. A shared store is
opened as any other process opens it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.app import open_store
from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.messages import fail, say
from bot.config.loader import Config
from bot.errors import BotError, ConfigError, Problem, StorageBusy, StorageError
from bot.model import DeskState, Event, HistoryEntry, Ticket
from bot.storage.base import CustomerMessage, Recipient, Store, TurnRecord
from bot.storage.database import Made, SqliteDatabase, Work
from bot.storage.queries import desk_state, recipients
from bot.storage.queries import events as event_queries
from bot.storage.queries import tickets as ticket_queries
from bot.storage.queries import turns as turn_queries
from bot.text.problems import told


class StoreReader(Protocol):
    """The part of a `Store` that commands read beside a running bot."""

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> tuple[TurnRecord, ...]: ...

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> tuple[HistoryEntry, ...]: ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]: ...

    async def tickets(
        self, *, open_only: bool = True, limit: int = 200, bare: bool = False
    ) -> tuple[Ticket, ...]: ...

    async def tickets_of(self, numbers: Collection[int], *, bare: bool = False) -> tuple[Ticket, ...]: ...

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> tuple[Recipient, ...]: ...

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> tuple[CustomerMessage, ...]: ...

    async def incident_met(self, number: int) -> tuple[int, ...]: ...

    async def desk_state(self) -> DeskState: ...

    async def close(self) -> None: ...


class FileReader:
    """A file of SQLite that another process may own: nothing is locked, nothing is written.

    Raises `ConfigError` where there is no such file, `StorageError` where it is no database of ours.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ConfigError(
                [Problem(say("message.no_database"), str(file), hint=say("message.no_database_hint"))]
            )
        self._file = file
        self._db = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5, factory=SqliteDatabase
        )
        self._db.row_factory = sqlite3.Row

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> tuple[TurnRecord, ...]:
        return self._read(lambda db: event_queries.records(db, conversation, after, limit))

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> tuple[HistoryEntry, ...]:
        return self._read(lambda db: turn_queries.history(db, conversation, limit, since))

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]:
        return self._read(lambda db: event_queries.events(db, since, until, kinds))

    async def tickets(
        self, *, open_only: bool = True, limit: int = 200, bare: bool = False
    ) -> tuple[Ticket, ...]:
        return self._read(lambda db: ticket_queries.tickets(db, open_only, limit, bare))

    async def tickets_of(self, numbers: Collection[int], *, bare: bool = False) -> tuple[Ticket, ...]:
        return self._read(lambda db: ticket_queries.tickets_of(db, numbers, bare))

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> tuple[Recipient, ...]:
        return self._read(lambda db: recipients.listeners(db, after, limit, only))

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> tuple[CustomerMessage, ...]:
        return self._read(lambda db: recipients.words_since(db, since, after, limit))

    async def incident_met(self, number: int) -> tuple[int, ...]:
        return self._read(lambda db: desk_state.incident_met(db, number))

    async def desk_state(self) -> DeskState:
        return self._read(desk_state.read)

    async def close(self) -> None:
        self._db.close()

    def _read(self, query: Work[Made]) -> Made:
        try:
            return query(self._db)
        except sqlite3.Error as error:
            raise StorageError(told("database.not_read", file=self._file, reason=error)) from error


@asynccontextmanager
async def store_beside(config: Config, file: Path | None = None) -> AsyncIterator[StoreReader]:
    """What is kept in *file*, else in the store of the config, to be read beside a running bot.

    Raises `ConfigError` where there is no database, `StorageError`.
    """
    reader: StoreReader
    if file is not None or config.storage.is_file:
        reader = FileReader(file or Path(config.storage_path))
    else:
        reader = open_store(config, command_clock())
    try:
        yield reader
    finally:
        await reader.close()


@asynccontextmanager
async def own_store(config: Config) -> AsyncIterator[Store]:
    """The store of the config to be changed: a file that no bot holds, or a shared one beside the bots.

    Raises `StorageBusy` where a bot holds the file, `ConfigError`, `StorageError`.
    """
    store = open_store(config, command_clock())
    try:
        yield store
    finally:
        await store.close()


def with_store(path: Path | None, work: Callable[[Store], Awaitable[None]], *, busy: str = "") -> None:
    """Do *work* with the store of a config; *busy* says what to do where a running bot holds its file."""
    config = settings.load(path)

    async def done() -> None:
        async with own_store(config) as store:
            await work(store)

    try:
        asyncio.run(done())
    except StorageBusy as error:
        raise fail(StorageError(f"{error}\n→ {busy}" if busy else str(error))) from None
    except sqlite3.Error as error:
        raise fail(StorageError(str(error))) from None
    except BotError as error:
        raise fail(error) from None
