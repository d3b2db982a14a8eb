"""The database is away for a while: nothing is done meanwhile, and all goes on when it is back."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bot.errors import StorageError
from bot.storage.postgres.store import PostgresStore
from bot.testing.contracts.store_scene import NOON, arrival, hear, take
from tests.postgres import running


async def test_a_database_that_comes_back_is_used_at_once() -> None:
    """Whoever asks meanwhile is told; each of the store's ways works again as soon as the server does."""
    with running(durable=True) as cluster:
        store = PostgresStore.open(cluster.database(), now=lambda: NOON)
        try:
            await hear(store, arrival("1"))
            cluster.stop("immediate")
            for asked in (lambda: hear(store, arrival("2")), store.counts, store.clock):
                with pytest.raises(StorageError):
                    await asked()
            cluster.start()
            for _ in range(20):
                with suppress(StorageError):
                    await hear(store, arrival("2"))
                    break
            assert [i.key for i in (await take(store)).inbounds] == ["1", "2"]
            assert await store.clock() is not None and (await store.counts())["customers"] == 1
        finally:
            await store.close()
