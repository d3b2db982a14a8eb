"""`bot run` as a process that is killed (-9) while customers write: what the runs of all channels share."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from tests.knowledge.shop import write_shop

ROOT = Path(__file__).parents[2]
QUESTION, ANSWER = "Когда привезут заказ?", "курьер привозит"
PATIENCE = 120.0  # seconds until everything must have come to rest

Row = Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What one run brought: each broken law is a sentence."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    log: str = ""


class UnreliableServer(Protocol):
    """A fake server that may fail; *at_moment* is called with what has just happened there: it may kill."""

    rough: float  # how likely a call meets a failure
    at_moment: Callable[[str], None]


class KilledBot(ABC):
    """One run in *folder*, with *kills* of the process. Derive from it for a channel."""

    options: Sequence[str] = ()  # of `bot run`
    environment: Mapping[str, str] = {}

    def __init__(self, folder: Path, *, kills: int, seed: int) -> None:
        self.folder, self.kills, self.dice = folder, kills, random.Random(seed)
        self.deaths = 0
        self.broken: list[str] = []
        self._process: asyncio.subprocess.Process | None = None

    # --- what a channel says

    @abstractmethod
    def platform(self) -> AbstractAsyncContextManager[object]:
        """What has to be there while it runs."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The keys of config.yaml that are the channel's."""

    @abstractmethod
    async def live(self) -> None:
        """Customers write, the process is killed and started again, and all comes to rest (`rest`)."""

    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether something is not decided on, delivered or read yet."""

    @abstractmethod
    def laws(self) -> Sequence[str]:
        """Each broken law."""

    @abstractmethod
    def figures(self) -> dict[str, int]: ...

    # --- what all do

    async def run(self) -> Outcome:
        write_shop(self.folder / "kb")
        async with self.platform():
            self._write_config()
            try:
                await self.live()
            finally:
                await self._stop()
        log = (self.folder / "log").read_text("utf-8", errors="replace")[-6000:]
        return Outcome([*self.broken, *self.laws()], {"kills": self.deaths, **self.figures()}, log)

    async def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run", "--config", str(self.folder / "config.yaml"), *self.options),
                cwd=self.folder,
                env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    async def die(self) -> None:
        """At once; returns when the process is gone."""
        self._kill()
        assert self._process is not None
        await self._process.wait()
        self.deaths += 1

    async def die_at(
        self, moments: Sequence[str], servers: Sequence[UnreliableServer], *, wait: float
    ) -> None:
        """Where one of *moments* has just come, drawn by lot ("": a moment of no meaning), or after *wait*
        seconds in which it did not come.
        """
        moment, came = self.dice.choice(moments), asyncio.Event()

        def kill(what: str) -> None:
            if what == moment and not came.is_set():
                self._kill()
                came.set()

        for server in servers:
            server.at_moment = kill
        try:
            async with asyncio.timeout(wait if moment else self.dice.uniform(0.2, 1.5)):
                await came.wait()
        except TimeoutError:
            pass
        for server in servers:
            server.at_moment = lambda what: None
        await self.die()

    async def rest(self) -> None:
        """Until everything is decided on and delivered; what takes too long is a broken law."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.is_waiting():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.broken.append("it did not come to rest")

    def rows(self, query: str) -> Sequence[Row]:
        """Of the database, as it is now."""
        with closing(sqlite3.connect(f"{(self.folder / 'bot.db').as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query)]

    def is_unsent(self) -> bool:
        return bool(self.rows("select 1 from outbox where status in ('pending', 'sending') limit 1"))

    def is_undecided(self, keys: set[str]) -> bool:
        """Whether one of *keys* is not kept yet, or anything that is kept waits for its decision."""
        inbox = self.rows("select key, done_at from inbox")
        return not keys <= {row["key"] for row in inbox} or any(row["done_at"] is None for row in inbox)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self.broken.append("it did not end when it was told to")
            self._process.kill()
            await self._process.wait()

    def _write_config(self) -> None:
        week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
        made = {
            "storage": {"url": "sqlite:///bot.db"},
            "knowledge": {"folder": "kb", "embeddings": {"model": "off"}, "watch": False},
            "hours": {"timezone": "UTC", "week": week, "country": None},
            "dialogs": {"settle": 0.1, "settle_limit": 0.5, "typing": False},
            "rating": {"ask": False},
            **self.config(),
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(made, allow_unicode=True), "utf-8")


def main(told: str | None, make: Callable[..., KilledBot], **usual: int) -> None:
    """A long run from the command line, its options with their usual values; says what broke, and ends with
    1 where something did.
    """
    parser = argparse.ArgumentParser(description=told)
    for name, value in usual.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory(prefix="otklik-killed-") as folder:
        outcome = asyncio.run(make(Path(folder), **given).run())
    print(json.dumps(outcome.figures, ensure_ascii=False))
    print("\n".join(outcome.broken) or "nothing is broken")
    if outcome.broken:
        print(outcome.log)
        sys.exit(1)
