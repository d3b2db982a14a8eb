"""What the store costs beside bare sqlite3, and what group commit brings: `python benchmarks/store.py`.

Ratios are the contract (shared machines move absolute figures by a factor of two); each figure is the median
of several rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.model import Event, Inbound, Outbound, Outcome, Peer, Result, RichText, Sender
from bot.storage.base import ScheduledInbound
from bot.storage.database import SqliteDatabase
from bot.storage.migrations import bring_up
from bot.storage.sqlite.store import SqliteStore

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHATS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """How fast, and at what price: turns per second, and milliseconds of CPU for each."""

    rate: float
    cpu: float
    commits: int = 0


class Watch:
    """Wall and CPU time from here on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, turns: int, commits: int = 0) -> Figure:
        return Figure(
            turns / (time.perf_counter() - self._wall),
            (time.process_time() - self._cpu) / turns * 1000,
            commits,
        )


NOW = int(AT.timestamp() * 1000)


def raw(folder: Path, turns: int) -> Figure:
    """The same rows in the same tables by hand: one transaction keeps the message, one reads what a decision
    needs and commits it.
    """
    db = sqlite3.connect(folder / "raw.db", isolation_level=None, factory=SqliteDatabase)
    bring_up(db, None, AT)
    for pragma in ("journal_mode = wal", "synchronous = full"):
        db.execute(f"pragma {pragma}")
    watch = Watch()
    for n in range(turns):
        one_raw_turn(db, n)
    return watch.stop(turns)


def one_raw_turn(db: sqlite3.Connection, n: int) -> None:
    chat = str(n % CHATS)
    payload = json.dumps({"key": str(n), "chat": chat, "text": "где мой заказ"}, ensure_ascii=False)
    db.execute("begin immediate")
    if n < CHATS:
        db.execute("insert into customers(id, name, created) values(?, 'Анна', 0)", (n + 1,))
        db.execute(
            "insert into conversations(id, channel, chat, private, customer, created) values(?, 'tg', ?, 1,"
            " ?, 0)",
            (n + 1, chat, n + 1),
        )
    (id,) = db.execute(
        "select id from conversations where channel = 'tg' and chat = ? and thread = ''", (chat,)
    ).fetchone()
    db.execute(
        "insert into inbox(channel, key, conversation, kind, at, received, ready, limit_at, payload)"
        " values('tg', ?, ?, 'message', 0, 0, 0, 0, ?) on conflict do nothing",
        (str(n), id, payload),
    )
    db.execute("update conversations set ready_at = ? where id = ?", (NOW, id))
    db.execute("commit")
    db.execute("begin immediate")
    [(row, kept)] = db.execute(
        "select id, payload from inbox indexed by inbox_waiting where conversation = ? and done_at is null"
        " order by id",
        (id,),
    ).fetchall()
    db.execute("select * from customers where id = ?", (id,)).fetchone()
    db.execute(
        "select at, author, text, name, attachments from history where conversation = ? order by id desc"
        " limit 30",
        (id,),
    ).fetchall()
    answer = json.dumps({"to": chat, "text": json.loads(kept)["text"]}, ensure_ascii=False)
    db.execute(
        "insert into turns(id, conversation, at, dialog, result, reason, text, why) values(?, ?, 0, 'bench',"
        " 'answered', '', ?, '{}')",
        (n + 1, id, kept),
    )
    db.execute("update inbox set done_at = ?, result = 'answered', turn = ? where id = ?", (NOW, n + 1, row))
    db.execute(
        "insert into history(conversation, at, author, text) values(?, ?, 'customer', ?)", (id, NOW, kept)
    )
    db.execute(
        "update conversations set ready_at = null, state = ?, version = version + 1 where id = ?",
        (answer, id),
    )
    made = db.execute(
        "insert into outbox(dedupe, channel, chat, thread, lane, verb, conversation, turn, payload, on_doubt,"
        " created, due, head) values(?, 'tg', ?, '', 0, 'say', ?, ?, ?, 'resend', ?, ?, 0)",
        (f"{n}:0", chat, id, n + 1, answer, NOW, NOW),
    )
    db.execute(
        "insert into history(conversation, at, author, text, outbound) values(?, ?, 'bot', ?, ?)",
        (id, NOW, answer, made.lastrowid),
    )
    db.execute("insert into events(kind, at, conversation) values('answered', ?, ?)", (NOW, id))
    db.execute("commit")


async def turn_after_turn(store: SqliteStore, name: str, turns: int) -> None:
    """Accept, take, finish: what one message costs, with history and an event."""
    for n in range(turns):
        peer = Peer("tg", f"{name}-{n % CHATS}")
        inbound = Inbound(f"{name}-{n}", peer, Sender(peer.chat, "Анна"), AT, text="где мой заказ")
        await store.accept("tg", [ScheduledInbound(inbound, AT, AT)])
        turn = await store.take_turn(AT)
        if turn is not None:
            say = Outbound(turn.conversation.peer, RichText(turn.text))
            outcome = Outcome(
                "bench", Result.ANSWERED, messages=(say,), state={"n": n}, events=(Event("answered"),)
            )
            await store.finish_turn(turn, outcome, AT)


async def with_callers(folder: Path, callers: int, turns: int, group: int) -> Figure:
    store = SqliteStore.open(folder / f"store-{callers}-{group}.db", group=group)
    watch = Watch()
    await asyncio.gather(*(turn_after_turn(store, str(c), turns // callers) for c in range(callers)))
    figure = watch.stop(turns, store.commits)
    await store.close()
    return figure


def measure(rounds: int, place: Path | None, work: Callable[[Path], Figure]) -> Figure:
    """The median round."""
    figures = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            figures.append(work(Path(folder)))
    return sorted(figures, key=lambda f: f.rate)[len(figures) // 2]


def ratios(turns: int = 300, rounds: int = 3, folder: Path | None = None) -> dict[str, float]:
    """What one caller pays beside bare sqlite3 (wall and CPU), and how much faster 64 are in groups than one
    by one.
    """
    bare, one, alone, grouped = figures(turns, rounds, folder)
    return {
        "one_caller": round(bare.rate / one.rate, 2),
        "one_caller_cpu": round(one.cpu / bare.cpu, 2),
        "group": round(grouped.rate / alone.rate, 2),
        "turns_per_s": round(one.rate),
        "grouped_per_s": round(grouped.rate),
        "cpu_ms": round(grouped.cpu, 2),
    }


def figures(turns: int, rounds: int, folder: Path | None) -> tuple[Figure, Figure, Figure, Figure]:
    """Bare sqlite3, one caller, 64 that commit one by one, 64 in groups."""

    def store(callers: int, group: int = 64) -> Callable[[Path], Figure]:
        return lambda folder: asyncio.run(with_callers(folder, callers, turns, group))

    bare = measure(rounds, folder, lambda folder: raw(folder, turns))
    return (
        bare,
        measure(rounds, folder, store(1)),
        measure(rounds, folder, store(64, 1)),
        measure(rounds, folder, store(64)),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--turns", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--folder", type=Path, help="where the files go (a RAM disk shows the work without the disk)"
    )
    asked = options.parse_args()

    bare, one, alone, grouped = figures(asked.turns, asked.rounds, asked.folder)
    for name, figure in (
        ("bare sqlite3, the same rows", bare),
        ("store, 1 caller", one),
        ("store, 64, commit each", alone),
        ("store, 64, group commit", grouped),
    ):
        print(
            f"{name:30} {figure.rate:7.0f} turns/s   {figure.cpu:5.2f} ms CPU a turn  "
            f" {figure.commits or 2 * asked.turns:6} commits"
        )
    print(
        f"one caller pays {bare.rate / one.rate:.2f}x the bare transactions ({one.cpu / bare.cpu:.2f}x in"
        " CPU)"
    )
    print(
        f"64 callers: group commit is {grouped.rate / alone.rate:.2f}x commit-each,"
        f" {alone.commits / grouped.commits:.0f}x fewer commits"
    )


if __name__ == "__main__":
    main()
