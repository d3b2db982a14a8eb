"""What the store costs beside bare sqlite3, and what group commit brings: `python benchmarks/store.py`.

Ratios are the contract (shared machines move absolute figures by a factor of two); each figure is the median of several rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.model import Event, Inbound, Outbound, Outcome, Peer, Result, RichText, Sender
from bot.storage.base import Arrival
from bot.storage.sqlite import SqliteStore

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHATS = 200
SCHEMA = """
create table inbox(id integer primary key, channel text, key text, chat text, payload text, done integer, unique(channel, key)) strict;
create index waiting on inbox(chat, id) where done is null;
create table chats(chat text primary key, state text, ready integer) strict;
create table outbox(id integer primary key, chat text, payload text, status text) strict;
create index open on outbox(chat, id) where status = 'pending';
"""


def raw(folder: Path, turns: int) -> float:
    """The least that keeps the law: one transaction keeps the message, one commits the reply. Turns per second."""
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode = wal", "synchronous = full"):
        db.execute(f"pragma {pragma}")
    db.executescript(SCHEMA)
    start = time.perf_counter()
    for n in range(turns):
        chat = str(n % CHATS)
        payload = json.dumps({"key": str(n), "chat": chat, "text": "где мой заказ"}, ensure_ascii=False)
        db.execute("begin immediate")
        db.execute("insert into inbox(channel, key, chat, payload) values('tg', ?, ?, ?) on conflict do nothing", (str(n), chat, payload))
        db.execute("insert into chats(chat, ready) values(?, ?) on conflict do update set ready = excluded.ready", (chat, n))
        db.execute("commit")
        db.execute("begin immediate")
        [(row, kept)] = db.execute("select id, payload from inbox where chat = ? and done is null order by id", (chat,)).fetchall()
        answer = json.dumps({"to": chat, "text": json.loads(kept)["text"]}, ensure_ascii=False)
        db.execute("update inbox set done = 1 where id = ?", (row,))
        db.execute("update chats set ready = null, state = ? where chat = ?", (answer, chat))
        db.execute("insert into outbox(chat, payload, status) values(?, ?, 'pending')", (chat, answer))
        db.execute("commit")
    return turns / (time.perf_counter() - start)


async def turn_after_turn(store: SqliteStore, name: str, turns: int) -> None:
    """Accept, take, finish: what one message costs, with history and an event."""
    for n in range(turns):
        peer = Peer("tg", f"{name}-{n % CHATS}")
        inbound = Inbound(f"{name}-{n}", peer, Sender(peer.chat, "Анна"), AT, text="где мой заказ")
        await store.accept("tg", [Arrival(inbound, AT, AT)])
        turn = await store.take_turn(AT)
        if turn is not None:
            say = Outbound(turn.conversation.peer, RichText(turn.text))
            outcome = Outcome("bench", Result.ANSWERED, say=(say,), state={"n": n}, events=(Event("answered"),))
            await store.finish_turn(turn, outcome, AT)


async def with_callers(folder: Path, callers: int, turns: int, group: int) -> tuple[float, int]:
    """Turns per second and transactions used."""
    store = SqliteStore.open(folder / f"store-{callers}-{group}.db", group=group)
    start = time.perf_counter()
    await asyncio.gather(*(turn_after_turn(store, str(c), turns // callers) for c in range(callers)))
    rate, commits = turns / (time.perf_counter() - start), store.commits
    await store.close()
    return rate, commits


def measure(rounds: int, place: Path | None, work: Callable[[Path], float]) -> float:
    figures = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            figures.append(work(Path(folder)))
    return statistics.median(figures)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--turns", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path, help="where the files go (a RAM disk shows the work without the disk)")
    asked = options.parse_args()

    def store(callers: int, group: int = 64) -> Callable[[Path], float]:
        def work(folder: Path) -> float:
            run: Awaitable[tuple[float, int]] = with_callers(folder, callers, asked.turns, group)
            return asyncio.run(run)[0]  # type: ignore[arg-type]

        return work

    bare = measure(asked.rounds, asked.folder, lambda folder: raw(folder, asked.turns))
    one = measure(asked.rounds, asked.folder, store(1))
    alone = measure(asked.rounds, asked.folder, store(64, 1))
    grouped = measure(asked.rounds, asked.folder, store(64))
    print(f"bare sqlite3, two transactions a turn   {bare:8.0f} turns/s")
    print(f"store, 1 caller                         {one:8.0f} turns/s   costs {bare / one:.2f}x the bare transactions")
    print(f"store, 64 callers, commit each          {alone:8.0f} turns/s")
    print(f"store, 64 callers, group commit         {grouped:8.0f} turns/s   {grouped / alone:.2f}x commit-each, {grouped / bare:.2f}x bare")


if __name__ == "__main__":
    main()
