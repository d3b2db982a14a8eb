"""`bot run` with MAX as its only channel, killed (-9) at chosen and at unchosen moments while customers write
and the server answers 500, cuts the connection, or does what it was asked and cuts then:

    python -m tests.chaos.killed_max --kills 10 --customers 60 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from tests.chaos.invariants import MARK
from tests.fakes.max_server import TOKEN, FakeMax
from tests.knowledge.shop import write_shop

ROOT = Path(__file__).parents[2]
GROUP, OLGA = -700, 9
QUESTION, ANSWER, PLEA = "Когда привезут заказ?", "курьер привозит", "позовите оператора"
PATIENCE = 120.0  # seconds until everything must have come to rest

Row = Mapping[str, Any]


class StormyMax(FakeMax):
    """The fake server in bad weather. *at_moment* is called with what has just happened: it may kill."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.rough = dice, 0.0
        self.at_moment: Callable[[str], None] = lambda what: None

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        what = {("POST", "/messages"): "sent", ("GET", "/updates"): "told"}.get((request.method, path), "")
        fate = self._drawn() if what else ""
        if fate == "refused":
            return web.Response(status=500, text="<html>oops</html>")
        if fate == "cut":
            return _broken(request)
        answer = await super().answer_call(request)
        if what == "sent" or (what == "told" and b'"updates": []' not in getattr(answer, "body", b"")):
            self.at_moment(what)
        return _broken(request) if fate == "done" else answer

    def _drawn(self) -> str:
        drawn = self.dice.random()
        fates = ("refused", "cut", "done")
        return next((f for n, f in enumerate(fates, 1) if drawn < self.rough * n / len(fates)), "")


@dataclass(slots=True)
class Outcome:
    """What one run brought: each broken law is a sentence."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    log: str = ""


class KilledMax:
    """One run in *folder*."""

    def __init__(self, folder: Path, *, kills: int, customers: int, seed: int) -> None:
        self._folder, self._kills, self._customers = folder, kills, customers
        self._dice = random.Random(seed)
        self._server = StormyMax(random.Random(seed + 1))
        self._process: asyncio.subprocess.Process | None = None
        self._deaths = 0
        self._said: dict[str, tuple[int, str, str]] = {}  # mark: customer, words, key

    async def run(self) -> Outcome:
        write_shop(self._folder / "kb")
        async with self._server:
            self._server.group(GROUP, members={OLGA: "Ольга"})
            self._write_config()
            try:
                await self._live()
                rested = await self._rest()
            finally:
                await self._stop()
        log = (self._folder / "log").read_text("utf-8", errors="replace")[-6000:]
        return Outcome(
            [*([] if rested else ["it did not come to rest"]), *self._laws()], self._figures(), log
        )

    # --- what happens

    async def _live(self) -> None:
        await self._start()
        self._server.rough = 0.15
        share = max(1, self._customers // (self._kills + 1))
        for number in range(self._customers):
            self._writes(number)
            await asyncio.sleep(self._dice.uniform(0.0, 0.05))
            if number % share == share - 1 and self._deaths < self._kills:
                await self._dies()
                await self._start()
        self._server.rough = 0.0

    def _writes(self, number: int) -> None:
        user, mark = 1000 + number, f"[m{number}]"
        words = PLEA if number % 6 == 5 else QUESTION
        self._server.person(user, f"Клиент{number}")
        message = self._server.writes(user, f"{words} {mark}")
        self._said[mark] = (user, words, f"message:{message['message']['body']['mid']}")

    async def _dies(self) -> None:
        """Once something was just sent, or just told, or at a moment of no meaning."""
        moment, died = self._dice.choice(("sent", "told", "")), asyncio.Event()

        def kill(what: str) -> None:
            if what == moment and not died.is_set():
                self._kill()
                died.set()

        self._server.at_moment = kill
        try:
            async with asyncio.timeout(self._dice.uniform(0.2, 1.5) if not moment else 15):
                await died.wait()
        except TimeoutError:
            self._kill()
        self._server.at_moment = lambda what: None
        assert self._process is not None
        await self._process.wait()
        self._deaths += 1

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _start(self) -> None:
        before = len(self._server.of("GET", "/updates"))
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run", "--config", str(self._folder / "config.yaml"), "--no-web"),
                cwd=self._folder,
                env={**os.environ, "MAX_BOT_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        await self._server.until(lambda: len(self._server.of("GET", "/updates")) > before, 60)

    async def _rest(self) -> bool:
        """Whether everything is decided on and delivered in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._waiting():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False
        return True

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def _write_config(self) -> None:
        week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
        made = {
            "storage": {"url": "sqlite:///bot.db"},
            "knowledge": {"folder": "kb", "embeddings": {"model": "off"}, "watch": False},
            "channels": {"max": {"type": "max", "token": "${MAX_BOT_TOKEN}", "api_base": self._server.base}},
            "desk": {"channel": "max", "chat": GROUP},
            "hours": {"timezone": "UTC", "week": week, "country": None},
            "dialogs": {"settle": 0.1, "settle_limit": 0.5, "typing": False},
            "rating": {"ask": False},
        }
        (self._folder / "config.yaml").write_text(yaml.safe_dump(made, allow_unicode=True), "utf-8")

    # --- what must hold

    def _rows(self, query: str) -> Sequence[Row]:
        db = sqlite3.connect(f"{(self._folder / 'bot.db').as_uri()}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute(query)]
        finally:
            db.close()

    def _waiting(self) -> bool:
        kept = {row["key"] for row in self._rows("select key from inbox where done_at is not null")}
        if not {key for _, _, key in self._said.values()} <= kept:
            return True
        return bool(self._rows("select 1 from outbox where status in ('pending', 'sending') limit 1"))

    def _laws(self) -> list[str]:
        """Each message has one recorded outcome; each row that was sent is with its customer; what came twice
        is in doubt.
        """
        inbox = self._rows("select key, result, turn from inbox")
        kept, turns = Counter(row["key"] for row in inbox), Counter[str]()
        for row in self._rows("select text from turns"):
            turns.update(MARK.findall(row["text"]))
        found = [f"{m} is kept {kept[key]} times" for m, (_, _, key) in self._said.items() if kept[key] != 1]
        found += [f"{m} was decided on {turns[m]} times" for m in self._said if turns[m] != 1]
        found += [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        return [*found, *self._deliveries(), *self._answers()]

    def _deliveries(self) -> list[str]:
        found, doubts, told = list[str](), Counter[str](), defaultdict[str, set[str]](set)
        for row in self._rows("select * from outbox where verb = 'say'"):
            doubts[row["chat"]] += row["doubts"]
            if row["status"] != "sent":
                found.append(f"row {row['id']} to {row['chat']} is {row['status']}: {row['error']}")
            elif row["message"] not in self._server.messages:
                found.append(f"row {row['id']} to {row['chat']} counts as sent and is not there")
            told[row["chat"]].add(row["message"])
        for shown in self._server.messages.values():
            chat = str(shown.chat if shown.chat < 0 else shown.user)
            if shown.mid not in told[chat]:
                doubts[chat] -= 1
                if doubts[chat] < 0:
                    found.append(f"{chat} has {shown.text!r} twice, and no doubt is on record")
        return found

    def _answers(self) -> list[str]:
        """Every customer who asked has the answer; who called for a person is shown to the operators."""
        desk = "\n".join(m.text for m in self._server.said_to(GROUP))
        found = []
        for mark, (user, words, _) in self._said.items():
            if words == QUESTION and not any(ANSWER in m.text for m in self._server.said_to(user)):
                found.append(f"{mark} of {user} has no answer")
            if words == PLEA and mark not in desk:
                found.append(f"{mark} of {user} did not reach the operators")
        return found

    def _figures(self) -> dict[str, int]:
        rows = self._rows("select doubts, message from outbox where verb = 'say'")
        known = {row["message"] for row in rows}
        return {
            "kills": self._deaths,
            "messages": len(self._said),
            "arrivals": len(self._server.messages),
            "twice": len(self._server.messages.keys() - known),
            "doubts": sum(row["doubts"] for row in rows),
            "too fast": self._server.too_fast,
        }


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def main() -> None:
    """The long run; says what broke and ends with 1 where something did."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("kills", 10), ("customers", 60), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otklik-max-") as folder:
        told = asyncio.run(
            KilledMax(Path(folder), kills=given.kills, customers=given.customers, seed=given.seed).run()
        )
    print(json.dumps(told.figures, ensure_ascii=False))
    print("\n".join(told.broken) or "nothing is broken")
    if told.broken:
        print(told.log)
        sys.exit(1)


if __name__ == "__main__":
    main()
