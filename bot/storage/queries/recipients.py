"""Whom the service may write to first: customers with where they are and when they wrote last, and what was
asked lately.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from bot.model import PLAYED, Customer, Peer, Status
from bot.storage.base import CustomerMessage, Recipient
from bot.storage.codec import maybe_moment, ms
from bot.storage.database import Database

LATE = timedelta(days=1)  # words that waited at the platform are kept behind younger ones
_LISTENERS = """select c.id, c.channel, c.chat, c.thread, c.status, c.reachable, c.customer, p.name,
  p.last_name, p.username, p.language, p.gender,
  p.fields, (select h.at from history h indexed by history_conversation where h.conversation = c.id and
  h.author = 'customer' order by h.id desc limit 1)
  as wrote from conversations c join customers p on p.id = c.customer where c.private = 1 and p.erased is
  null and substr(c.thread, 1, 7) <> 'public:' and substr(c.thread, 1, 8) <> 'account:' and """


def listeners(db: Database, after: int, limit: int, only: Collection[int]) -> tuple[Recipient, ...]:
    """By conversation, from the one behind *after* on, played customers left out; *only* these where some
    are named. Law: nobody is written to first in the name of a person's own account (`account:…`).
    """
    if only:
        rows = db.execute(f"{_LISTENERS} c.id in ({', '.join('?' * len(only))}) order by c.id", tuple(only))
    else:
        rows = db.execute(
            f"{_LISTENERS} c.id > ? and c.channel <> ? order by c.id limit ?", (after, PLAYED, limit)
        )
    return tuple(
        Recipient(
            r["id"],
            Peer(r["channel"], r["chat"], r["thread"]),
            Customer(
                r["customer"],
                r["name"],
                r["last_name"],
                r["username"],
                r["language"],
                r["gender"],
                json.loads(r["fields"]),
            ),
            Status(r["status"]),
            bool(r["reachable"]),
            maybe_moment(r["wrote"]),
        )
        for r in rows
    )


def words_since(db: Database, since: datetime, after: int, limit: int) -> tuple[CustomerMessage, ...]:
    """Customers' words in the order they came; what came in late is looked for a day before."""
    after = max(after, _before(db, ms(since - LATE)))
    rows = db.execute(
        "select id, conversation, text from history where id > ? and at >= ? and author = 'customer' and text"
        " <> '' and conversation not in (select id from conversations where channel = ?) order by id limit ?",
        (after, ms(since), PLAYED, limit),
    )
    return tuple(CustomerMessage(r["id"], r["conversation"], r["text"]) for r in rows)


def _before(db: Database, at: int) -> int:
    """A line of the history before which all came before *at*: found by halving, since lines stand in the
    order they came.
    """
    low, high = 0, int(db.execute("select coalesce(max(id), 0) from history").fetchone()[0])
    while low < high:
        middle = (low + high) // 2
        line = db.execute("select at from history where id > ? order by id limit 1", (middle,)).fetchone()
        if line is not None and line["at"] < at:
            low = middle + 1
        else:
            high = middle
    return low
