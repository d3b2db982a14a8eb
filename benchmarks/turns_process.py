"""One process at work on a database, for benchmarks/postgres.py:  python -m benchmarks.turns_process WORK URL
CHANNEL TURNS [FOLDER]

It says "ready", begins when it is told to, and says what it did as a line of JSON. Moments are of the
machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import Overrides, build_service, open_store
from bot.clock import Clock
from bot.config.loader import Config
from bot.model import Conversation, Event, Inbound, Outbound, Outcome, Peer, Result, RichText, Sender, Turn
from bot.observability import set_up_logging
from bot.service import WORKERS
from bot.storage.base import DeliveryResult, ScheduledInbound, Store
from bot.testing.fakes import FakeAdapter

CHATS = 200
PORTION = 50  # messages that one call of a platform brings
CALLERS = 16  # turns that a process has in hand at once
LONG = timedelta(hours=1)
QUESTION = "Здравствуйте! Подскажите, пожалуйста, где сейчас мой заказ и когда его привезут?"
ANSWER = (
    "Доставка по Москве занимает 1–2 дня, по России 3–7 дней. Где сейчас заказ, видно в письме от"
    " курьерской службы: в нём номер отправления и ссылка. Если письма нет, напишите номер заказа."
)
WHY = {"search": [{"article": "delivery", "score": 0.91}, {"article": "status", "score": 0.52}], "act": ""}

Begin = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Work:
    """What is to be done with a store, and how far it came."""

    store: Store
    channel: str
    turns: int
    finished: int = 0
    settled: int = 0

    def arrival(self, n: int, chats: int) -> ScheduledInbound:
        peer, now = Peer(self.channel, str(n % chats)), datetime.now(UTC)
        sender = Sender(peer.chat, "Анна", "Иванова", "anna")
        return ScheduledInbound(Inbound(f"{now.timestamp()}-{n}", peer, sender, now, text=QUESTION), now, now)

    async def finish(self, turn: Turn) -> None:
        """An answered message: one delivery, the state, an event."""
        outcome = Outcome(
            "bench",
            Result.ANSWERED,
            reason="answered",
            messages=(Outbound(turn.conversation.peer, RichText(ANSWER), author="bot"),),
            state={"n": turn.id, "last": "delivery"},
            events=(Event("answered", data={"article": "delivery"}),),
            explanation=WHY,
        )
        await self.store.finish_turn(turn, outcome, datetime.now(UTC))
        self.finished += 1

    async def send(self) -> int:
        """Everything of this channel that may go now "arrives"; returns how much it was."""
        taken = await self.store.take_deliveries(datetime.now(UTC))
        await asyncio.gather(
            *(
                self.store.settle(d, DeliveryResult("sent", message=f"m{d.id}"), datetime.now(UTC))
                for d in taken
            )
        )
        self.settled += len(taken)
        return len(taken)


async def one_by_one(work: Work, begin: Begin) -> None:
    """A message is accepted, decided and answered before the next one comes."""
    await work.store.accept(work.channel, [work.arrival(n, CHATS) for n in range(CHATS)])
    while (turn := await work.store.take_turn(datetime.now(UTC))) is not None:
        await work.finish(turn)
    while await work.send():
        pass
    work.finished = 0
    await begin()
    for n in range(work.turns):
        await work.store.accept(work.channel, [work.arrival(n, CHATS)])
        turn = await work.store.take_turn(datetime.now(UTC))
        if turn is not None:
            await work.finish(turn)
        await work.send()


async def decided_only(work: Work, begin: Begin) -> None:
    """The same without the sending: accept, take, finish."""
    await begin()
    for n in range(work.turns):
        await work.store.accept(work.channel, [work.arrival(n, CHATS)])
        turn = await work.store.take_turn(datetime.now(UTC))
        if turn is not None:
            await work.finish(turn)


async def backlog(work: Work, begin: Begin) -> None:
    """Many customers have written once: their messages are accepted in portions, decided by many at once and
    answered in portions.
    """
    await work.store.accept(work.channel, [work.arrival(n, work.turns) for n in range(work.turns)])
    await _work_off(work)
    work.finished = work.settled = 0
    await begin()
    for first in range(0, work.turns, PORTION):
        await work.store.accept(
            work.channel,
            [work.arrival(first + n, work.turns) for n in range(min(PORTION, work.turns - first))],
        )
    await _work_off(work)


async def _work_off(work: Work) -> None:
    """Everybody decides on whatever is ready; each answers its own channel."""

    async def decide() -> None:
        while work.settled < work.turns:
            turn = await work.store.take_turn(datetime.now(UTC))
            if turn is None:
                await asyncio.sleep(0.002)
                continue
            await work.finish(turn)

    async def send() -> None:
        while work.settled < work.turns:
            if not await work.send():
                await asyncio.sleep(0.002)

    await asyncio.gather(send(), *(decide() for _ in range(CALLERS)))


async def decide(url: str, folder: Path, begin: Begin) -> Work:
    """The engine with its real encoder decides on what waits; nothing is sent."""
    settings = {
        "storage": {"url": url},
        "knowledge": {"folder": str(folder / "kb"), "cache": str(folder / "cache")},
        "dialogs": {"settle": 0, "typing": False},
    }
    adapters = {"tg0": FakeAdapter("tg0")}
    service = await build_service(
        Config.model_validate(settings), Overrides(adapters=adapters, log_events=False)
    )
    await asyncio.to_thread(service.knowledge.load_embeddings)
    peer, now = Peer("tg0", "warm"), service.clock()
    asked = Inbound("warm", peer, Sender("warm", "Анна"), now, text="сколько идёт доставка")
    await service.engine.decide_safely(Turn(0, Conversation(0, peer, 0), (asked,), now))
    work = Work(service.store, "tg0", 0)
    await begin()

    async def one() -> None:
        while (turn := await service.store.take_turn(service.clock())) is not None:
            await service.engine.take(turn)
            work.finished += 1

    await asyncio.gather(*(one() for _ in range(WORKERS)))
    return work


WORKS = {"one_by_one": one_by_one, "decided_only": decided_only, "backlog": backlog}


async def main(what: str, url: str, channel: str, turns: int, folder: Path) -> None:
    began, busy = 0.0, 0.0

    async def begin() -> None:
        nonlocal began, busy
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began, busy = time.monotonic(), time.process_time()

    if what == "decide":
        work = await decide(url, folder, begin)
    else:
        config = Config.model_validate({"storage": {"url": url}})
        work = Work(open_store(config, Clock()), channel, turns)
        await work.store.renew([f"channel:{channel}"], datetime.now(UTC), LONG)
        await WORKS[what](work, begin)
    ended, busy = time.monotonic(), time.process_time() - busy
    await work.store.close()
    print(json.dumps({"turns": work.finished, "began": began, "ended": ended, "cpu": busy}), flush=True)


if __name__ == "__main__":
    set_up_logging(level="critical")
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5])))
