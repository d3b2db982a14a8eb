"""Timers are kept in milliseconds, and never fire early for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.model import Inbound, InboundKind, Outcome, Peer, Result, Sender, Timer
from bot.model.internal import OtherTimer
from bot.storage.base import ScheduledInbound
from bot.storage.sqlite.store import SqliteStore


@pytest.mark.parametrize("micro", [0, 1, 500, 999])
async def test_a_timer_with_microseconds_does_not_ring_before_its_time(micro: int) -> None:
    """Whoever looks at the clock when it fires finds the time has come: else it would be set again, for
    ever.
    """
    start = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    due = start + timedelta(seconds=10, microseconds=micro)
    store = SqliteStore.open(":memory:", now=lambda: start)
    inbound = Inbound("1", Peer("telegram", "1001"), Sender("1001"), start, InboundKind.MESSAGE, "hello")
    await store.accept("telegram", [ScheduledInbound(inbound, start, start)])
    turn = await store.take_turn(start)
    assert turn is not None
    await store.finish_turn(
        turn, Outcome("test", Result.IGNORED, timers=(Timer("t:1", OtherTimer("test"), due),)), start
    )
    moment = start + timedelta(seconds=9, microseconds=999_000)
    while not await store.fire_timers(moment):
        moment += timedelta(microseconds=250)

    assert due <= moment <= due + timedelta(milliseconds=2)
    await store.close()
