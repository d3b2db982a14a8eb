"""Events on their way to other systems: enqueued in the order they were recorded, with the cursor that says
how far.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

from bot.model import Event, Outbound, Peer
from bot.storage.base import StoredEvent
from bot.storage.codec import moment, ms
from bot.storage.queries.enqueue import enqueue
from bot.storage.queries.inbox import cursor

_NEW = """select e.*, c.customer, c.private, c.channel, c.chat, c.thread from events e left join
  conversations c on c.id = e.conversation
  where e.id > ? order by e.id limit ?"""
_MOVE = """insert into cursors(channel, value, moved) values(?, ?, ?) on conflict(channel) do update
  set value = excluded.value, moved = excluded.moved"""


def announce(
    db: sqlite3.Connection,
    channel: str,
    choose: Callable[[StoredEvent], Outbound | None],
    now: datetime,
    limit: int,
) -> int:
    """How many events were looked at; each delivery belongs to the conversation of its event, so that it is
    forgotten with it.
    """
    known = cursor(db, channel)
    if known is None:
        newest = db.execute("select coalesce(max(id), 0) from events").fetchone()[0]
        db.execute(_MOVE, (channel, str(newest), ms(now)))
        return 0
    rows = db.execute(_NEW, (int(known), limit)).fetchall()
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
        db.execute(_MOVE, (channel, str(rows[-1]["id"]), ms(now)))
    return len(rows)
