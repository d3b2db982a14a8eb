"""How fast the whole thing is: one table, and JSON beside it.   make bench   (or: python -m benchmarks.run
--json FILE --only engine,end)

Ratios within one run are the measure; absolute figures belong to the machine. Limits of the platforms are
off.
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
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks import postgres
from benchmarks.growth import growth
from benchmarks.history import start_history
from benchmarks.store import ratios
from bot.app import Overrides, build_service
from bot.config.loader import Config
from bot.inbox import Inbox
from bot.memory import give_back
from bot.model import Conversation, Inbound, Peer, Sender, Turn
from bot.observability import set_up_logging
from bot.storage.sqlite.store import SqliteStore
from bot.testing.fakes import FakeAdapter

ARTICLES, MESSAGES, CHATS = 1000, 600, 600
LONGEST = 60.0  # seconds for the start and the answers of one bot
WORDS = (  # noqa: SIM905
    "доставка оплата возврат заказ товар курьер карта чек гарантия размер цвет склад скидка промокод адрес"
    " срок сумма обмен ремонт бонус подарок счёт договор пункт почта"
).split()


def write_articles(folder: Path, number: int = ARTICLES) -> list[str]:
    """A base of *number* synthetic articles; returns questions about them."""
    dice, asked = random.Random(1), []
    folder.mkdir(parents=True)
    for n in range(number):
        title = f"{dice.choice(WORDS)} {dice.choice(WORDS)} {dice.choice(WORDS)} {n}".capitalize()
        ask = (
            f"{dice.choice(('как', 'где', 'почему', 'сколько'))} {dice.choice(WORDS)} {dice.choice(WORDS)}"
            f" {dice.choice(WORDS)}"
        )
        body = " ".join(dice.choices(WORDS, k=70))
        (folder / f"a{n}.md").write_text(f"---\ntitle: {title}\naliases: [{ask}]\n---\n\n{body}\n", "utf-8")
        asked.append(ask)
    delivery = (
        "---\ntitle: Доставка по Москве\naliases: [сколько идёт доставка по москве]\n---\n\nДоставка по"
        " Москве занимает 1–2 дня.\n"
    )
    (folder / "delivery.md").write_text(delivery, "utf-8")
    return asked


def config_of(place: Path, model: str = "off") -> Config:
    knowledge = {"folder": str(place / "kb"), "embeddings": {"model": model}, "cache": str(place / "cache")}
    return Config.model_validate({"knowledge": knowledge, "dialogs": {"settle": 0, "typing": False}})


def spread(seconds: list[float]) -> dict[str, float]:
    cut = quantiles(seconds, n=100)
    return {"p50_ms": round(cut[49] * 1000, 2), "p99_ms": round(cut[98] * 1000, 2)}


async def engine(place: Path, model: str = "off") -> dict[str, Any]:
    """Decisions alone: no network, no store."""
    asked = write_articles(place / "kb")
    if model != "off":
        with_encoders(place / "cache")
    service = await build_service(
        config_of(place, model),
        Overrides(adapters={"telegram": FakeAdapter("telegram")}, storage=":memory:", log_events=False),
    )
    if model != "off":
        service.knowledge.load_embeddings()
    give_back()  # as `bot run` does
    times, spent = list[float](), list[float]()
    for n, text in enumerate(asked[:330]):
        now = datetime.now(UTC)
        peer = Peer("telegram", str(n))
        turn = Turn(
            n, Conversation(n, peer, n), (Inbound(str(n), peer, Sender(str(n), "Анна"), now, text=text),), now
        )
        began, busy = time.perf_counter(), time.process_time()
        await service.engine.decide_safely(turn)
        times.append(time.perf_counter() - began)
        spent.append(time.process_time() - busy)
    await service.close()
    return spread(times[30:]) | {f"cpu_{name}": value for name, value in spread(spent[30:]).items()}


async def accept(place: Path) -> dict[str, Any]:
    """From arrival to its commit, 300 messages a second, durability FULL."""
    place.mkdir(parents=True, exist_ok=True)
    from bot.clock import Clock

    store = SqliteStore.open(place / "accept.db")
    inbox, times = Inbox(store, Clock()), list[float]()

    async def one(n: int) -> None:
        peer, began = Peer("telegram", str(n % 200)), time.perf_counter()
        await inbox.accept(
            "telegram",
            [
                Inbound(
                    str(n),
                    peer,
                    Sender(str(n % 200), "Анна"),
                    datetime.now(UTC),
                    text="сколько идёт доставка",
                )
            ],
        )
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
        service = await build_service(
            config_of(home),
            Overrides(
                adapters={"telegram": FakeAdapter("telegram")}, storage=str(home / "bot.db"), log_events=False
            ),
        )
        now = datetime.now(UTC)
        said = [
            Inbound(f"h{n}", Peer("telegram", "1"), Sender("1", "Спам"), now, text=f"спам {n}")
            for n in range(hot)
        ]
        said += [
            Inbound(
                f"o{n}",
                Peer("telegram", str(100 + n)),
                Sender(str(n), "Анна"),
                now,
                text="сколько идёт доставка по москве",
            )
            for n in range(300)
        ]
        await service.inbox.accept("telegram", said)
        began, others = time.perf_counter(), 0
        while (turn := await service.store.take_turn(service.clock())) is not None:
            await service.engine.take(turn)
            others += turn.conversation.peer.chat != "1"
            if others == 300:
                break
        rates.append(300 / (time.perf_counter() - began))
        await service.close()
    return {
        "alone_per_s": round(rates[0]),
        "beside_per_s": round(rates[1]),
        "ratio": round(rates[1] / rates[0], 2),
    }


def end_to_end(place: Path) -> dict[str, Any]:
    """The whole bot against echo bots and the usual FAQ bot: the same server, the same questions, best of two
    rounds in turn.
    """
    asked = write_articles(place / "kb")
    (place / "asked").write_text("\n".join(dict.fromkeys(asked)), "utf-8")
    library = rival_library()
    with_encoders(place / "cache")
    names = ["aiogram", "usual", "otklik", "light", "meaning", *(["ptb"] if library else [])]
    found: dict[str, Any] = {}
    for name in [*names, *names]:
        for key, value in one_bot(name, place, library).items():
            known = found.get(f"{name}_{key}", value)
            found[f"{name}_{key}"] = max(known, value) if key == "per_s" else min(known, value)
    found["ratio"] = round(found["otklik_per_s"] / max(1, found["aiogram_per_s"]), 2)
    for name in ("light", "meaning"):
        found[f"{name}_ratio"] = round(found[f"{name}_per_s"] / max(1, found["usual_per_s"]), 2)
    found["cpu_ratio"] = round(found["aiogram_cpu_ms"] / max(0.01, found["otklik_cpu_ms"]), 2)
    return found | (
        {"ptb_ratio": round(found["otklik_per_s"] / max(1, found["ptb_per_s"]), 2)} if library else {}
    )


def with_encoders(cache: Path) -> None:
    """Gives *cache* the encoders, which are prepared once for all runs."""
    from bot.knowledge.encoder.loader import load

    kept = Path("build/bench/encoders").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    for model in ("light", "auto"):
        load(model, kept)
    for made in kept.iterdir():
        if not (cache / made.name).exists():
            (cache / made.name).symlink_to(made)


def one_bot(name: str, place: Path, library: str) -> dict[str, float]:
    """Answers per second, CPU for each, and memory when all are said."""
    served = [sys.executable, "-m", "benchmarks.bot_api", str(MESSAGES), str(CHATS), str(place / "asked")]
    server = subprocess.Popen(served, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    spared = {**os.environ, "PYTHONPATH": library if name == "ptb" else ""}
    bot = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bots", name, port, str(place)],
        stdout=subprocess.DEVNULL,
        env=spared,
    )
    deadline = threading.Timer(
        LONGEST, server.terminate
    )  # a bot that does not answer must not hold the rest up
    deadline.start()
    try:
        server.stdout.readline()
        before = cpu_of(bot.pid)
        told = json.loads(server.stdout.readline() or '{"answers": 0, "seconds": 1}')
        spent = cpu_of(bot.pid) - before
        status = Path(f"/proc/{bot.pid}/status").read_text("utf-8").partition("VmRSS:")[2].split() or ["0"]
    finally:
        deadline.cancel()
        for process in (bot, server):
            process.terminate()
            process.wait()
    return {
        "per_s": round(told["answers"] / told["seconds"]),
        "cpu_ms": round(spent / MESSAGES * 1000, 2),
        "mb": int(status[0]) // 1024,
    }


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def rival_library() -> str:
    """Where python-telegram-bot stands, fetched into a folder of its own when it is not there; "" where it
    cannot be had.
    """
    folder = Path("build/bench/ptb")
    if not (folder / "telegram").is_dir():
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--target",
                str(folder),
                "python-telegram-bot",
            ],
            check=False,
            stderr=subprocess.DEVNULL,
        )
    return str(folder.resolve()) if (folder / "telegram").is_dir() else ""


def start(place: Path) -> dict[str, Any]:
    """Seconds from nothing to the first answer: the first start on these articles, then the best of two
    more.
    """
    write_articles(place / "kb", 100)
    code = """
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from benchmarks.run import config_of
from bot.app import Overrides, build_service
from bot.model import Inbound, Peer, Sender
from bot.testing.fakes import FakeAdapter
{extra}
async def main():
    adapters = {{"telegram": FakeAdapter("telegram")}}
    config = config_of(Path({place!r}))
    service = await build_service(config, Overrides(adapters=adapters, storage=":memory:", log_events=False))
    asked = "сколько идёт доставка по москве"
    message = Inbound("1", Peer("telegram", "1"), Sender("1", "A"), datetime.now(UTC), text=asked)
    await service.inbox.accept("telegram", [message])
    await service.engine.run_waiting()
    await service.outbox.run_waiting()
    assert adapters["telegram"].said
asyncio.run(main())
"""
    found: dict[str, Any] = {}
    vk, telegram = (
        code.format(extra=f"import bot.adapters.{name}", place=str(place)) for name in ("vk", "telegram")
    )
    found["vk_first_s"], _ = python(vk)
    for name, program in (("vk", vk), ("telegram", telegram), ("aiogram_import", "import aiogram")):
        tries = [python(program) for _ in range(2)]
        found |= {f"{name}_s": min(t[0] for t in tries), f"{name}_cpu_s": min(t[1] for t in tries)}
    return found | {"telegram_more_s": round(found["telegram_s"] - found["aiogram_import_s"], 2)}


def _small(place: Path) -> Config:
    """A business of a few articles."""
    write_articles(place / "kb", 50)
    return config_of(place)


def python(code: str) -> tuple[float, float]:
    """Seconds of wall and of CPU that a program takes."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    return round(time.perf_counter() - began, 2), round(after[2] + after[3] - before[2] - before[3], 2)


@dataclass(frozen=True, slots=True)
class Bar:
    """What is wanted of a figure: at most (or at least, where `least`) so much."""

    what: str
    part: str
    want: float
    figure: Callable[[dict[str, Any]], float | None]
    least: bool = False

    def reached(self, value: float) -> bool:
        return value >= self.want if self.least else value <= self.want


def _of(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda figures: figures.get(name)


def _above_echo(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda figures: figures[f"{name}_mb"] - figures["aiogram_mb"]


PARTS: dict[str, Callable[[Path], Any]] = {
    "engine": engine,
    "meaning": lambda place: engine(place, "auto"),
    "store": lambda place: ratios(folder=None),
    "accept": accept,
    "hot": hot_chat,
    "end": end_to_end,
    "start": start,
    "start_history": lambda place: start_history(place, _small(place)),
    "postgres": postgres.figures,
    "growth": lambda place: growth(place, _small(place)),
}
BARS = (
    Bar("engine time per message, words only, p50 ms", "engine", 3, _of("p50_ms")),
    Bar("with the bundled embedding, p50 ms", "meaning", 8, _of("p50_ms")),
    Bar("with the bundled embedding, p99 ms", "meaning", 15, _of("p99_ms")),
    Bar("store, one caller: times bare sqlite3", "store", 1.5, _of("one_caller")),
    Bar("store, 64 callers: group commit beside commit-each", "store", 5, _of("group"), least=True),
    Bar("accept at 300 messages/s, p99 ms", "accept", 10, _of("p99_ms")),
    Bar("others beside a chat with 1,000 waiting: share kept", "hot", 0.8, _of("ratio"), least=True),
    Bar("end to end beside an aiogram echo bot", "end", 0.8, _of("ratio"), least=True),
    Bar("end to end beside aiogram and rapidfuzz, light", "end", 1.5, _of("light_ratio"), least=True),
    Bar("end to end beside them, default encoder", "end", 0.8, _of("meaning_ratio"), least=True),
    Bar("end to end beside a python-telegram-bot echo bot", "end", 2, _of("ptb_ratio"), least=True),
    Bar("memory above the aiogram echo bot, words only, MB", "end", 60, _above_echo("otklik")),
    Bar("memory above it with the default encoder, MB", "end", 330, _above_echo("meaning")),
    Bar("start to the first answer, VK only, s", "start", 1.5, _of("vk_s")),
    Bar("start beside 1.5 million events: times an empty database's", "start_history", 1.5, _of("ratio")),
    Bar("PostgreSQL: a turn beside pgbench's transactions", "postgres", 0.5, _of("turn_1_ratio"), least=True),
    Bar("a backlog with two workers: times one by one", "postgres", 2.5, _of("backlog_ratio"), least=True),
    Bar("two processes with the encoder: times one", "postgres", 1.6, postgres.two_deciding, least=True),
    Bar("operations above 1.5 times a small database's cost", "growth", 0, _of("over")),
    Bar("start with Telegram above aiogram's import, s", "start", 1.5, _of("telegram_more_s")),
)


def tell(name: str, figures: dict[str, Any]) -> None:
    """The rows of one part, each with its bar, then everything that was measured."""
    for bar in (b for b in BARS if b.part == name):
        value = bar.figure(figures)
        verdict = "not compared" if value is None else "reached" if bar.reached(value) else "NOT REACHED"
        print(
            f"{bar.what:54} {'≥' if bar.least else '≤'} {bar.want:<6g}"
            f" {'–' if value is None else round(value, 2):<9} {verdict}"
        )
    told = {k: v for k, v in figures.items() if k != "operations"}  # these have a table of their own
    print(f"    {', '.join(f'{k} {v}' for k, v in told.items())}", flush=True)


def main() -> int:
    given = argparse.ArgumentParser(description="How fast the whole thing is")
    given.add_argument("--only", default=",".join(PARTS), help="some of: " + ", ".join(PARTS))
    given.add_argument(
        "--json", type=Path, default=Path("build/bench/bench.json"), help="write the figures here"
    )
    wanted = given.parse_args()
    set_up_logging(level="critical")
    print(f"{'what':54} {'bar':8} {'measured':9}", flush=True)
    found: dict[str, Any] = {}
    for name in wanted.only.split(","):
        with tempfile.TemporaryDirectory() as place:
            made = PARTS[name](Path(place) / name)
            found[name] = asyncio.run(made) if asyncio.iscoroutine(made) else made
        tell(name, found[name])
    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    wanted.json.write_text(
        json.dumps({"load": os.getloadavg()} | found, indent=2, ensure_ascii=False) + "\n", "utf-8"
    )
    print(
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; all figures in"
        f" {wanted.json}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
