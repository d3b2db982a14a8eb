"""How fast the whole thing is: one table, and JSON beside it.   make bench   (or: python -m benchmarks.run --json FILE --only engine,accept)

Ratios within one run are the measure; absolute figures belong to the machine. Limits of the platforms are off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from bot.adapters.base import Limits
from bot.app import open_house
from bot.config import Config
from bot.inbox import Inbox
from bot.model import Conversation, Inbound, Peer, Sender, Turn
from bot.observing import set_up_logging
from bot.running import run as run_house
from bot.storage.sqlite import SqliteStore
from bot.testing.fake_adapter import FakeAdapter

ARTICLES, MESSAGES, CHATS = 1000, 400, 400
FAST = Limits(per_second=0, peer_per_second=0, group_per_minute=0)
WORDS = "доставка оплата возврат заказ товар курьер карта чек гарантия размер цвет склад скидка промокод адрес срок сумма обмен ремонт бонус подарок счёт договор пункт почта".split()


def write_articles(folder: Path, number: int = ARTICLES) -> list[str]:
    """A base of *number* synthetic articles; returns questions about them."""
    dice, asked = random.Random(1), []
    folder.mkdir(parents=True)
    for n in range(number):
        title = f"{dice.choice(WORDS)} {dice.choice(WORDS)} {dice.choice(WORDS)} {n}".capitalize()
        ask = f"{dice.choice(('как', 'где', 'почему', 'сколько'))} {dice.choice(WORDS)} {dice.choice(WORDS)} {dice.choice(WORDS)}"
        body = " ".join(dice.choices(WORDS, k=70))
        (folder / f"a{n}.md").write_text(f"---\ntitle: {title}\naliases: [{ask}]\n---\n\n{body}\n", "utf-8")
        asked.append(ask)
    (folder / "delivery.md").write_text("---\ntitle: Доставка по Москве\naliases: [сколько идёт доставка по москве]\n---\n\nДоставка по Москве занимает 1–2 дня.\n", "utf-8")
    return asked


def config_of(place: Path, model: str = "off") -> Config:
    return Config.model_validate({"knowledge": {"folder": str(place / "kb"), "embeddings": {"model": model}, "cache": str(place / "cache")}, "dialogs": {"settle": 0, "typing": False}})


def spread(seconds: list[float]) -> dict[str, float]:
    cut = quantiles(seconds, n=100)
    return {"p50_ms": round(cut[49] * 1000, 2), "p99_ms": round(cut[98] * 1000, 2)}


async def engine(place: Path, model: str = "off") -> dict[str, Any]:
    """Decisions alone: no network, no store."""
    asked = write_articles(place / "kb")
    house = await open_house(config_of(place, model), adapters={"telegram": FakeAdapter("telegram")}, storage=":memory:", log_events=False)
    if model != "off":
        house.knowledge.load_embeddings()
    times = []
    for n, text in enumerate(asked[:330]):
        now = datetime.now(UTC)
        peer = Peer("telegram", str(n))
        turn = Turn(n, Conversation(n, peer, n), (Inbound(str(n), peer, Sender(str(n), "Анна"), now, text=text),), now)
        began = time.perf_counter()
        await house.engine._decide_safely(turn)
        times.append(time.perf_counter() - began)
    await house.close()
    return spread(times[30:])


async def accept(place: Path) -> dict[str, Any]:
    """From arrival to its commit, 300 messages a second, durability FULL."""
    place.mkdir(parents=True, exist_ok=True)
    from bot.clock import Clock

    store = SqliteStore.open(place / "accept.db")
    inbox, times = Inbox(store, Clock()), list[float]()

    async def one(n: int) -> None:
        peer, began = Peer("telegram", str(n % 200)), time.perf_counter()
        await inbox.accept("telegram", [Inbound(str(n), peer, Sender(str(n % 200), "Анна"), datetime.now(UTC), text="сколько идёт доставка")])
        times.append(time.perf_counter() - began)

    began = time.perf_counter()
    tasks = []
    for n in range(1500):
        await asyncio.sleep(max(0.0, began + n / 300 - time.perf_counter()))
        tasks.append(asyncio.create_task(one(n)))
    await asyncio.gather(*tasks)
    await store.close()
    return spread(times) | {"per_second": round(1500 / (time.perf_counter() - began))}


async def hot_chat(place: Path) -> dict[str, Any]:
    """Turns of others per second, beside nobody and beside one chat with 1000 waiting messages."""
    rates = []
    for hot in (0, 1000):
        home = place / f"hot{hot}"
        write_articles(home / "kb", 50)
        house = await open_house(config_of(home), adapters={"telegram": FakeAdapter("telegram")}, storage=str(home / "bot.db"), log_events=False)
        now = datetime.now(UTC)
        said = [Inbound(f"h{n}", Peer("telegram", "1"), Sender("1", "Спам"), now, text=f"спам {n}") for n in range(hot)]
        said += [Inbound(f"o{n}", Peer("telegram", str(100 + n)), Sender(str(n), "Анна"), now, text="сколько идёт доставка по москве") for n in range(300)]
        await house.inbox.accept("telegram", said)
        began, others = time.perf_counter(), 0
        while (turn := await house.store.take_turn(house.clock())) is not None:
            await house.engine.take(turn)
            others += turn.conversation.peer.chat != "1"
            if others == 300:
                break
        rates.append(300 / (time.perf_counter() - began))
        await house.close()
    return {"alone_per_s": round(rates[0]), "beside_per_s": round(rates[1]), "ratio": round(rates[1] / rates[0], 2)}


def end_to_end(place: Path) -> dict[str, Any]:
    """The whole bot against an aiogram echo bot: the same server, the same messages."""
    write_articles(place / "kb")
    result: dict[str, Any] = {}
    for name in ("aiogram", "otklik", "aiogram", "otklik"):
        server = subprocess.Popen([sys.executable, "-m", "benchmarks.bot_api", str(MESSAGES), str(CHATS)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        bot = subprocess.Popen([sys.executable, "-m", "benchmarks.run", "--bot", name, "--port", port, "--place", str(place)], stdout=subprocess.DEVNULL)
        told = json.loads(server.stdout.readline())
        usage = Path(f"/proc/{bot.pid}/status").read_text("utf-8") if Path(f"/proc/{bot.pid}/status").exists() else ""
        bot.terminate()
        bot.wait()
        server.terminate()
        server.wait()
        rate = told["answers"] / told["seconds"]
        result[f"{name}_per_s"] = round(max(rate, result.get(f"{name}_per_s", 0)))
        result[f"{name}_mb"] = next((int(line.split()[1]) // 1024 for line in usage.splitlines() if line.startswith("VmRSS")), 0)
    return result | {"ratio": round(result["otklik_per_s"] / result["aiogram_per_s"], 2)}


async def be_bot(name: str, port: str, place: Path) -> None:
    """One side of `end_to_end`, until it is terminated."""
    base, token = f"http://127.0.0.1:{port}", "123456789:TEST"
    if name == "aiogram":
        from aiogram import Bot, Dispatcher
        from aiogram.client.session.aiohttp import AiohttpSession
        from aiogram.client.telegram import TelegramAPIServer
        from aiogram.types import Message

        dispatcher = Dispatcher()

        @dispatcher.message()
        async def echo(message: Message) -> None:
            await message.answer(message.text or "")

        await dispatcher.start_polling(Bot("123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr", session=AiohttpSession(api=TelegramAPIServer.from_base(base))), handle_signals=False)
        return
    from bot.adapters.telegram import TelegramAdapter

    adapter = TelegramAdapter("telegram", token=token, api_base=base)
    adapter.limits = replace(adapter.limits, per_second=0, peer_per_second=0, group_per_minute=0)
    house = await open_house(config_of(place), adapters={"telegram": adapter}, storage=str(place / f"e2e-{os.getpid()}.db"), log_events=False)
    await run_house(house, asyncio.Event())


def start(place: Path) -> dict[str, Any]:
    """Seconds from nothing to the first decided message, by what is imported."""
    write_articles(place / "kb", 100)
    code = (
        "import asyncio,sys,time;from pathlib import Path;from datetime import datetime,UTC;from benchmarks.run import config_of;from bot.app import open_house;from bot.model import *;{extra}\n"
        "from bot.testing.fake_adapter import FakeAdapter\n"
        "async def main():\n h=await open_house(config_of(Path({place!r})),adapters={{'telegram':FakeAdapter('telegram')}},storage=':memory:',log_events=False)\n"
        " await h.inbox.accept('telegram',[Inbound('1',Peer('telegram','1'),Sender('1','A'),datetime.now(UTC),text='сколько идёт доставка по москве')])\n"
        " await h.engine.run_waiting();await h.outbox.run_waiting();assert h.adapters['telegram'].said;print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\nasyncio.run(main())"
    )
    found: dict[str, Any] = {}
    for name, extra in (("vk", "import bot.adapters.vk"), ("telegram", "import bot.adapters.telegram")):
        began = time.perf_counter()
        told = subprocess.run([sys.executable, "-c", code.format(extra=extra, place=str(place))], capture_output=True, text=True, check=True)
        found |= {f"{name}_s": round(time.perf_counter() - began, 2), f"{name}_mb": int(told.stdout) // 1024}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import aiogram"], check=True)
    return found | {"aiogram_import_s": round(time.perf_counter() - began, 2)}


PARTS: dict[str, tuple[str, str, Callable[[Path], Any]]] = {
    "engine": ("engine time per message, 1,000 articles, words only", "p50 ≤ 3 ms", engine),
    "meaning": ("the same with the bundled embedding", "p50 ≤ 8 ms, p99 ≤ 15 ms", lambda place: engine(place, "auto")),
    "accept": ("accept at 300 messages/s, FULL", "p99 ≤ 10 ms", accept),
    "hot": ("others beside a chat with 1,000 waiting", "ratio ≥ 0.8", hot_chat),
    "end": ("end to end against an aiogram echo bot", "ratio ≥ 0.8", end_to_end),
    "start": ("start to the first answer", "VK ≤ 1.5 s; Telegram ≤ aiogram + 1.5 s", start),
}


def main() -> int:
    given = argparse.ArgumentParser(description="How fast the whole thing is")
    given.add_argument("--only", default=",".join(PARTS), help="some of: " + ", ".join(PARTS))
    given.add_argument("--json", type=Path, default=None, help="write the figures here")
    given.add_argument("--bot", default="", help=argparse.SUPPRESS)
    given.add_argument("--port", default="", help=argparse.SUPPRESS)
    given.add_argument("--place", type=Path, default=None, help=argparse.SUPPRESS)
    wanted = given.parse_args()
    set_up_logging(level="critical")
    if wanted.bot:
        asyncio.run(be_bot(wanted.bot, wanted.port, wanted.place))
        return 0
    figures: dict[str, Any] = {}
    for name in wanted.only.split(","):
        title, bar, part = PARTS[name]
        with tempfile.TemporaryDirectory() as place:
            made = part(Path(place) / name)
            figures[name] = asyncio.run(made) if asyncio.iscoroutine(made) else made
        print(f"{title:58} {bar:40} " + ", ".join(f"{k} {v}" for k, v in figures[name].items()), flush=True)
    if wanted.json:
        wanted.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
