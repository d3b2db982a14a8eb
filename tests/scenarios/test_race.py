"""Many hands at once: one owner each, and no deadline lost or doubled when the process dies in between."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

from bot.model import Inbound, InboundKind, Peer, Sender
from bot.testing import Theatre, open_theatre

DESK = "-100500"


async def taken_by_workers(theatre: Theatre) -> None:
    """All that is ready, decided by eight workers at once as `bot run` does."""
    workers = [asyncio.create_task(theatre.house.engine.work()) for _ in range(8)]
    deadline = asyncio.get_running_loop().time() + 60
    while asyncio.get_running_loop().time() < deadline and (await theatre.house.store.counts())["inbounds_waiting"]:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_two_hundred_claims_race_over_a_hundred_tickets(theatre: Theatre) -> None:
    """Each ticket has exactly one owner and one event that says so; the losers changed nothing."""
    for n in range(100):
        await theatre.customer(chat=str(2000 + n)).says("позовите оператора", run=False)
    await theatre.rest()
    store, claims = theatre.house.store, []
    for n in range(1, 101):
        thread = await store.topic(n, "telegram", DESK) or ""
        claims += [(n, thread, str(9000 + n * 2 + hand)) for hand in (0, 1)]
    random.Random(7).shuffle(claims)
    for n, thread, user in claims:
        said = Inbound(f"claim-{n}-{user}", Peer("telegram", DESK, thread), Sender(user, f"О{user}"), theatre.clock(), InboundKind.MESSAGE, "/take", private=False)
        await theatre.house.inbox.accept("telegram", [said])
    theatre.clock.advance(seconds=6)
    await taken_by_workers(theatre)
    await theatre.rest()

    tickets = await store.tickets(limit=500)
    assert len(tickets) == 100 and all(t.status == "operator" and t.operator for t in tickets)
    taken = Counter(e.ticket for e in await store.events(kinds=["ticket_taken"]))
    assert set(taken.values()) == {1} and len(taken) == 100


async def test_deadlines_survive_any_number_of_deaths(articles: Path, tmp_path: Path) -> None:
    """A process that goes away before, between and after its timers: every deadline of twenty tickets fires once."""
    file = str(tmp_path / "bot.db")
    async with open_theatre(articles, storage=file) as theatre:
        for n in range(20):
            await theatre.customer(chat=str(2000 + n)).says("позовите оператора", run=False)
        await theatre.rest()
    for minutes in (10, 23, 24, 31, 32, 60):
        async with open_theatre(articles, storage=file) as theatre:
            theatre.clock.advance(minutes=minutes)
            await theatre.house.store.fire_timers(theatre.clock())
            turn = await theatre.house.store.take_turn(theatre.clock())  # taken and never finished: the process dies
            assert turn is None or turn.said
        async with open_theatre(articles, storage=file) as theatre:
            theatre.clock.advance(minutes=minutes)
            await theatre.rest()

            near = Counter(e.ticket for e in await theatre.house.store.events(kinds=["sla_near"]))
            broken = Counter(e.ticket for e in await theatre.house.store.events(kinds=["sla_breached"]))
            assert set(near.values()) <= {1} and set(broken.values()) <= {1}
    assert len(near) == len(broken) == 20
