"""`bot run` with the chat of a site as its only channel, killed (-9) at moments nobody chose, while browsers
write, cut their own connections and read their streams:

    python -m tests.chaos.killed_website --kills 10 --visitors 12 --messages 8 --seed 1
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.invariants import MARK
from tests.chaos.killed_bot import PATIENCE, QUESTION, KilledBot, main

SHOP = "https://shop.example"
BROKEN = (aiohttp.ClientError, TimeoutError, OSError)


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


class KilledWebsite(KilledBot):
    """One run in *folder*."""

    def __init__(self, folder: Path, *, kills: int, visitors: int, messages: int, seed: int) -> None:
        super().__init__(folder, kills=kills, seed=seed)
        self._visitors, self._messages = visitors, messages
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self._browsers: list[StubbornBrowser] = []

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[None]:
        base = f"http://127.0.0.1:{self._port}/chat/site"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            dice = [random.Random(self.dice.random()) for _ in range(self._visitors)]
            self._browsers = [StubbornBrowser(http, base, d) for d in dice]
            yield

    def config(self) -> dict[str, Any]:
        return {
            "channels": {"site": {"type": "website", "origins": [SHOP]}},
            "web": {"host": "127.0.0.1", "port": self._port},
        }

    # --- what happens

    async def live(self) -> None:
        await self.start()
        async with asyncio.TaskGroup() as tasks:
            talking = [tasks.create_task(self._talk(n, b)) for n, b in enumerate(self._browsers)]
            await asyncio.sleep(0.2)
            listening = [tasks.create_task(b.listen()) for b in self._browsers]
            while self.deaths < self.kills:
                await self._hears(talking)
                await asyncio.sleep(self.dice.uniform(0.0, 0.5))
                await self.die()
                await self.start()
            await asyncio.wait(talking)
            await self.rest()
            for task in listening:
                task.cancel()

    async def _hears(self, talking: Collection[asyncio.Task[None]]) -> None:
        """Until the process that runs now has kept a message: before that a kill would show nothing."""
        before = self._kept()
        async with asyncio.timeout(PATIENCE):
            while self._kept() == before and not all(task.done() for task in talking):
                await asyncio.sleep(0.01)

    def _kept(self) -> int:
        return sum(len(browser.kept) for browser in self._browsers)

    async def _talk(self, number: int, browser: StubbornBrowser) -> None:
        await browser.open()
        for n in range(self._messages):
            await browser.say(f"[m{number * 1000 + n}]")
            await asyncio.sleep(browser.dice.uniform(0.0, 0.4))

    # --- what must hold

    def is_waiting(self) -> bool:
        if self.rows("select 1 from inbox where done_at is null limit 1") or self.is_unsent():
            return True
        told = sum(len(set(browser.numbers)) for browser in self._browsers)
        return told < len(self.rows("select number from chat_lines"))

    def laws(self) -> list[str]:
        """Each message was kept, decided on and shown once; each answer that was sent stands in the chat
        once; each stream told each line once, in order.
        """
        inbox = self.rows("select key, result from inbox where kind = 'message'")
        lines = self.rows("select chat, number, source, own, payload from chat_lines")
        kept = Counter(row["key"].rpartition(":")[2] for row in inbox)
        shown = Counter(m for row in lines if row["own"] for m in MARK.findall(row["payload"]))
        turns = Counter(m for row in self.rows("select text from turns") for m in MARK.findall(row["text"]))
        found = [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        for mark, id in [pair for browser in self._browsers for pair in browser.kept.items()]:
            counts = (kept[id], turns[mark], shown[mark])
            if counts != (1, 1, 1):
                found.append(f"{mark} was kept, decided on and shown {counts} times")
        sources = Counter(row["source"] for row in lines if not row["own"])
        said = self.rows("select id from outbox where verb = 'say' and status = 'sent'")
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

    def figures(self) -> dict[str, int]:
        doubts = self.rows("select sum(doubts) as n from outbox")[0]["n"] or 0
        return {
            "messages": self._kept(),
            "answers": len(self.rows("select 1 from chat_lines where own = 0")),
            "asked again": sum(browser.repeats for browser in self._browsers),
            "doubts": doubts,
        }


if __name__ == "__main__":
    main(__doc__, KilledWebsite, kills=10, visitors=12, messages=8, seed=1)
