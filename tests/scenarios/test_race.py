"""Many hands at once: one owner each, and no deadline lost or doubled when the process dies in between."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

from bot.model import Inbound, InboundKind, Peer, Sender
from bot.testing import TestBot, open_test_bot

DESK = "-100500"


async def taken_by_workers(testbot: TestBot) -> None:
    """All that is ready, decided by eight workers at once as `bot run` does."""
    workers = [asyncio.create_task(testbot.service.engine.work()) for _ in range(8)]
    deadline = asyncio.get_running_loop().time() + 60
    while (
        asyncio.get_running_loop().time() < deadline
        and (await testbot.service.store.counts())["inbounds_waiting"]
    ):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_two_hundred_claims_race_over_a_hundred_tickets(testbot: TestBot) -> None:
    """Each ticket has exactly one owner and one event that says so; the losers changed nothing."""
    for n in range(100):
        await testbot.customer(chat=str(2000 + n)).says("позовите оператора", run=False)
    await testbot.rest()
    store, claims = testbot.service.store, []
    for n in range(1, 101):
        thread = await store.topic(n, "telegram", DESK) or ""
        claims += [(n, thread, str(9000 + n * 2 + hand)) for hand in (0, 1)]
    random.Random(7).shuffle(claims)
    for n, thread, user in claims:
        said = Inbound(
            f"claim-{n}-{user}",
            Peer("telegram", DESK, thread),
            Sender(user, f"О{user}"),
            testbot.clock(),
            InboundKind.MESSAGE,
            "/take",
            private=False,
        )
        await testbot.service.inbox.accept("telegram", [said])
    testbot.clock.advance(seconds=6)
    await taken_by_workers(testbot)
    await testbot.rest()

    tickets = await store.tickets(limit=500)
    assert len(tickets) == 100 and all(t.status == "operator" and t.operator for t in tickets)
    taken = Counter(e.ticket for e in await store.events(kinds=["ticket_taken"]))
    assert set(taken.values()) == {1} and len(taken) == 100


async def test_deadlines_survive_any_number_of_deaths(articles: Path, tmp_path: Path) -> None:
    """A process that goes away before, between and after its timers: every deadline of twenty tickets fires
    once.
    """
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        for n in range(20):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора", run=False)
        await testbot.rest()
    for minutes in (10, 23, 24, 31, 32, 60):
        async with open_test_bot(articles, storage=file) as testbot:
            testbot.clock.advance(minutes=minutes)
            await testbot.service.store.fire_timers(testbot.clock())
            turn = await testbot.service.store.take_turn(
                testbot.clock()
            )  # taken and never finished: the process dies
            assert turn is None or turn.inbounds
        async with open_test_bot(articles, storage=file) as testbot:
            testbot.clock.advance(minutes=minutes)
            await testbot.rest()

            near = Counter(e.ticket for e in await testbot.service.store.events(kinds=["sla_near"]))
            broken = Counter(e.ticket for e in await testbot.service.store.events(kinds=["sla_breached"]))
            assert set(near.values()) <= {1} and set(broken.values()) <= {1}
    assert len(near) == len(broken) == 20
