"""`bot run` with MAX as its only channel, killed (-9) at chosen and at unchosen moments while customers write
and the server answers 500, cuts the connection, or does what it was asked and cuts then:

    python -m tests.chaos.killed_max --kills 10 --customers 60 --seed 1
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.chaos.invariants import MARK
from tests.chaos.killed_bot import ANSWER, QUESTION, KilledBot, main
from tests.fakes.max_server import TOKEN, FakeMax

GROUP, OLGA = -700, 9
PLEA = "позовите оператора"


class UnreliableMax(FakeMax):
    """A server that fails now and then. *at_moment* is called with what has just happened: it may kill."""

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


class KilledMax(KilledBot):
    """One run in *folder*."""

    options = ("--no-web",)
    environment: Mapping[str, str] = {"MAX_BOT_TOKEN": TOKEN}

    def __init__(self, folder: Path, *, kills: int, customers: int, seed: int) -> None:
        super().__init__(folder, kills=kills, seed=seed)
        self._customers = customers
        self._server = UnreliableMax(random.Random(seed + 1))
        self._said: dict[str, tuple[int, str, str]] = {}  # mark: customer, words, key

    def platform(self) -> UnreliableMax:
        self._server.group(GROUP, members={OLGA: "Ольга"})
        return self._server

    def config(self) -> dict[str, Any]:
        channel = {"type": "max", "token": "${MAX_BOT_TOKEN}", "api_base": self._server.base}
        return {"channels": {"max": channel}, "desk": {"channel": "max", "chat": GROUP}}

    # --- what happens

    async def live(self) -> None:
        await self.start()
        self._server.rough = 0.15
        share = max(1, self._customers // (self.kills + 1))
        for number in range(self._customers):
            self._writes(number)
            await asyncio.sleep(self.dice.uniform(0.0, 0.05))
            if number % share == share - 1 and self.deaths < self.kills:
                await self.die_at(("sent", "told", ""), [self._server], wait=15)
                await self.start()
        self._server.rough = 0.0
        await self.rest()

    def _writes(self, number: int) -> None:
        user, mark = 1000 + number, f"[m{number}]"
        words = PLEA if number % 6 == 5 else QUESTION
        self._server.person(user, f"Клиент{number}")
        message = self._server.writes(user, f"{words} {mark}")
        self._said[mark] = (user, words, f"message:{message['message']['body']['mid']}")

    async def start(self) -> None:
        before = len(self._server.of("GET", "/updates"))
        await super().start()
        await self._server.until(lambda: len(self._server.of("GET", "/updates")) > before, 60)

    # --- what must hold

    def is_waiting(self) -> bool:
        return self.is_undecided({key for _, _, key in self._said.values()}) or self.is_unsent()

    def laws(self) -> list[str]:
        """Each message has one recorded outcome; each row that was sent is with its customer; what came twice
        is in doubt.
        """
        inbox = self.rows("select key, result from inbox where kind = 'message'")
        kept, turns = Counter(row["key"] for row in inbox), Counter[str]()
        for row in self.rows("select text from turns"):
            turns.update(MARK.findall(row["text"]))
        found = [f"{m} is kept {kept[key]} times" for m, (_, _, key) in self._said.items() if kept[key] != 1]
        found += [f"{m} was decided on {turns[m]} times" for m in self._said if turns[m] != 1]
        found += [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        return [*found, *self._deliveries(), *self._answers()]

    def _deliveries(self) -> list[str]:
        found, doubts, told = list[str](), Counter[str](), defaultdict[str, set[str]](set)
        for row in self.rows("select * from outbox where verb = 'say'"):
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

    def figures(self) -> dict[str, int]:
        rows = self.rows("select doubts, message from outbox where verb = 'say'")
        known = {row["message"] for row in rows}
        return {
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


if __name__ == "__main__":
    main(__doc__, KilledMax, kills=10, customers=60, seed=1)
