"""A start beside years of history: the same service on an empty database and on one of a released version
with 1.5 million events, which it takes over first.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlite_utils import Database

from bot.app import Overrides, build_service, open_knowledge
from bot.config.loader import Config
from bot.knowledge.search import Knowledge
from bot.storage.database import SqliteDatabase
from bot.storage.migrations import migrations
from bot.storage.queries import events as looking
from bot.testing.fakes import FakeAdapter

EVENTS, MESSAGES, CUSTOMERS, OPERATORS = 1_500_000, 300_000, 100_000, 40
ROUNDS = 5
NOW = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)
APART = 60_000  # milliseconds between two events
DESK = "-100500"
# What a start of the versions before read again: of each hundred events so many were of these kinds.
WATCHED = ("ticket_assigned", "operator_away", "operator_back", "operator_met", "incident_met")
OTHERS = ("heard", "answered", "feedback", "ticket_opened", "ticket_taken", "first_reply", "operator_wrote")


async def start_history(place: Path, config: Config) -> dict[str, Any]:
    """Milliseconds of processor time of a start, the best of several, on both; what reading the events again
    costs on the full one (`replay_cpu_ms`); seconds of the one start that migrates it.
    """
    empty, full = place / "empty.db", place / "full.db"
    write_history(full)
    knowledge = open_knowledge(config, channels=["telegram"])
    replay = min(_replay(full) for _ in range(2))
    migrating, _ = await _start(config, knowledge, full)
    cpu = dict[Path, float]()
    for file in (empty, full):
        cpu[file] = min([(await _start(config, knowledge, file))[1] for _ in range(ROUNDS)])
    return {
        "events": EVENTS,
        "empty_cpu_ms": round(cpu[empty] * 1000, 1),
        "full_cpu_ms": round(cpu[full] * 1000, 1),
        "ratio": round(cpu[full] / cpu[empty], 2),
        "replay_cpu_ms": round(replay * 1000),
        "migrating_s": round(migrating, 2),
    }


async def _start(config: Config, knowledge: Knowledge, file: Path) -> tuple[float, float]:
    """Wall and processor seconds until the service could take its first message; articles are read before."""
    parts = Overrides(
        adapters={"telegram": FakeAdapter("telegram")},
        storage=str(file),
        log_events=False,
        knowledge=knowledge,
    )
    began, busy = time.perf_counter(), time.process_time()
    service = await build_service(config, parts)
    await service.outbox.take_over()
    spent = time.perf_counter() - began, time.process_time() - busy
    await service.close()
    return spent


def _replay(file: Path) -> float:
    """Processor seconds of what a start did before: reading the events of operators and incidents."""
    with sqlite3.connect(file, factory=SqliteDatabase) as db:
        db.row_factory = sqlite3.Row
        began = time.process_time()
        looking.events(db, None, None, WATCHED)
        spent = time.process_time() - began
    db.close()
    return spent


def write_history(file: Path) -> None:
    """A database as the second release left it after some years."""
    file.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(file, isolation_level=None, factory=SqliteDatabase)
    db.row_factory = sqlite3.Row
    migrations().apply(Database(db, execute_plugins=False), stop_before="003_desk_state")
    db.execute("pragma synchronous = off")
    db.execute("begin")
    db.executemany(
        "insert into customers(name, created) values('Анна', ?)", ((NOW,) for _ in range(CUSTOMERS))
    )
    db.executemany(
        "insert into conversations(channel, chat, private, customer, created) values('telegram', ?, 1, ?, ?)",
        ((str(n), n, NOW) for n in range(1, CUSTOMERS + 1)),
    )
    db.executemany(
        "insert into events(kind, at, conversation, ticket, actor, data) values(?, ?, ?, ?, ?, ?)", _events()
    )
    db.executemany(
        "insert into outbox(channel, chat, thread, lane, verb, conversation, payload, on_doubt, status,"
        " created, due, started, settled, message) values('telegram', ?, '', 0, 'say', ?, ?, 'resend',"
        " 'sent', ?, ?, ?, ?, ?)",
        _sent(),
    )
    db.execute("commit")
    db.close()


def _events() -> Iterator[tuple[object, ...]]:
    dice = Random(1)
    person = json.dumps({"name": "Ольга", "username": "olga", "chat": DESK}, ensure_ascii=False)
    data = {"operator_met": person, "incident_met": '{"number":1,"channel":"telegram"}'}
    for n in range(EVENTS):
        kind = WATCHED[n // 20 % len(WATCHED)] if n % 20 == 0 else OTHERS[n % len(OTHERS)]
        actor = f"telegram:{9000 + dice.randrange(OPERATORS)}" if kind.startswith(("op", "ticket_a")) else ""
        told = data.get(kind, '{"channel":"telegram","dialog":"faq","result":"answered","seconds":6.0}')
        at = NOW - (EVENTS - n) * APART
        yield kind, at, dice.randrange(1, CUSTOMERS + 1), n // 10, actor, told


def _sent() -> Iterator[tuple[object, ...]]:
    for n in range(MESSAGES):
        chat, at = str(n % CUSTOMERS + 1), NOW - (MESSAGES - n) * APART
        payload = f'{{"to":{{"channel":"telegram","chat":"{chat}"}},"text":{{"text":"Доставим завтра"}}}}'
        yield chat, int(chat), payload, at, at, at, at, str(n)
