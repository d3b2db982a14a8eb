"""What is asked often is looked up, not looked through: the plans of the queries, on a file without
statistics.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model import Peer
from bot.storage import maintenance, privacy, purge
from bot.storage.base import DeliveryStatus
from bot.storage.database import SqliteDatabase
from bot.storage.migrations import bring_up
from bot.storage.queries import (
    chat_lines,
    customer_merge,
    events,
    outbox,
    owed,
    recipients,
    row_cursors,
    tickets,
    turns,
    visitors,
)
from bot.testing.contracts.store_scene import NOON

# Indexes of what is open or otherwise few: to look through them costs nothing.
FEW = (
    "inbox_waiting",
    "outbox_open",
    "outbox_ended",
    "outbox_desk",
    "timers_due",
    "conversations_unattended",
    "customers_erased",
    "ideas_worded",
)
NEWEST = "tickets_replied"  # read from its end, as many as wanted
LATE = timedelta(minutes=1)
Asked = Callable[[SqliteDatabase], object]
FAILED: tuple[DeliveryStatus, ...] = ("failed",)
ASKED: dict[str, Asked] = {
    "conversations": lambda db: events.conversations(db, 1),
    "contacts": lambda db: events.find_customers(db, {"phone": "+7", "email": "a@b"}),
    "turns of one": lambda db: events.records(db, 1, 0, 10),
    "turns": lambda db: events.records(db, None, 5, 10),
    "events of a time": lambda db: events.events(db, NOON, NOON, ("heard", "rated")),
    "rare events": lambda db: events.events(db, None, None, ("gap_told", "operator_met")),
    "words": lambda db: recipients.words_since(db, NOON, 0, 10),
    "tickets": lambda db: tickets.tickets(db, False, 10),
    "tickets by number": lambda db: tickets.tickets_of(db, [1, 2]),
    "tickets of one": lambda db: tickets.tickets_in(db, 1),
    "a visitor": lambda db: visitors.read(db, "site", "v"),
    "a login": lambda db: visitors.logged_in(db, "site", "anna"),
    "who is away": lambda db: visitors.away(db, "site", NOON, "x", 10),
    "lines of a chat": lambda db: chat_lines.after(db, "site", "v", 5, 10),
    "messages of a chat": lambda db: chat_lines.messages(db, "site", "v", None, 10),
    "a line": lambda db: chat_lines.by_source(db, "site", "o1"),
    "old lines": lambda db: chat_lines.purge(db, NOON, 10),
    "queue": tickets.queue,
    "unattended": tickets.unattended,
    "owed": lambda db: owed.owed(db, NOON, LATE),
    "newest answers": turns.recent_answers,
    "joined": lambda db: customer_merge.joined(db, 1),
    "counts": maintenance.counts,
    "sends": lambda db: outbox.sends_since(db, NOON),
    "by name": lambda db: outbox.listed(db, (), 0, Peer("tg", "1"), 10, "card:1"),
    "failed": lambda db: outbox.listed(db, FAILED, 0, None, 10, "mailing:1"),
    "export": lambda db: privacy.export(db, 1),
    "erase": lambda db: privacy.erase(db, 1, NOON, lambda _: 77),
    "purge": lambda db: purge.purge(db, NOON, 10),
}


class Explaining(SqliteDatabase):
    """Notes what each statement looks through."""

    through: list[str]

    def execute(self, sql: str, values: Any = (), /) -> Any:
        if sql.split()[0] in ("select", "update", "delete", "insert", "with"):
            for row in super().execute(f"explain query plan {sql}", values):
                self.through += [f"{row[3]}: {' '.join(sql.split())}"] if row[3].startswith("SCAN ") else []
        return super().execute(sql, values)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Explaining]:
    db = sqlite3.connect(tmp_path / "bot.db", isolation_level=None, factory=Explaining)
    db.row_factory = sqlite3.Row
    db.through = []
    bring_up(db, None, NOON)
    db.execute("insert into customers(id, name, created) values(1, 'Анна Ильина', 0)")
    db.execute(
        "insert into conversations(id, channel, chat, private, customer, created) values(1, 'tg', '1', 1, 1,"
        " 0)"
    )
    for table in row_cursors.COUNTED:
        row_cursors.keep(db, f"count:{table}", 1, 1)
    db.through = []
    yield db
    db.close()


def is_few(plan: str) -> bool:
    where = plan.partition(":")[0]
    return (
        where.rpartition(" ")[2] in (*FEW, NEWEST)
        or where.startswith(("SCAN (", "SCAN operators", "SCAN CONSTANT ROW"))
        or "SCAN settings USING INDEX settings_joined" in where
    )


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_is_looked_through(db: Explaining, asked: str) -> None:
    """Each goes by an index, or through one that holds only what is few."""
    ASKED[asked](db)

    assert [plan for plan in db.through if not is_few(plan)] == []
