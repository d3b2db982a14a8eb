"""Kills a small durable bot on the VK adapter again and again:  python .ci/sim/vk_crash.py PATH/vk_sim.py
[kills 20] [seed 1]

The bot answers every message with its words; the simulator drops, garbles, delays and cuts its history
meanwhile. In the
end every message must have exactly one answer, in order for each customer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.adapters.base import File
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.errors import RetryLater
from bot.model import Attachment, Inbound, InboundKind, Outbound, Peer, RichText

TOKEN, GROUP = "vk1.a.SIM", 200001
CUSTOMERS = range(3001, 3009)


class NoFiles:
    async def read(self, attachment: Attachment) -> File:
        raise NotImplementedError


async def echo(base: str, path: str) -> None:
    """The bot: keeps, answers from what it has kept, remembers what is sent."""
    db = sqlite3.connect(path)
    db.executescript(
        "pragma journal_mode=wal; create table if not exists said(id integer primary key, key text unique,"
        " chat text, words text, sent int default 0);create table if not exists cursor(id int primary key,"
        " value text)"
    )
    awake = asyncio.Event()

    async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        with db:
            for i in inbounds:
                if i.kind is InboundKind.MESSAGE:
                    db.execute(
                        "insert or ignore into said(key, chat, words) values(?, ?, ?)",
                        (i.key, i.peer.chat, i.text),
                    )
            if cursor:
                db.execute("insert or replace into cursor values(1, ?)", (cursor,))
        awake.set()

    vk = VkAdapter("vk", VkSettings(token=TOKEN, group_id=GROUP, api_base=base, wait=2))

    async def answer() -> None:
        while True:
            awake.clear()
            waiting = db.execute(
                "select id, chat, words from said where not sent and id in (select min(id) from said where"
                " not sent group by chat)"
            ).fetchall()
            for number, chat, words in waiting:
                try:
                    await vk.send(
                        Outbound(Peer("vk", chat), RichText(f"эхо: {words}")),
                        nonce=number,
                        target="",
                        files=NoFiles(),
                    )
                except RetryLater:
                    continue
                with db:
                    db.execute("update said set sent = 1 where id = ?", (number,))
            if not waiting:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(awake.wait(), 0.2)

    found = db.execute("select value from cursor").fetchone()
    await asyncio.gather(vk.run(accept, cursor=found and found[0]), answer())


def ask(base: str, what: str, **given: Any) -> Any:
    request = urllib.request.Request(
        f"{base}/sim/{what}", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as told:
        return json.load(told)


async def main(simulator: str, kills: int, seed: int) -> int:
    dice = random.Random(seed)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{s.getsockname()[1]}"
    server = await asyncio.create_subprocess_exec(
        sys.executable, simulator, "--port", base.rpartition(":")[2], stdout=asyncio.subprocess.DEVNULL
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "echo.db")
        try:
            return await play(base, path, dice, kills)
        finally:
            server.terminate()
            await server.wait()


async def play(base: str, path: str, dice: random.Random, kills: int) -> int:
    async def sim(what: str, **given: Any) -> Any:
        return await asyncio.to_thread(ask, base, what, **given)

    for _ in range(100):
        with contextlib.suppress(OSError):
            await sim("reset")
            break
        await asyncio.sleep(0.1)
    await sim("config", rps={"enabled": False})  # each kill forgets how many calls the second has seen
    for user in CUSTOMERS:
        await sim("users", id=user)
    for action in (
        {"type": "drop_before"},
        {"type": "drop_after"},
        {"type": "http", "status": 502},
        {"type": "garbage"},
        {"type": "truncate"},
        {"type": "too_many"},
    ):
        for method in ("messages.send", "longpoll", "/^(users|groups|messages.get)/"):
            await sim("faults", match={"method": method}, action=action, times=-1, probability=0.03)
    said: dict[int, list[str]] = {user: [] for user in CUSTOMERS}
    bot = await start(base, path)
    await asyncio.sleep(2.5)  # the first start takes its place in the queue: what comes before it is history
    for kill in range(kills):
        end = time.monotonic() + dice.uniform(0.3, 3.0)
        while time.monotonic() < end:
            user = dice.choice(CUSTOMERS)
            said[user].append(f"{user}/{len(said[user])}")
            await sim("send", user_id=user, text=said[user][-1])
            await asyncio.sleep(dice.uniform(0, 0.1))
            if dice.random() < 0.03:
                await sim("lp", action=dice.choice(("expire_key", "drop_history", "lose_info")))
        bot.send_signal(signal.SIGKILL)
        await bot.wait()
        bot = await start(base, path)
        print(f"\rkill {kill + 1}: {sum(map(len, said.values()))} messages", end="", file=sys.stderr)
    end = time.monotonic() + 90
    wrong = ["?"]
    while wrong and time.monotonic() < end:
        await asyncio.sleep(1)
        wrong = []
        for user in CUSTOMERS:
            heard = [m["text"] for m in (await sim("messages", user_id=user, from_bot=True))["messages"]]
            if heard != [f"эхо: {words}" for words in said[user]]:
                missing = set(said[user]) - {h.removeprefix("эхо: ") for h in heard}
                wrong.append(
                    f"{user}: said {len(said[user])}, heard {len(heard)}, different {len(set(heard))},"
                    f" missing {sorted(missing)[:5]}"
                )
    bot.terminate()
    await bot.wait()
    violations = (await sim("violations"))["violations"]
    print(
        f"\n{kills} kills, {sum(map(len, said.values()))} messages:",
        "; ".join(wrong) or "each answered once and in order",
        *violations[:3],
    )
    return int(bool(wrong or violations))


async def start(base: str, path: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--echo",
        base,
        path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


if __name__ == "__main__":
    if sys.argv[1] == "--echo":
        asyncio.run(echo(sys.argv[2], sys.argv[3]))
    else:
        numbers = [*map(int, sys.argv[2:]), *(20, 1)[len(sys.argv) - 2 :]]
        sys.exit(asyncio.run(main(sys.argv[1], numbers[0], numbers[1])))
