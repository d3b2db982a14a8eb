"""Events on their way to other systems: enqueued in the order they were recorded, with the cursor that says
how far.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.model import Event, Outbound, Peer
from bot.storage.base import StoredEvent
from bot.storage.codec import moment, ms
from bot.storage.database import Database
from bot.storage.queries.enqueue import enqueue
from bot.storage.queries.inbox import cursor

_EVENTS = """select e.*, c.customer, c.private, c.channel, c.chat, c.thread from events e left join
  conversations c on c.id = e.conversation"""
_NEW = f"{_EVENTS} where e.id > ? order by e.id limit ?"
# Where several commit at once a lower id may be committed later: in the order of transactions, and only those
# before the oldest that is under way. https://www.postgresql.org/docs/15/functions-info.html (pg_snapshot)
_SETTLED = f"""{_EVENTS} where (e.xid, e.id) > (?, ?) and e.xid <
  cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint) order by e.xid, e.id limit ?"""
# Behind a cursor of SQLite: what was moved from there stands in one transaction, in the order of its ids.
_MOVED = _SETTLED.replace("(e.xid, e.id) > (?, ?)", "e.id > ?")
_NOW = """select cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint) - 1,
  coalesce(max(id), 0) from events"""
_MOVE = """insert into cursors(channel, value, moved) values(?, ?, ?) on conflict(channel) do update
  set value = excluded.value, moved = excluded.moved"""


def announce(
    db: Database,
    channel: str,
    choose: Callable[[StoredEvent], Outbound | None],
    now: datetime,
    limit: int,
) -> int:
    """How many events were looked at; each delivery belongs to the conversation of its event, so that it is
    forgotten with it.
    """
    db.lock_names([f"cursor {channel}"])
    known = cursor(db, channel)
    if known is None:
        db.execute(_MOVE, (channel, _newest(db), ms(now)))
        return 0
    xid, _, id = known.rpartition(":")
    if db.commits_in_order:
        rows = db.execute(_NEW, (int(id), limit)).fetchall()
    elif xid:
        rows = db.execute(_SETTLED, (int(xid), int(id), limit)).fetchall()
    else:
        rows = db.execute(_MOVED, (int(id), limit)).fetchall()
    for row in rows:
        peer = Peer(row["channel"], row["chat"], row["thread"]) if row["private"] else None
        event = Event(
            row["kind"],
            moment(row["at"]),
            row["conversation"],
            row["ticket"],
            row["actor"],
            json.loads(row["data"]),
        )
        if (outbound := choose(StoredEvent(row["id"], event, row["customer"], peer))) is not None:
            enqueue(db, (outbound,), now, about=row["conversation"])
    if rows:
        db.execute(_MOVE, (channel, _place(db, rows[-1]), ms(now)))
    return len(rows)


def _newest(db: Database) -> str:
    """The cursor behind everything that was committed so far."""
    if db.commits_in_order:
        return str(db.execute("select coalesce(max(id), 0) from events").fetchone()[0])
    xid, id = db.execute(_NOW).fetchone()
    return f"{xid}:{id}"


def _place(db: Database, row: Any) -> str:
    return str(row["id"]) if db.commits_in_order else f"{row['xid']}:{row['id']}"
