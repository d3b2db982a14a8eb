"""Group commit: waiting units share a transaction, and only that."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.errors import StorageError
from bot.model import Outcome, Peer
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_scene import NOON, arrival, decide, say, take
from bot.testing.faults import refused_inserts


async def test_callers_who_wait_together_are_committed_together(tmp_path: Path) -> None:
    """Two hundred callers at once need a few transactions, not two hundred."""
    store = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    before = store.commits
    new = await asyncio.gather(
        *(store.accept("tg", [arrival(str(n), peer=Peer("tg", str(n)))]) for n in range(200))
    )

    assert sum(new) == 200
    assert store.commits - before <= 20
    assert (await store.counts())["inbounds_waiting"] == 200
    await store.close()


async def test_a_failing_unit_does_not_hurt_its_neighbours(tmp_path: Path) -> None:
    """Each unit has its own savepoint: only those that failed are told so, and only they are not there."""
    store = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    bad = {7, 30, 31, 99}
    results = await asyncio.gather(
        *(
            store.accept(
                "tg",
                [
                    arrival(f"{n}-", peer=Peer("tg", str(n))),
                    arrival(str(n), data={"x": object()} if n in bad else {}),
                ],
            )
            for n in range(100)
        ),
        return_exceptions=True,
    )

    assert {n for n, r in enumerate(results) if isinstance(r, StorageError)} == bad
    assert (await store.counts())["inbounds_waiting"] == 2 * (100 - len(bad))
    assert [await store.conversation(Peer("tg", str(n))) for n in bad] == [None] * len(bad)
    await store.close()


async def test_looking_at_nothing_writes_nothing() -> None:
    """An idle service does not wear out the disk."""
    store = SqliteStore.open(":memory:", now=lambda: NOON)
    before = store.commits
    for _ in range(5):
        assert await store.take_turn(NOON) is None
        assert await store.take_deliveries(NOON) == ()
        assert await store.fire_timers(NOON) == 0

    assert store.commits == before
    await store.close()


async def test_locks_follow_the_transaction() -> None:
    """A turn whose group could not be committed is not held by anybody."""
    store = SqliteStore.open(":memory:", now=lambda: NOON)
    await store.accept("tg", [arrival("1")])
    turn = await take(store)
    with refused_inserts(store, "turns", undoing="rollback"):
        taken, finished, other = await asyncio.gather(
            store.take_turn(NOON),
            store.finish_turn(turn, _decision(), NOON),
            store.accept("tg", [arrival("2")]),
            return_exceptions=True,
        )
    assert taken is None or isinstance(taken, StorageError)
    assert isinstance(finished, StorageError)
    await store.finish_turn(turn, _decision(), NOON)
    if isinstance(other, StorageError):
        await store.accept("tg", [arrival("2")])

    assert [i.key for i in (await take(store)).inbounds] == ["2"]
    assert len(await store.deliveries()) == 1
    await store.close()


def _decision() -> Outcome:
    return decide(say("да"))
