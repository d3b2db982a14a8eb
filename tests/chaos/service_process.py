"""The service on a file, in one life after another: started, killed at a point, opened again on what the dead
one left.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bot.app import Overrides, Service, build_service, open_knowledge
from bot.config.loader import Config
from bot.knowledge.search import Knowledge
from bot.model import Peer
from bot.service import run
from bot.storage.sqlite.store import SqliteStore
from bot.testing.faults import abandon
from bot.testing.threadless import through_one_writer
from tests.chaos.kill_points import DirectWriter, Fuse, Killed
from tests.chaos.platforms import DESK_CHAT, Platform, PlatformAdapter
from tests.chaos.virtual_time import LoopClock, TimelessLoop
from tests.conftest import ARTICLES

MEMORY = Path("/dev/shm")  # faster than a disk; what a process that dies has written stays there as well
_knowledge: dict[str, Knowledge] = {}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder with a small knowledge base, gone afterwards."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None, prefix="otklik-chaos-") as name:
        articles = Path(name) / "kb"
        articles.mkdir()
        for stem, (title, aliases, body) in ARTICLES.items():
            (articles / f"{stem}.md").write_text(
                f"---\ntitle: {title}\naliases: [{', '.join(aliases)}]\n---\n\n{body}\n", encoding="utf-8"
            )
        yield Path(name)


class ServiceProcess:
    """Lives of one service. *plant* may change a service before it runs (see planted_bugs.py)."""

    adapter = PlatformAdapter

    def __init__(self, place: Path, platforms: Sequence[Platform], dice: random.Random) -> None:
        self.place, self.platforms, self.dice = place, platforms, dice
        self.life = 0
        self.deaths = 0
        self.file = place / "life-0.db"
        self.points = 0
        self.shift = timedelta()  # how far the wall clock is off
        self._driver = asyncio.current_task()
        asyncio.get_running_loop().set_exception_handler(_told)

    async def start(self, *, kill_at: int = 0) -> None:
        """Begin a life on the file; it ends at point *kill_at* (0 = when told)."""
        self.life += 1
        self.fuse = Fuse(kill_at)
        settings = {
            "knowledge": {
                "folder": str(self.place / "kb"),
                "embeddings": {"model": "off"},
                "cache": str(self.place / "cache"),
            }
        }
        clock = LoopClock()
        clock.shift = self.shift
        adapters = {p.name: self.adapter(p, self.fuse, self.life) for p in self.platforms}
        config = Config.model_validate(settings)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TimelessLoop)
        loop.hold(True)
        try:
            self.service = await build_service(
                config,
                Overrides(
                    adapters=adapters,
                    clock=clock,
                    desk=Peer("telegram", DESK_CHAT),
                    storage=str(self.file),
                    log_events=False,
                    knowledge=self._articles(config, channels=list(config.channels)),
                ),
            )
        finally:
            loop.hold(False)
        self._without_threads(self.service)
        self.plant(self.service)
        self.stop = asyncio.Event()
        self.running = asyncio.create_task(run(self.service, self.stop))

    def plant(self, service: Service) -> None:
        """Nothing: the product as it is."""

    def set_clock(self, by: timedelta) -> None:
        """The wall clock of the machine jumps, under a running process and for all that follow."""
        self.shift += by
        self.service.clock.shift = self.shift
        for platform in self.platforms if by > timedelta() else ():
            # the next process takes the last minute for longer ago: the platform would say 429
            platform.begun.clear()

    async def end(self) -> None:
        """A graceful stop."""
        self.stop.set()
        self.points += len(self.fuse.points)
        await asyncio.gather(self.running, return_exceptions=True)
        if self.fuse.dead:
            await self.bury()
        await self._end_tasks()  # a send that took longer than the grace ends with the process

    async def bury(self) -> None:
        """The process died: nothing of it runs on, and what it had committed is the next one's file."""
        self.fuse.blow()
        self.points += len(self.fuse.points)
        self.deaths += 1
        await self._end_tasks()
        left = self.place / f"life-{self.life}.db"
        for suffix in ("", "-wal"):
            source = self.file.with_name(self.file.name + suffix)
            if source.exists():
                shutil.copy(source, left.with_name(left.name + suffix))
        abandon(_file_store(self.service))
        for old in self.place.glob(f"{self.file.name}*"):
            old.unlink()
        self.file = left

    async def _end_tasks(self) -> None:
        for _ in range(3):
            tasks = sorted(
                (t for t in asyncio.all_tasks() if t is not self._driver),
                key=lambda t: (len(t.get_name()), t.get_name()),
            )
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _without_threads(self, service: Service) -> None:
        through_one_writer(
            _file_store(service),
            lambda db, locks: DirectWriter(db, locks, self.fuse, self.dice),
            service.clock,
        )

    def _articles(self, config: Config, *, channels: Sequence[str] = ()) -> Knowledge:
        key = ",".join(channels)
        if key not in _knowledge:
            _knowledge[key] = open_knowledge(config, channels=channels)
        return _knowledge[key]


def _file_store(service: Service) -> SqliteStore:
    assert isinstance(service.store, SqliteStore)
    return service.store


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A dead process tells nothing."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)
