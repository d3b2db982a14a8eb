"""What may go wrong in the database, brought about on purpose: a disk that is full, a process that dies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from bot.storage.sqlite.store import SqliteStore


@contextmanager
def refused_inserts(
    store: SqliteStore, table: str, *, when: str = "true", undoing: str = "abort"
) -> Iterator[None]:
    """Inserts into *table* fail until the block is left, where *when* holds of the `new` row.

    *undoing* says what is lost with the insert: "abort" the statement, "rollback" the whole transaction.
    """
    store._db.execute(
        f"create temp trigger refused before insert on {table} when {when}"
        f" begin select raise({undoing}, 'disk full'); end"
    )
    try:
        yield
    finally:
        store._db.execute("drop trigger refused")


@asynccontextmanager
async def full_disk(store: SqliteStore) -> AsyncIterator[None]:
    """The file may not grow by a page until the block is left."""
    await store._write(lambda db: db.execute("pragma max_page_count = 1").fetchone())
    try:
        yield
    finally:
        await store._write(lambda db: db.execute("pragma max_page_count = 1000000").fetchone())


def abandon(store: SqliteStore) -> None:
    """Let go of the file as the death of a process does: nothing is finished and nothing tidied."""
    store._db.close()
    if store._lock is not None:
        store._lock.release()
