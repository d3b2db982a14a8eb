"""Forgetting leaves no byte in the file, without writing it anew and without holding up who writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Peer, Sender
from bot.storage import privacy
from bot.storage.base import Store
from bot.storage.database import SqliteDatabase
from bot.storage.sqlite.free_space import FreeSpace
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_scene import NOON, answer, arrival, deliver_all, hear, later, say

PEOPLE, DAYS = 60, 7


def peer(n: int) -> Peer:
    return Peer("tg", f"Chat{n:04}Zq")


def mark(n: int) -> str:
    return f"Mark{n:04}Zq"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A file in which the rows of many customers have grown, so that they moved between pages."""
    opened = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    for day in range(DAYS):
        for n in range(PEOPLE):
            sender = Sender(peer(n).chat, mark(n), mark(n), mark(n))
            words = f"{mark(n)} " * (1 + (7 * n + 31 * day) % 90)
            await hear(opened, arrival(f"{mark(n)}{day}", words, peer(n), sender=sender))
            await decided(opened, day)
    await deliver_all(opened)
    yield opened
    await opened.close()


async def decided(store: Store, day: int) -> None:
    turn = await store.take_turn(NOON)
    assert turn is not None and turn.customer is not None
    own = turn.text.split()[0]
    known = replace(turn.customer, fields={"note": own * (1 + day % 3)})
    says = say(own * (1 + day * 6), turn.conversation.peer)
    await answer(
        store,
        turn,
        says,
        state={"x": own * ((7 * turn.id + 31 * day) % 29)},
        customer=known,
        explanation={"x": own * 30},
    )


def on_disk(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.iterdir()) if not p.name.endswith("-shm"))


def traces(folder: Path, n: int) -> int:
    kept = on_disk(folder)
    return kept.count(mark(n).encode()) + kept.count(peer(n).chat.encode())


async def customer_at(store: Store, n: int) -> int:
    found = await store.conversation(peer(n))
    assert found is not None and found.customer is not None
    return found.customer


async def test_nothing_stays_while_others_write(store: SqliteStore, tmp_path: Path) -> None:
    """Of whom is forgotten not a byte is left, though rows of theirs had moved and others write meanwhile;
    everybody else is as they were, and the file is sound.
    """
    stop = asyncio.Event()

    async def traffic() -> int:
        written = 0
        while not stop.is_set():
            other = Peer("tg", f"other{written % 20}")
            sender = Sender(other.chat, "Борис")
            await hear(store, arrival(f"t{written}", "чужое " * 30, other, sender=sender))
            turn = await store.take_turn(NOON)
            assert turn is not None
            await answer(store, turn, say("ответ", other), state={"x": "z" * (written % 300)})
            written += 1
        return written

    busy = asyncio.ensure_future(traffic())
    for n in range(10):
        assert traces(tmp_path, n) > 0
        assert await store.forget_customer(await customer_at(store, n), later(70))
        assert traces(tmp_path, n) == 0
    stop.set()
    assert await busy > 10
    assert await store.check() == ()
    assert (await store.history(PEOPLE))[0].text.startswith(mark(PEOPLE - 1))


async def test_a_reader_who_takes_long_only_delays_it(store: SqliteStore, tmp_path: Path) -> None:
    """As long as another connection reads the log it cannot be cut off: forgetting waits, writing goes on."""
    await hear(store, arrival("new", "ещё", peer(30), sender=Sender(peer(30).chat, mark(30))))
    reader = sqlite3.connect(f"{(tmp_path / 'bot.db').as_uri()}?mode=ro", uri=True)
    reader.execute("begin")
    reader.execute("select count(*) from inbox").fetchone()
    forgetting = asyncio.ensure_future(store.forget_customer(await customer_at(store, 3), later(70)))
    for n in range(20):
        await hear(store, arrival(f"w{n}", "пишу", Peer("tg", "other")))
    assert not forgetting.done()

    reader.execute("commit")
    reader.close()
    assert await forgetting
    assert traces(tmp_path, 3) == 0


async def test_what_a_dead_process_left_is_blanked_at_the_next_start(
    store: SqliteStore, tmp_path: Path
) -> None:
    """The rows were blanked, the rest of the work was not done: the next start does it, and once."""
    people = [await customer_at(store, n) for n in range(PEOPLE)]
    await store.close()
    with opened(tmp_path / "bot.db") as db:
        for id in people:
            assert privacy.erase(db, id, later(70), lambda _: 10**6)
        assert privacy.to_scrub(db) == PEOPLE
    assert sum(traces(tmp_path, n) for n in range(PEOPLE)) > 0

    again = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    assert sum(traces(tmp_path, n) for n in range(PEOPLE)) == 0
    assert await again.check() == ()
    await again.close()
    with opened(tmp_path / "bot.db") as db:
        assert privacy.to_scrub(db) == 0


@contextmanager
def opened(file: Path) -> Iterator[SqliteDatabase]:
    """As the store opens it, without what it does afterwards."""
    db = sqlite3.connect(file, factory=SqliteDatabase)
    db.row_factory = sqlite3.Row
    db.execute("pragma secure_delete = on")
    with db:
        yield db
    db.close()


async def test_a_copy_holds_nothing_that_was_blanked(store: SqliteStore, tmp_path: Path) -> None:
    """Words that were kept long enough are in no backup, though the file itself may still hold copies."""
    await store.purge(later(10))
    await store.backup(tmp_path / "copies" / "copy.db")

    copy = (tmp_path / "copies" / "copy.db").read_bytes()
    assert [n for n in range(PEOPLE) if (mark(n) * 30).encode() in copy] == []
    space = FreeSpace(tmp_path / "copies" / "copy.db")
    assert space.stale() == []
    space.close()
