"""A long day in a short time: 10 messages a second from 5,000 customers, and what grows meanwhile.

    python -m benchmarks.soak --hours 24        (an hour of it takes some minutes; --hours 1 shows the trend)

The whole service on a file with its real threads, fake channels and a clock moved by hand. Four lines an
hour: messages, memory of the process, size of the file and of its WAL, open files, what waits, and the
longest that one second of the day took (over 1 = the bot would lag).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import tempfile
import time
from pathlib import Path

from bot.knowledge.articles.schema import read_articles
from bot.observability import set_up_logging
from bot.testing import PlayedCustomer, TestBot, open_test_bot

PER_SECOND = 10
CUSTOMERS = 5000
SMALL = (
    "привет",
    "спасибо",
    "добрый день!",
    "а сколько это стоит?",
    "не то",
    "где мой заказ 48213",
    "ghbdtn",
    "у вас есть дроны?",
)
PERSON = "позовите оператора"


def rss() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def soak(articles: Path, hours: float, seed: int) -> None:
    dice = random.Random(seed)
    found, _ = read_articles(articles)
    questions = [q for a in found for q in a.questions]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "bot.db"
        async with open_test_bot(articles, storage=str(file)) as testbot:
            crowd = [
                testbot.customer(f"Имя{n}", channel="telegram" if n % 5 < 3 else "vk", chat=str(10_000 + n))
                for n in range(CUSTOMERS)
            ]
            heads = (
                "hour",
                "messages",
                "CPU s",
                "RSS MB",
                "file MB",
                "WAL MB",
                "open files",
                "waiting",
                "tickets",
                "slowest s",
            )
            print("  ".join(f"{h:>10}" for h in heads), flush=True)
            began, memory, slowest = time.process_time(), [rss()], 0.0
            for second in range(round(hours * 3600)):
                start = time.perf_counter()
                await _second(testbot, crowd, questions, dice)
                if second % 60 == 0:
                    await _answer_tickets(testbot)
                    await testbot.service.rounds.go(testbot.clock())
                slowest = max(slowest, time.perf_counter() - start)
                if (second + 1) % 900 == 0:
                    gc.collect()
                    memory.append(rss())
                    counts = await testbot.service.store.counts()
                    figures = (
                        f"{(second + 1) / 3600:.2f}",
                        str((second + 1) * PER_SECOND),
                        f"{time.process_time() - began:.0f}",
                        f"{memory[-1]:.0f}",
                        f"{file.stat().st_size / 1e6:.0f}",
                        f"{file.with_name('bot.db-wal').stat().st_size / 1e6:.1f}",
                        str(len(list(Path("/proc/self/fd").iterdir()))),
                        str(counts["inbounds_waiting"]),
                        str(counts["tickets_waiting"] + counts["tickets_operator"]),
                        f"{slowest:.2f}",
                    )
                    print("  ".join(f"{f:>10}" for f in figures), flush=True)
                    slowest = 0.0
            later = memory[len(memory) // 2 :]
            slope = (later[-1] - later[0]) / max(len(later) - 1, 1) * 4
            print(
                f"memory in the second half: {slope:+.1f} MB an hour; file check:"
                f" {await testbot.service.store.check() or 'sound'}"
            )


async def _second(
    testbot: TestBot, crowd: list[PlayedCustomer], questions: list[str], dice: random.Random
) -> None:
    for customer in dice.sample(crowd, PER_SECOND):
        chance = dice.random()
        text = PERSON if chance < 0.003 else dice.choice(SMALL) if chance < 0.4 else dice.choice(questions)
        await customer.says(text, run=False)
    testbot.clock.advance(seconds=1)
    service = testbot.service
    while (
        await service.store.fire_timers(testbot.clock())
        or await service.engine.run_waiting()
        or await service.outbox.run_waiting()
    ):
        pass
    for channel in testbot.channels.values():
        if len(channel.said) > 2000:
            del channel.said[:-200]


async def _answer_tickets(testbot: TestBot) -> None:
    """A person answers and closes whatever is open, a minute later at most."""
    olga = testbot.operator()
    for ticket in await testbot.service.store.tickets(limit=50):
        for words in ("/take", "Здравствуйте! Уже посмотрела, всё в порядке.", "/close"):
            await olga.says(words, ticket=ticket.number, run=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--articles", type=Path, default=Path("kb_articles"))
    chosen = parser.parse_args()
    set_up_logging(level="critical")
    asyncio.run(soak(chosen.articles, chosen.hours, chosen.seed))
