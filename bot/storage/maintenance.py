"""Looking after the file: copies under load, what is wrong with it, and how much waits."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from bot.errors import StorageError
from bot.storage.codec import ms
from bot.storage.database import Database
from bot.storage.queries import outbox as deliveries
from bot.storage.queries import row_cursors
from bot.storage.sqlite.free_space import FreeSpace
from bot.text.problems import told

STUCK = timedelta(hours=1)  # an inbound older than this that nobody decided on is a fault
HANGING = timedelta(minutes=10)  # so is a send that has been under way for so long

AT_MOST = timedelta(minutes=1)  # no burst is waited for and no turn rests for longer
RETRY = timedelta(minutes=10)  # a delivery put off for longer may as well be tried

_FAULTS = (
    (
        "stuck",
        "select count(*) from inbox where done_at is null and ready < :stuck",
    ),
    (
        "not_queued",
        """select count(distinct i.conversation) from inbox i join conversations c on c.id = i.conversation
     where i.done_at is null and c.ready_at is null""",
    ),
    (
        "hanging",
        "select count(*) from outbox where status = 'sending' and started < :hanging",
    ),
    (
        "headless",
        """select count(*) from (select 1 from outbox where status in ('pending', 'sending')
     group by channel, chat, thread, lane having sum(head) <> 1) as lines""",
    ),
    (
        "wrong_ticket",
        """select count(*) from conversations c where coalesce(c.ticket, 0) <>
     coalesce((select number from tickets t where t.conversation = c.id and t.status <> 'closed'), 0)""",
    ),
    (
        "late",
        "select count(*) from timers where fired is null and cancelled is null and due < :stuck",
    ),
)


def counts(db: Database) -> Mapping[str, int]:
    """`inbounds_waiting`, `timers_waiting`, `customers`, `deliveries_<status>`, `tickets_<status>`."""
    found = {
        "inbounds_waiting": "select count(*) from inbox where done_at is null",
        "timers_waiting": "select count(*) from timers where fired is null and cancelled is null",
    }
    figures = {name: int(db.execute(query).fetchone()[0]) for name, query in found.items()}
    erased = db.execute("select count(*) from customers where erased is not null").fetchone()[0]
    figures["customers"] = row_cursors.count(db, "customers") - int(erased)
    figures |= {
        f"deliveries_{s}": 0 for s in ("pending", "sending", "sent", "unknown", "failed", "cancelled")
    }
    figures |= {f"tickets_{s}": 0 for s in ("waiting", "operator", "snoozed", "closed")}
    for few in (deliveries.OPEN, deliveries.ENDED):
        figures |= {
            f"deliveries_{s}": n
            for s, n in db.execute(
                f"select status, count(*) from outbox where status in {few} group by status"
            )
        }
    figures["deliveries_sent"] = row_cursors.count(db, "outbox") - _sum(figures, "deliveries_")
    figures |= {
        f"tickets_{s}": n
        for s, n in db.execute(
            "select status, count(*) from tickets where status in ('waiting', 'operator', 'snoozed') group by"
            " status"
        )
    }
    figures["tickets_closed"] = row_cursors.count(db, "tickets") - _sum(figures, "tickets_")
    return figures


def _sum(figures: Mapping[str, int], begins: str) -> int:
    return sum(n for name, n in figures.items() if name.startswith(begins))


def clamp_delays(db: Database, now: datetime) -> int:
    """What was put off by a clock that stood later than *now* is not to wait for that hour; returns how many
    rows did.
    """
    soon, retry = ms(now + AT_MOST), ms(now + RETRY)
    return sum(
        db.execute(statement, {"soon": soon, "retry": retry}).rowcount
        for statement in (
            (
                "update inbox set ready = min(ready, :soon), limit_at = min(limit_at, :soon) where done_at is"
                " null and max(ready, limit_at) > :soon"
            ),
            """update conversations set ready_at = min(ready_at, :soon), ready_max = min(ready_max, :soon),
            limit_at = min(limit_at, :soon), rest_until = min(rest_until, :soon) where ready_at > :soon or
            rest_until > :soon""",
            "update outbox set due = :retry where status = 'pending' and due > :retry",
        )
    )


def check_file(db: Database) -> tuple[str, ...]:
    """What is wrong with SQLite's file itself, in words."""
    found = [
        told("database.fault.damaged", reason=row[0])
        for row in db.execute("pragma integrity_check")
        if row[0] != "ok"
    ]
    found += [
        told("database.fault.dangling", row=row[1], table=row[0], missing=row[2])
        for row in db.execute("pragma foreign_key_check")
    ]
    return tuple(found)


def check(db: Database, now: datetime) -> tuple[str, ...]:
    """What is wrong with what is kept, in words; nothing = all is well."""
    found = []
    for fault, query in _FAULTS:
        number = db.execute(query, {"stuck": ms(now - STUCK), "hanging": ms(now - HANGING)}).fetchone()[0]
        if number:
            found.append(told(f"database.fault.{fault}", count=number))
    return tuple(found)


def backup(db: sqlite3.Connection, path: Path, *, of: Path | None = None) -> None:
    """A whole copy of the file *of* at *path* as of one moment: written beside it, made durable, then put in
    its place at once.
    """
    if of is not None and path.resolve() == of:
        raise StorageError(told("database.onto_itself"))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        make_private(draft)
        _copy(db, draft)
        make_durable(draft)
        draft.replace(path)
        if os.name == "posix":
            make_durable(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _copy(db: sqlite3.Connection, draft: Path) -> None:
    """Page by page, in one step: four times quicker than VACUUM, and writers go on beside it."""
    to = sqlite3.connect(draft, isolation_level=None)
    try:
        to.execute("pragma synchronous = off")  # it is made durable as a whole
        to.execute("pragma journal_mode = off")
        db.backup(to)
        to.execute("pragma journal_mode = delete")  # it can be read where nothing may be written beside it
    finally:
        to.close()
    space = FreeSpace(draft)
    space.clean()  # what was forgotten or blanked is in no copy
    space.close()


def make_private(path: Path) -> None:
    """The file is there, and for its owner alone: it holds people's words.

    One that is there already stays as it is.
    """
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def make_durable(path: Path) -> None:
    """What was written to *path* is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
