"""What each thing costs beside years of history: the same work on a small database and on one with 100,000
customers, a million messages and 1.5 million events (`benchmarks/growth_data.py`), side by side.

Cost is the processor's time of the whole process, the best of several rounds; "waits" is the longest time
that a message, or a page, waited meanwhile, by the clock.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from benchmarks.growth_data import CUSTOMERS, KEEP, LATELY, NOW, WEEKS, YEARS, statements
from bot.app import Overrides, Service, build_service, open_knowledge
from bot.clock import HandClock
from bot.config.loader import Config
from bot.feedback_loader import clicks
from bot.knowledge.search import Knowledge
from bot.model import Event, Inbound, Outbound, Outcome, Peer, Result, RichText, Sender
from bot.storage.base import DeliveryResult, ScheduledInbound, Store
from bot.storage.sqlite.store import SqliteStore
from bot.testing.fakes import FakeAdapter
from bot.web.server import build_app
from bot.web.services import WebServices

ROUNDS, TURNS, AGAIN = 4, 60, 10
MOST = 1.5  # times the small database's cost
NO_WAIT = 30.0  # milliseconds: shorter waits are not compared
Work = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Bench:
    """A service on one of the databases; *leaving* is who is forgotten next."""

    place: Path
    service: Service
    knowledge: Knowledge
    first: int  # customer
    keep: int  # days
    purged: int = 0
    leaving: int = CUSTOMERS - 200
    heard: int = 0

    @property
    def store(self) -> Store:
        return self.service.store


@dataclass(slots=True)
class Costs:
    """Milliseconds by name: of the processor, and by the clock how long others waited."""

    spent: dict[str, float]

    def note(self, name: str, ms: float) -> None:
        self.spent[name] = min(ms, self.spent.get(name, ms))


async def growth(place: Path, config: Config) -> dict[str, Any]:
    """All operations on an empty database, on that of ten weeks, and on that of two years."""
    knowledge = open_knowledge(config, channels=["telegram"])
    found = dict[str, Costs]()
    for name, first in (("empty", None), ("weeks", WEEKS), ("years", YEARS)):
        file = place / f"{name}.db"
        await write(file, first)
        found[name] = Costs({})
        async with opened(config, knowledge, file, first) as bench:
            await measure(bench, found[name])
        file.unlink()
    told: dict[str, dict[str, Any]] = {}
    for name, years in found["years"].spent.items():
        base = "empty" if name in found["empty"].spent else "weeks"
        small = found[base].spent[name]
        told[name] = {"base": base, "small": round(small, 2), "years": round(years, 2)}
        told[name]["ratio"] = round(years / max(small, 0.01), 2)
    tell(told)
    return {"over": len(over(told)), "what": over(told), "operations": told}


async def write(file: Path, first: int | None) -> None:
    """An empty database of this version, with the history from message *first* on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    await SqliteStore.open(file).close()
    if first is not None:
        db = sqlite3.connect(file, isolation_level=None)
        for pragma in ("synchronous = off", "journal_mode = off", "cache_size = -200000"):
            db.execute(f"pragma {pragma}")
        db.execute("begin")
        for statement in statements(first):
            db.execute(statement)
        db.execute("commit")
        db.close()


@asynccontextmanager
async def opened(config: Config, knowledge: Knowledge, file: Path, first: int | None) -> AsyncIterator[Bench]:
    parts = Overrides(
        adapters={"telegram": FakeAdapter("telegram")},
        clock=HandClock(NOW),
        storage=str(file),
        log_events=False,
        knowledge=knowledge,
    )
    service = await build_service(config, parts)
    keep = KEEP if first == YEARS else LATELY - 10
    yield Bench(file.parent, service, knowledge, CUSTOMERS - 9000 if first == WEEKS else 1, keep)
    await service.close()


async def measure(bench: Bench, costs: Costs) -> None:
    """Everything that this database has rows for."""
    store = bench.store
    await store.purge(NOW - timedelta(days=bench.keep))  # as it is a minute after a start
    if not await store.turns(limit=1):  # the customers have written before, as many times as in the others
        for _ in range(5):
            await turns(bench, Costs({}))
    for _ in range(ROUNDS):
        await turns(bench, costs)
        for name, work in rounds(bench).items():
            costs.note(name, await spent(partial(_again, work)) / AGAIN)
    if not await store.turns(after=1000, limit=1):
        return
    for _ in range(ROUNDS):
        for name, work in asked(bench).items():
            times = 1 if name.startswith("clicks") else AGAIN
            costs.note(name, await spent(partial(_again, work, times)) / times)
        for path in PAGES:
            await page(bench, path, costs)
    await tidying(bench, costs)


async def tidying(bench: Bench, costs: Costs) -> None:
    """What is done with the file and its people, and who waits for it."""
    store = bench.store
    works: dict[str, Work] = {
        "purge of one more day": lambda: _purge(bench),
        "forget": lambda: _forget(bench),
        "check": store.check,
        "backup": lambda: store.backup(bench.place / "copy.db"),
    }
    for name, work in works.items():
        for _ in range(2):
            costs.note(name, await spent(work))
        waited = await waiting(bench, work)
        costs.note(f"a message waits for: {name}", waited[0])
        costs.note(f"a page waits for: {name}", waited[1])


def rounds(bench: Bench) -> dict[str, Work]:
    """What the service does by itself."""
    store, late = bench.store, timedelta(minutes=1)

    async def watch() -> None:
        await store.owed(NOW, late)
        await store.retry(NOW, late, late)
        await store.unattended()

    return {
        "counts": store.counts,
        "watchdog's round": watch,
        "start: sends since": lambda: store.sends_since(NOW - late),
        "events of a rare kind": lambda: store.events(kinds=("broadcast_started",)),
        "joined customers": lambda: store.joined(1),
    }


def asked(bench: Bench) -> dict[str, Work]:
    """What answers with as many rows on both."""
    store, id = bench.store, CUSTOMERS - 150
    return {
        "clicks of a year": lambda: clicks(store, NOW - timedelta(days=KEEP), NOW),
        "find a customer by phone": lambda: store.find_customers({"phone": f"+790{1000000 + 5 * id}"}),
        "newest waits": store.recent_answers,
        "export": lambda: store.export_customer(id),
        "conversations of a customer": lambda: store.conversations(id),
    }


PAGES = {
    "report of a month": "/report?days=30",
    "list behind a figure": "/report/list?of=ntb&days=30",
    "queue": "/queue",
    "closed tickets": "/queue?all",
    "gaps": "/gaps",
    "threshold": "/threshold?days=28",
    "metrics": "/metrics",
    "a conversation": f"/conversation/{CUSTOMERS - 100}",
}


async def page(bench: Bench, name: str, costs: Costs) -> None:
    """Shown for the first time: nothing of it is remembered."""
    service = bench.service
    services = WebServices(
        bench.store,
        {},
        service.clock,
        knowledge=bench.knowledge,
        hours=service.hours,
        words=service.texts,
        keep_days=bench.keep,
    )
    async with TestClient(TestServer(build_app(services))) as client:

        async def show() -> None:
            answer = await client.get(PAGES[name], headers={"Accept": "text/html"})
            assert answer.status == 200, (name, answer.status, await answer.text())
            await answer.read()

        costs.note(name, await spent(show))


async def turns(bench: Bench, costs: Costs) -> None:
    """Accept, take, finish, deliver: of customers from all times."""
    store, dice, sums = (
        bench.store,
        Random(bench.heard),
        dict.fromkeys(("accept", "take", "finish", "send"), 0.0),
    )
    chats = Random(1).sample(range(bench.first, CUSTOMERS - 300), TURNS)
    dice.shuffle(chats)
    for chat in chats:
        bench.heard += 1
        peer, key = Peer("telegram", str(chat)), f"g{bench.heard}"
        said = Inbound(key, peer, Sender(peer.chat, "Анна"), NOW, text="где мой заказ", message=key)
        arrival = [ScheduledInbound(said, NOW, NOW)]
        sums["accept"] += await spent(lambda: store.accept("telegram", arrival))  # noqa: B023
        began = time.process_time()
        turn = await store.take_turn(NOW)
        sums["take"] += 1000 * (time.process_time() - began)
        assert turn is not None
        say = Outbound(peer, RichText("Доставим завтра до обеда"))
        outcome = Outcome(
            "faq", Result.ANSWERED, messages=(say,), state={"n": bench.heard}, events=(Event("answered"),)
        )
        sums["finish"] += await spent(lambda: store.finish_turn(turn, outcome, NOW))  # noqa: B023
        began = time.process_time()
        for delivery in await store.take_deliveries(NOW):
            await store.settle(delivery, DeliveryResult("sent", message=key), NOW)
        sums["send"] += 1000 * (time.process_time() - began)
    for name, ms in sums.items():
        costs.note(name, ms / TURNS)


async def spent(work: Work) -> float:
    """Milliseconds of the processor."""
    began = time.process_time()
    await work()
    return 1000 * (time.process_time() - began)


async def waiting(bench: Bench, work: Work) -> tuple[float, float]:
    """The longest that a message and a reading waited meanwhile."""
    running = asyncio.ensure_future(work())

    async def longest(one: Work) -> float:
        most = 0.0
        while not running.done():
            began = time.perf_counter()
            await one()
            most = max(most, 1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.005)
        return most

    async def hear() -> None:
        bench.heard += 1
        said = Inbound(f"w{bench.heard}", Peer("telegram", "7"), Sender("7", "Анна"), NOW, text="?")
        await bench.store.accept("telegram", [ScheduledInbound(said, NOW, NOW)])

    waits = await asyncio.gather(longest(hear), longest(lambda: bench.store.setting("none")))
    await running
    return waits[0], waits[1]


async def _again(work: Work, times: int = AGAIN) -> None:
    for _ in range(times):
        await work()


async def _purge(bench: Bench) -> None:
    bench.purged += 1
    assert await bench.store.purge(NOW - timedelta(days=bench.keep - bench.purged))


async def _forget(bench: Bench) -> None:
    bench.leaving += 1
    assert await bench.store.forget_customer(bench.leaving, NOW)


def over(told: dict[str, dict[str, Any]]) -> list[str]:
    """What costs more than it may."""
    return [
        name
        for name, row in told.items()
        if row["ratio"] > MOST and not (" waits for" in name and row["years"] <= NO_WAIT)
    ]


def tell(told: dict[str, dict[str, Any]]) -> None:
    """The table."""
    print(f"    {'milliseconds of the processor':48} {'small':>9} {'years':>9} {'times':>7}")
    for name, row in told.items():
        print(f"    {name:48} {row['small']:9} {row['years']:9} {row['ratio']:7}  {row['base']}")
