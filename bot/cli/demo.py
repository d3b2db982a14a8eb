"""Four invented weeks for the report of the playground: played through the real service, kept in a file of
their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.cli.clock import command_clock
from bot.config.loader import Config, read_config
from bot.demo.history import DemoTraffic, History, mark_as_demo
from bot.knowledge.articles.schema import Article
from bot.observability import get_logger, set_up_logging
from bot.storage.sqlite.store import SqliteStore
from bot.testing.harness import open_test_bot

DAYS, PER_DAY = 28, 15
FRESH = 7 * 24 * 3600  # seconds after which the four weeks are played anew, so that they end today
FILE = "data/demo.db"


async def make_history(
    config: Config, file: Path, now: datetime, *, days: int = DAYS, per_day: int = PER_DAY
) -> None:
    """Play the *days* before *now* in memory and write them to *file*, which appears only when it is
    complete.

    Where there are no articles nobody has anything to ask: no file.
    """
    plain = config.model_copy(update={"desk": None, "teams": ()})
    async with open_test_bot(config.path(config.knowledge.folder), config=plain, threads=False) as testbot:
        service = testbot.service
        if not (questions := _asked(service.knowledge.articles())):
            return
        today = now.astimezone(service.hours.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        start = today - timedelta(days=days)
        testbot.clock.at = start.astimezone(UTC)
        for day in range(days + 1):
            await mark_as_demo(testbot, (start + timedelta(days=day)).astimezone(UTC))
        await History(testbot, DemoTraffic(questions, per_day)).play(start, days + 1, until=now)
        file.parent.mkdir(parents=True, exist_ok=True)
        await service.store.backup(file)


def _asked(articles: Sequence[Article]) -> list[str]:
    """What the played customers ask: Russian example questions, those of another language where there are
    none, else titles.
    """
    for found in ([a for a in articles if a.lang == "ru"], articles):
        if questions := [q for a in found for q in a.aliases[:4]] or [a.title for a in found]:
            return questions
    return []


PAUSE = 6.0  # seconds in which the playground itself comes first


async def show_history(config: Config, found: Callable[[SqliteStore], object]) -> None:
    """Open the played history and tell *found*; where there is none, or an old one, it is played first, in a
    process of its own.
    """
    file = config.path(FILE)
    if not file.is_file() or time.time() - file.stat().st_mtime > FRESH:
        await asyncio.sleep(PAUSE)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli.demo", str(config.base), str(file)
        )
        try:
            await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
    if not file.is_file():
        get_logger("demo").warning("no_history")
        return
    store = SqliteStore.open(file)
    try:
        found(store)
        await asyncio.Event().wait()
    finally:
        await store.close()


def main(base: str, file: str) -> None:
    """`python -m bot.cli.demo FOLDER FILE`: the config of a folder, and where to write."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    set_up_logging(level="error")
    given = Path(base) / "config.yaml"
    config = read_config(given if given.is_file() else None)
    target = Path(file)
    fresh = target.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    asyncio.run(make_history(config, fresh, command_clock()()))
    if fresh.is_file():
        fresh.replace(target)


if __name__ == "__main__":
    main(*sys.argv[1:3])
