"""Three replicas on one PostgreSQL while people write: killed, frozen, the server restarted, connections cut.

    python -m tests.chaos.cluster.run --seed 1        (make chaos-cluster SEED=1)

The seed decides who writes what and what happens to whom; how the processes interleave it does not.
`--planted NAME` runs with a bug planted on purpose (planted.py).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.cluster import laws
from tests.chaos.cluster.people import People
from tests.chaos.cluster.planted import BUGS
from tests.chaos.cluster.platform_servers import ROUGH, Platforms
from tests.chaos.cluster.replicas import Disturbance, Replica, write_config
from tests.chaos.platforms import CALM
from tests.conftest import ARTICLES
from tests.postgres import Cluster

STARTING, OUTAGE = 60.0, 5.0  # seconds that a start takes at most, and that an outage is felt afterwards


Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    replicas: int = 3
    kills: int = 30
    freezes: int = 3
    frozen: float = 16.0  # seconds: longer than a lease lasts
    restarts: int = 2
    cuts: int = 8
    every: tuple[float, float] = (3.0, 8.0)  # seconds between two of them
    customers: int = 30
    callers: int = 4
    desk: float = 0.06
    pause: tuple[float, float] = (0.05, 0.6)  # seconds between two messages
    patience: float = 300.0  # seconds until everything must be settled afterwards


SHORT = Plan(
    replicas=2,
    kills=1,
    freezes=0,
    restarts=1,
    cuts=1,
    every=(2.0, 3.0),
    customers=8,
    callers=2,
    desk=0.3,
    patience=60,
)


@dataclass(slots=True)
class Run:
    """What one seed brought."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    logs: str = ""


class Storm:
    """One run. *url* is a database; *cluster* its server, where that is to be disturbed, too."""

    say: Callable[[str], None] = staticmethod(lambda text: None)  # hears what happens

    def __init__(self, plan: Plan, seed: int, folder: Path, cluster: Cluster | None, url: str) -> None:
        self._plan, self._folder, self._cluster, self._url = plan, folder, cluster, url
        self._dice = random.Random(seed)
        self._platforms = Platforms.made(random.Random(seed + 1), plan.replicas)
        self._people = People(
            self._platforms, random.Random(seed + 2), plan.customers, plan.callers, plan.desk
        )
        self._replicas: list[Replica] = []
        self._database: list[Disturbance] = []
        self._away, self._back = False, 0.0  # whether the database is, and when it was last
        self._wrong: list[str] = []

    async def run(self, planted: str = "") -> Run:
        """To the end, with everything stopped."""
        write_articles(self._folder)
        write_config(self._folder, self._url)
        async with self._platforms:
            bases = {"telegram": self._platforms.telegram.entrances, "vk": self._platforms.vk.entrances}
            self._replicas = [
                Replica(n, self._folder, {name: e.bases[n] for name, e in bases.items()}, planted)
                for n in range(self._plan.replicas)
            ]
            try:
                await self._live()
            finally:
                await asyncio.gather(*(asyncio.to_thread(r.stop) for r in self._replicas))
        tables = laws.read_tables(self._url)
        self._keep("arrivals", self._platforms.traffic.arrivals)
        for name, rows in tables.items():
            self._keep(name, rows)
        disturbed = [*self._database, *(d for r in self._replicas for d in r.disturbed)]
        traffic = self._platforms.traffic
        found = laws.broken(tables, self._people.said, traffic.arrivals, disturbed)
        return Run(
            [*self._wrong, *traffic.too_fast, *found],
            {
                "messages": len(self._people.said),
                "arrivals": len(traffic.arrivals),
                "starts": sum(r.starts for r in self._replicas),
                "disturbances": len(disturbed),
                "doubts": sum(row["doubts"] for row in tables["outbox"]),
                "tickets": len(tables["tickets"]),
            },
            "".join(f"--- replica {r.number}\n{_tail(r.log)}" for r in self._replicas),
        )

    async def _live(self) -> None:
        for replica in self._replicas:
            replica.start()
        await self._until(lambda: {"telegram", "vk"} <= self._platforms.traffic.polled.keys(), 60)
        writing = asyncio.create_task(self._write())
        watching = asyncio.create_task(self._watch())
        self._platforms.traffic.weather = ROUGH
        for deed in self._deeds():
            await asyncio.sleep(self._dice.uniform(*self._plan.every))
            await deed()
        writing.cancel()
        self._platforms.traffic.weather = CALM
        await self._settle()
        watching.cancel()
        await asyncio.gather(writing, watching, return_exceptions=True)

    def _deeds(self) -> list[Deed]:
        plan = self._plan
        deeds: list[Deed] = [*[self._kill] * plan.kills, *[self._freeze] * plan.freezes]
        if self._cluster is not None:
            deeds += [self._restart] * plan.restarts + [self._cut] * plan.cuts
        self._dice.shuffle(deeds)
        return deeds

    def _keep(self, name: str, lines: Iterable[object]) -> None:
        """For whoever looks for the cause of a broken law."""
        text = "".join(f"{line}\n" for line in lines)
        (self._folder / f"{name}.log").write_text(text, encoding="utf-8")

    # --- what happens

    def _victim(self) -> Replica:
        """Every second time who polls a channel, and so holds its lease."""
        polling = [n for n in self._platforms.traffic.polled.values() if n >= 0]
        if polling and self._dice.random() < 0.5:
            return self._replicas[self._dice.choice(polling)]
        return self._dice.choice(self._replicas)

    async def _kill(self) -> None:
        replica = self._victim()
        self.say(f"kill -9 of replica {replica.number}")
        replica.kill()
        await asyncio.sleep(self._dice.uniform(0.1, 3))
        replica.start()

    async def _freeze(self) -> None:
        replica = self._victim()
        self.say(f"replica {replica.number} is frozen")
        replica.freeze()
        await asyncio.sleep(self._plan.frozen)
        replica.thaw()

    async def _restart(self) -> None:
        assert self._cluster is not None
        since, self._away = time.monotonic(), True
        self.say("the database is restarted")
        await asyncio.to_thread(self._cluster.stop, "immediate" if self._dice.random() < 0.5 else "fast")
        await asyncio.sleep(self._dice.uniform(0.5, 4))
        await asyncio.to_thread(self._cluster.start)
        self._away, self._back = False, time.monotonic()
        self._database.append(Disturbance(-1, since, self._back, "restarted"))

    async def _cut(self) -> None:
        assert self._cluster is not None
        self._back = time.monotonic()
        self.say(f"{await asyncio.to_thread(self._cluster.cut_connections, self._url)} connections are cut")

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(*self._plan.pause))
            self._people.acts()

    async def _watch(self) -> None:
        """Who ends by itself is started again, as systemd would; only who finds no database at its start
        may end.
        """
        while True:
            await asyncio.sleep(0.2)
            for replica in self._replicas:
                if (code := replica.ended()) is not None:
                    young = time.monotonic() < replica.began + STARTING
                    outage = young and (self._away or time.monotonic() < self._back + OUTAGE)
                    self.say(f"replica {replica.number} ended by itself with {code}")
                    if not outage:
                        self._wrong.append(f"replica {replica.number} ended by itself with {code}")
                    replica.kill()
                    await asyncio.sleep(1)
                    replica.start()

    # --- afterwards

    async def _settle(self) -> None:
        end = time.monotonic() + self._plan.patience
        calm = 0
        while calm < 3 and time.monotonic() < end:
            await asyncio.sleep(1)
            queued = self._platforms.telegram.queue
            tables = await asyncio.to_thread(laws.read_tables, self._url)
            self.say(f"waiting: {len(queued)} updates, {laws.waiting(tables)}")
            calm = calm + 1 if not queued and not laws.waiting(tables) else 0

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_so():
                await asyncio.sleep(0.1)
                for replica in self._replicas:
                    if (code := replica.ended()) is not None:
                        raise RuntimeError(f"a replica ended with {code}:\n{_tail(replica.log)}")


def write_articles(folder: Path) -> None:
    articles = folder / "kb"
    articles.mkdir(parents=True)
    for stem, (title, aliases, body) in ARTICLES.items():
        (articles / f"{stem}.md").write_text(
            f"---\ntitle: {title}\naliases: [{', '.join(aliases)}]\n---\n\n{body}\n", encoding="utf-8"
        )


def _tail(log: Path, size: int = 3000) -> str:
    return log.read_bytes()[-size:].decode("utf-8", "replace") if log.exists() else ""


def main() -> int:
    given = argparse.ArgumentParser(description="Several replicas in a storm")
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--kills", type=int, default=30)
    given.add_argument("--planted", default="", choices=sorted(BUGS), help="a bug planted on purpose")
    given.add_argument("--short", action="store_true", help="as in the test suite")
    given.add_argument("--logs", type=Path, help="a folder that takes logs, tables and arrivals")
    wanted = given.parse_args()
    began = time.monotonic()
    cluster = Cluster(durable=True)
    try:
        cluster.start()
        with tempfile.TemporaryDirectory() as place:
            plan = SHORT if wanted.short else Plan(kills=wanted.kills)
            storm = Storm(plan, wanted.seed, Path(place), cluster, cluster.database())
            storm.say = lambda text: print(f"{time.monotonic():7.0f}  {text}", file=sys.stderr, flush=True)
            run = asyncio.run(storm.run(wanted.planted))
            for log in Path(place).glob("*.log") if wanted.logs else ():
                shutil.copy(log, wanted.logs)
    finally:
        cluster.close()
    print(
        ", ".join(f"{name} {number}" for name, number in run.figures.items()),
        f"in {time.monotonic() - began:.0f} s",
    )
    print(*run.broken[:20], sep="\n")
    print(f"{len(run.broken)} laws broken")
    return min(len(run.broken), 1)


if __name__ == "__main__":
    sys.exit(main())
