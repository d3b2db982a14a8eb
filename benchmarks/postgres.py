"""What a turn costs on PostgreSQL beside the raw transactions it consists of (pgbench), and what more workers
bring:  python -m benchmarks.postgres

Everything in one run on one server with fsync on; ratios are the contract.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.turns_process import ANSWER, CHATS, PORTION, QUESTION, WHY
from bot.app import open_store
from bot.clock import Clock
from bot.config.loader import Config
from bot.model import Inbound, Outbound, Peer, RichText, Sender
from bot.storage.base import ScheduledInbound
from bot.storage.codec import encode, to_json
from tests.postgres import Cluster, running

WORKERS = (1, 2, 4)
ROUNDS = 3
SECONDS = 3  # of each measurement with pgbench
TURNS = 400  # of each worker
QUESTIONS = 600  # that are decided with the encoder

# A turn as its transactions, by hand: what is accepted is committed before the platform hears of it, a turn
# is claimed before it is decided, its decision is committed before it is sent, and so is that the send begins
ACCEPT = """
\\set chat random(1, {chats})
\\set key random(1, 9000000000000000)
begin;
insert into inbox(channel, key, conversation, kind, at, received, ready, limit_at, message, payload)
  values('tg0', :key::text, :chat, 'message', {now}, {now}, {now}, {now}, '17', {question});
update conversations set ready_at = {now}, ready_max = {now}, limit_at = {now} where id = :chat;
commit;
"""
CLAIM = """
update conversations set rest_until = {now} where id = (select id from conversations where id = :chat
  and ready_at <= {now} for no key update skip locked);
"""
FINISH = """
begin;
insert into turns(conversation, at, dialog, result, reason, text, why)
  values(:chat, {now}, 'bench', 'answered', 'answered', {words}, {why}) returning id as turn \\gset
update inbox set turn = :turn, done_at = {now}, result = 'answered'
  where conversation = :chat and done_at is null;
insert into outbox(dedupe, channel, chat, thread, lane, verb, conversation, turn, payload, on_doubt, created,
  due, head) values(:turn::text || ':0', 'tg0', :chat::text, '', 0, 'say', :chat, :turn, {answer}, 'resend',
  {now}, {now}, 1) returning id as delivery \\gset
insert into history(conversation, at, author, name, text, message, outbound) values
  (:chat, {now}, 'customer', 'Анна', {words}, '17', null), (:chat, {now}, 'bot', '', {told}, '', :delivery);
update conversations set ready_at = null, ready_max = null, limit_at = null, rest_until = null,
  state = {state}, version = version + 1 where id = :chat;
insert into events(kind, at, conversation, data) values('answered', {now}, :chat, {event});
commit;
"""
SEND = """
update outbox set status = 'sending', started = {now}, tries = tries + 1 where id = :delivery;
update outbox set status = 'sent', message = :delivery::text, settled = {now}, head = 0 where id = :delivery;
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """Turns per second of all workers, and milliseconds of the processor for each in ours."""

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """Raw turns a second, ours one by one, and a backlog."""

    raw: float
    turn: Figure
    backlog: Figure


def script(*parts: str) -> str:
    """Parts of a raw turn with rows as large as ours."""
    now = datetime.now(UTC)
    peer = Peer("tg0", "100000001")
    inbound = Inbound("17", peer, Sender("100000001", "Анна", "Иванова", "anna"), now, text=QUESTION)
    values = {
        "question": encode(inbound),
        "answer": encode(Outbound(peer, RichText(ANSWER), author="bot")),
        "words": QUESTION,
        "told": ANSWER,
        "why": to_json(WHY),
        "state": to_json({"n": 17, "last": "delivery"}),
        "event": to_json({"article": "delivery"}),
    }
    quoted = {name: f"'{_plain(value)}'" for name, value in values.items()}
    more = {"now": str(int(now.timestamp() * 1000)), "chats": str(CHATS)}
    return "".join(parts).format(**quoted, **more)


def _plain(value: str) -> str:
    """As a literal of pgbench, which takes a colon before a letter for one of its variables."""
    return re.sub(r":(?=\w)", ": ", value).replace("'", "''")


async def figures(folder: Path) -> dict[str, Any]:
    """All of it; the server lies where temporary files do, *folder* takes articles and encoders."""
    with running(durable=True) as cluster:
        found: dict[str, Any] = {}
        rounds = [{workers: await one_round(cluster, workers) for workers in WORKERS} for _ in range(ROUNDS)]
        for workers in WORKERS:
            found |= medians(workers, [each[workers] for each in rounds])
        found["backlog_ratio"] = round(median(r[2].backlog.rate / r[1].turn.rate for r in rounds), 2)
        raw = pgbench(cluster, await prepared(cluster), 1, ACCEPT, CLAIM, FINISH)
        decided = work(cluster, "decided_only", 1)
        found |= {"raw_decided": round(raw), "decided": round(decided.rate)}
        found["decided_ratio"] = round(decided.rate / raw, 2)
        one = _as_one(ACCEPT, FINISH)
        found["raw_one_commit"] = round(pgbench(cluster, await prepared(cluster), 1, one))
        return found | await deciding(cluster, folder)


async def one_round(cluster: Cluster, workers: int) -> Round:
    """One after the other: what else the machine does falls on all of them."""
    raw = pgbench(cluster, await prepared(cluster), workers, ACCEPT, CLAIM, FINISH, SEND)
    return Round(raw, work(cluster, "one_by_one", workers), work(cluster, "backlog", workers))


def medians(workers: int, rounds: Sequence[Round]) -> dict[str, float]:
    return {
        f"raw_{workers}": round(median(r.raw for r in rounds)),
        f"turn_{workers}": round(median(r.turn.rate for r in rounds)),
        f"turn_{workers}_cpu_ms": round(median(r.turn.cpu for r in rounds), 2),
        f"turn_{workers}_ratio": round(median(r.turn.rate / r.raw for r in rounds), 2),
        f"backlog_{workers}": round(median(r.backlog.rate for r in rounds)),
        f"backlog_{workers}_cpu_ms": round(median(r.backlog.cpu for r in rounds), 2),
    }


def _as_one(*parts: str) -> str:
    """The same rows in one transaction, which no service that keeps its word can have."""
    inside = re.sub(r"^(begin|commit);\n", "", "".join(parts), flags=re.MULTILINE)
    first, rest = inside.split("insert into inbox", 1)
    return f"{first}begin;\ninsert into inbox{rest}commit;\n"


async def prepared(cluster: Cluster) -> str:
    """A database with our tables and customers who have written before."""
    url = cluster.database()
    store = open_store(Config.model_validate({"storage": {"url": url}}), Clock())
    now = datetime.now(UTC)
    for chat in range(1, CHATS + 1):
        peer = Peer("tg0", str(chat))
        said = Inbound(f"first-{chat}", peer, Sender(str(chat), "Анна"), now, text=QUESTION)
        await store.accept("tg0", [ScheduledInbound(said, now, now)])
    await store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate inbox cascade")
        connection.execute("update conversations set ready_at = null, ready_max = null, limit_at = null")
        connection.execute("vacuum analyze")
    return url


def pgbench(cluster: Cluster, url: str, clients: int, *parts: str) -> float:
    """Raw turns per second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script(*parts))
        file.flush()
        command = [
            str(cluster.programs / "pgbench"),
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--file",
            file.name,
        ]
        command += ["--client", str(clients), "--jobs", str(clients), "--time", str(SECONDS), url]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = re.search(r"^tps = ([\d.]+)", told.stdout, re.MULTILINE)
    if told.returncode or rate is None or "number of failed transactions: 0 " not in told.stdout:
        raise RuntimeError(f"pgbench: {told.stdout}{told.stderr}")
    return float(rate.group(1))


def work(
    cluster: Cluster,
    what: str,
    workers: int,
    *,
    url: str = "",
    turns: int = TURNS,
    folder: Path | None = None,
) -> Figure:
    """So many processes at once on one database."""
    url = url or cluster.database()
    with ExitStack() as started:
        processes = [
            started.enter_context(
                subprocess.Popen(
                    [*_command(what, url), f"tg{n}", str(turns), str(folder or ".")],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for n in range(workers)
        ]
        for process in processes:
            _line(process)
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [json.loads(_line(process)) for process in processes]
    done = sum(t["turns"] for t in told)
    seconds = max(t["ended"] for t in told) - min(t["began"] for t in told)
    return Figure(done / seconds, sum(t["cpu"] for t in told) / done * 1000)


def _command(what: str, url: str) -> Sequence[str]:
    return [sys.executable, "-m", "benchmarks.turns_process", what, url]


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a worker ended with {process.wait()}")
    return line


async def deciding(cluster: Cluster, folder: Path) -> dict[str, float]:
    """Turns decided with the default encoder by one process and by two. Where two cores are shared with the
    server, the processor's time a turn tells what two would bring on cores of their own.
    """
    from benchmarks.run import with_encoders, write_articles

    asked = write_articles(folder / "kb")
    with_encoders(folder / "cache")
    found = {}
    for workers in (1, 1, 2):  # the first builds the index that the others read
        url = cluster.database()
        await _ask(url, asked[:QUESTIONS])
        figure = work(cluster, "decide", workers, url=url, folder=folder)
        found[workers] = figure
    return {
        "decide_1": round(found[1].rate),
        "decide_2": round(found[2].rate),
        "decide_1_cpu_ms": round(found[1].cpu, 2),
        "decide_2_cpu_ms": round(found[2].cpu, 2),
        "decide_ratio": round(found[2].rate / found[1].rate, 2),
        "decide_by_processor": round(2 * found[1].cpu / found[2].cpu, 2),
    }


async def _ask(url: str, asked: Sequence[str]) -> None:
    store, now = open_store(Config.model_validate({"storage": {"url": url}}), Clock()), datetime.now(UTC)
    said = [
        Inbound(str(n), Peer("tg0", str(n)), Sender(str(n), "Анна"), now, text=text)
        for n, text in enumerate(asked)
    ]
    for first in range(0, len(said), PORTION):
        await store.accept("tg0", [ScheduledInbound(i, now, now) for i in said[first : first + PORTION]])
    await store.close()


def two_deciding(found: dict[str, Any]) -> float:
    """How many times as fast two processes decide as one: as measured where they and the server each have a
    core, else by the processor's time a turn.
    """
    return float(found["decide_ratio" if (os.cpu_count() or 1) >= 4 else "decide_by_processor"])


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        for name, value in asyncio.run(figures(Path(place) / "postgres")).items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
