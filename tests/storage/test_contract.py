"""The embedded store keeps the contract, in memory and in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot.storage.base import Store
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store import StoreContract
from bot.testing.contracts.store_scene import NOON


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
