"""What all processes together may do in a minute: counted in the store, refused where it is used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import HandClock
from bot.errors import StorageError
from bot.storage.sqlite.store import SqliteStore
from bot.web.shared_window import SharedWindow

MINUTE = timedelta(minutes=1)


class Windows:
    """The windows of *count* processes over one store, on one clock."""

    def __init__(self, count: int, most: int) -> None:
        self.store, self.clock = SqliteStore.open(":memory:"), HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
        self.windows = [
            SharedWindow("key:crm", most, MINUTE, monotonic=self.clock.monotonic) for _ in range(count)
        ]

    async def wait(self, of: int = 0) -> float:
        return await self.windows[of].admit(self.store, self.clock())


async def test_alone_it_is_a_sliding_window() -> None:
    """The wait is told to the moment, and what was refused does not make it longer."""
    alone = Windows(1, 2)
    assert await alone.wait() == 0
    alone.clock.advance(seconds=10)
    assert await alone.wait() == 0
    for _ in range(20):
        assert await alone.wait() == 50
    alone.clock.advance(seconds=50)

    assert await alone.wait() == 0
    assert await alone.wait() == 10


async def test_several_have_no_more_than_one() -> None:
    """What one used up the other does not have; both have it again a minute later."""
    both = Windows(2, 4)
    assert [await both.wait(of) for of in (0, 1, 0, 1)] == [0, 0, 0, 0]
    assert await both.wait(0) > 0 and await both.wait(1) > 0
    both.clock.advance(seconds=60)

    assert [await both.wait(of) for of in (0, 0, 1, 1)] == [0, 0, 0, 0]


async def test_who_goes_on_asking_is_not_shut_out_for_ever() -> None:
    """Twice as many requests as allowed, over two replicas: in the long run about as many pass as may."""
    both = Windows(2, 60)
    passed = 0
    for n in range(10 * 120):
        passed += await both.wait(n % 2) == 0
        both.clock.advance(seconds=0.5)

    assert 400 <= passed <= 600


async def test_without_the_store_nothing_is_counted() -> None:
    """A database that was away has cost nobody anything."""
    alone = Windows(1, 1)

    class Away:
        async def hit(self, name: str, now: datetime, within: timedelta) -> int:
            raise StorageError("away")

    with pytest.raises(StorageError):
        await alone.windows[0].admit(Away(), alone.clock())

    assert await alone.wait() == 0


async def test_a_clock_that_is_put_back_shuts_nobody_out() -> None:
    """What was counted in an hour that now lies ahead counts no more."""
    alone = Windows(1, 1)
    assert await alone.wait() == 0
    alone.clock.advance(seconds=61)
    alone.clock.at -= timedelta(hours=1)

    assert await alone.wait() == 0
