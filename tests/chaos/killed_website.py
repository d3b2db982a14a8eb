"""`bot run` with the chat of a site as its only channel, killed (-9) at moments nobody chose, while browsers
write, cut their own connections and read their streams:

    python -m tests.chaos.killed_website --kills 10 --visitors 12 --messages 8 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.chaos.invariants import MARK
from tests.knowledge.shop import write_shop

ROOT = Path(__file__).parents[2]
SHOP = "https://shop.example"
QUESTION = "Когда привезут заказ?"
PATIENCE = 120.0  # seconds until everything must have come to rest
BROKEN = (aiohttp.ClientError, TimeoutError, OSError)

Row = Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What one run brought: each broken law is a sentence."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    log: str = ""


class StubbornBrowser:
    """Asks again with the same key until it is answered, and reads its stream from where it was cut."""

    def __init__(self, http: aiohttp.ClientSession, base: str, dice: random.Random) -> None:
        self._http, self._base, self.dice = http, base, dice
        self._token = ""
        self.cursor = 0
        self.numbers: list[int] = []  # of the lines that the stream told, as they came
        self.kept: dict[str, str] = {}  # mark: id that the server told
        self.repeats = 0

    async def open(self) -> None:
        self._token = (await self._insist("session", {}))["visitor"]

    async def say(self, mark: str) -> None:
        body = {"key": f"key-{mark.strip('[]')}-00000", "text": f"{QUESTION} {mark}"}
        self.kept[mark] = (await self._insist("messages", body))["id"]

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(*BROKEN):
                await self._stream(None if self.dice.random() < 0.5 else self.dice.uniform(0.1, 1.0))
            await asyncio.sleep(0.05)

    async def _insist(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        while True:
            patience = 10.0 if self.dice.random() < 0.7 else self.dice.uniform(0.001, 0.03)
            with contextlib.suppress(*BROKEN):
                async with asyncio.timeout(patience):
                    asked = self._http.post(f"{self._base}/{path}", json=body, headers=self._headers)
                    async with asked as answer:
                        if answer.status == 200:
                            return dict(await answer.json())
                        assert answer.status in (429, 503), (answer.status, await answer.text())
            self.repeats += 1
            await asyncio.sleep(0.05)

    async def _stream(self, patience: float | None) -> None:
        address = f"{self._base}/events?after={self.cursor}"
        async with (
            asyncio.timeout(patience),
            self._http.get(address, headers=self._headers, timeout=aiohttp.ClientTimeout()) as answer,
        ):
            if answer.status != 200:
                raise aiohttp.ClientError
            async for line in answer.content:
                if line.startswith(b"id: "):
                    self.cursor = int(line[4:])
                    self.numbers.append(self.cursor)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Origin": SHOP, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}


class KilledWebsite:
    """One run in *folder*."""

    def __init__(self, folder: Path, *, kills: int, visitors: int, messages: int, seed: int) -> None:
        self._folder, self._kills, self._messages = folder, kills, messages
        self._dice = random.Random(seed)
        self._process: asyncio.subprocess.Process | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self._base = f"http://127.0.0.1:{self._port}/chat/site"
        self._visitors = visitors
        self._browsers: list[StubbornBrowser] = []
        self._deaths = 0

    async def run(self) -> Outcome:
        write_shop(self._folder / "kb")
        self._write_config()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            dice = [random.Random(self._dice.random()) for _ in range(self._visitors)]
            self._browsers = [StubbornBrowser(http, self._base, d) for d in dice]
            try:
                rested = await self._live()
            finally:
                await self._stop()
        log = (self._folder / "log").read_text("utf-8", errors="replace")[-6000:]
        return Outcome([*([] if rested else ["it did not rest"]), *self._laws()], self._figures(), log)

    # --- what happens

    async def _live(self) -> bool:
        await self._start()
        async with asyncio.TaskGroup() as tasks:
            talking = [tasks.create_task(self._talk(n, b)) for n, b in enumerate(self._browsers)]
            await asyncio.sleep(0.2)
            listening = [tasks.create_task(b.listen()) for b in self._browsers]
            while self._deaths < self._kills:
                await asyncio.sleep(self._dice.uniform(0.3, 1.2))
                self._kill()
                assert self._process is not None
                await self._process.wait()
                self._deaths += 1
                await self._start()
            await asyncio.wait(talking)
            rested = await self._rest()
            for task in listening:
                task.cancel()
        return rested

    async def _talk(self, number: int, browser: StubbornBrowser) -> None:
        await browser.open()
        for n in range(self._messages):
            await browser.say(f"[m{number * 1000 + n}]")
            await asyncio.sleep(browser.dice.uniform(0.0, 0.4))

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run", "--config", str(self._folder / "config.yaml")),
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    async def _rest(self) -> bool:
        """Whether everything is decided on, delivered and read in time."""
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
            "channels": {"site": {"type": "website", "origins": [SHOP]}},
            "web": {"host": "127.0.0.1", "port": self._port},
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
        open_rows = "select 1 from outbox where status in ('pending', 'sending') limit 1"
        if self._rows("select 1 from inbox where done_at is null limit 1") or self._rows(open_rows):
            return True
        told = sum(len(set(browser.numbers)) for browser in self._browsers)
        return told < len(self._rows("select number from chat_lines"))

    def _laws(self) -> list[str]:
        """Each message was kept, decided on and shown once; each answer that was sent stands in the chat
        once; each stream told each line once, in order.
        """
        inbox = self._rows("select key, result from inbox where kind = 'message'")
        lines = self._rows("select chat, number, source, own, payload from chat_lines")
        kept = Counter(row["key"].rpartition(":")[2] for row in inbox)
        shown = Counter(m for row in lines if row["own"] for m in MARK.findall(row["payload"]))
        turns = Counter(m for row in self._rows("select text from turns") for m in MARK.findall(row["text"]))
        found = [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        for mark, id in [pair for browser in self._browsers for pair in browser.kept.items()]:
            counts = (kept[id], turns[mark], shown[mark])
            if counts != (1, 1, 1):
                found.append(f"{mark} was kept, decided on and shown {counts} times")
        sources = Counter(row["source"] for row in lines if not row["own"])
        said = self._rows("select id from outbox where verb = 'say' and status = 'sent'")
        sent = [row["id"] for row in said]
        found += [f"answer {id} is shown {sources[f'o{id}']} times" for id in sent if sources[f"o{id}"] != 1]
        found += [f"{s} was never enqueued" for s in sources if int(s[1:]) not in sent]
        chats = Counter(row["chat"] for row in lines)
        told = Counter(len(browser.numbers) for browser in self._browsers)
        found += [
            f"a stream told {browser.numbers}"
            for browser in self._browsers
            if browser.numbers != list(range(1, len(browser.numbers) + 1))
        ]
        if told != Counter(chats.values()):
            found.append(f"the streams told {told}, the chats hold {Counter(chats.values())}")
        return found

    def _figures(self) -> dict[str, int]:
        doubts = self._rows("select sum(doubts) as n from outbox")[0]["n"] or 0
        return {
            "kills": self._deaths,
            "messages": sum(len(browser.kept) for browser in self._browsers),
            "answers": len(self._rows("select 1 from chat_lines where own = 0")),
            "asked again": sum(browser.repeats for browser in self._browsers),
            "doubts": doubts,
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("kills", 10), ("visitors", 12), ("messages", 8), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otklik-killed-website-") as name:
        run = KilledWebsite(
            Path(name),
            kills=given.kills,
            visitors=given.visitors,
            messages=given.messages,
            seed=given.seed,
        )
        told = asyncio.run(run.run())
    print(json.dumps(told.figures))
    print("\n".join(told.broken) or "nothing lost, nothing doubled")
    if told.broken:
        print(told.log)
    return bool(told.broken)


if __name__ == "__main__":
    raise SystemExit(main())
