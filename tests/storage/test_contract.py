"""Both stores keep the contract: SQLite in memory and in a file, PostgreSQL in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from bot.storage.base import Store
from bot.storage.postgres.store import PostgresStore
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store import StoreContract
from bot.testing.contracts.store_scene import NOON

CHANNELS = ("channel:tg", "channel:vk")  # where the contract says something
FOR_EVER = timedelta(days=900)


class TestMemory(StoreContract):
    """In memory: the fake of all other tests."""

    @pytest_asyncio.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = SqliteStore.open(":memory:", now=lambda: NOON)
        yield store
        await store.close()


class TestFile(StoreContract):
    """In a file, with the reader beside the writer."""

    @pytest_asyncio.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        self.file = tmp_path / "bot.db"
        store = SqliteStore.open(f"sqlite:///{self.file}", now=lambda: NOON)
        yield store
        await store.close()

    async def traces(self, store: Store) -> bytes:
        """Every byte on the disk: tables, indexes, free pages and the log."""
        return b"".join(
            path.read_bytes() for path in sorted(self.file.parent.iterdir()) if not path.name.endswith("-shm")
        )


class TestPostgres(StoreContract):
    """In a database of PostgreSQL, as the only process."""

    @pytest_asyncio.fixture
    async def store(self, database: str) -> AsyncIterator[Store]:
        store = PostgresStore.open(database, now=lambda: NOON, own_time=True)
        await store.renew(CHANNELS, NOON, FOR_EVER)
        yield store
        await store.close()

    async def sender_ends(self, store: Store) -> None:
        await store.give_up(CHANNELS)
        await store.renew(CHANNELS, NOON, FOR_EVER)
