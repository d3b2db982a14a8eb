"""Looking without touching: conversations, events and turns as others want to see them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime

from bot.model import Conversation, Event, Peer
from bot.storage.base import TurnRecord
from bot.storage.codec import moment, ms
from bot.storage.turns import conversation as conversation_of


def conversation(db: sqlite3.Connection, peer: Peer) -> Conversation | None:
    row = db.execute("select * from conversations where channel = ? and chat = ? and thread = ?", (peer.channel, peer.chat, peer.thread)).fetchone()
    return None if row is None else conversation_of(row)


def events(db: sqlite3.Connection, since: datetime | None, until: datetime | None, kinds: Collection[str]) -> tuple[Event, ...]:
    """In the order of time, from *since* up to but not including *until*."""
    where, values = ["at >= ?"], [0 if since is None else ms(since)]  # type: tuple[list[str], list[object]]
    if until is not None:
        where.append("at < ?")
        values.append(ms(until))
    if kinds:
        where.append(f"kind in ({', '.join('?' * len(kinds))})")
        values += kinds
    rows = db.execute(f"select * from events where {' and '.join(where)} order by at, id", values)
    return tuple(Event(r["kind"], moment(r["at"]), r["conversation"], r["ticket"], r["actor"], json.loads(r["data"])) for r in rows)


def records(db: sqlite3.Connection, of: int | None, after: int, limit: int) -> tuple[TurnRecord, ...]:
    """Turns of a conversation (decided there, or about it), oldest first."""
    where = "" if of is None else "and (t.conversation = :of or t.subject = :of)"
    rows = db.execute(
        f"select t.*, c.channel, c.chat, c.thread from turns t join conversations c on c.id = t.conversation where t.id > :after {where} order by t.id limit :limit",
        {"of": of, "after": after, "limit": limit},
    )
    return tuple(
        TurnRecord(
            r["id"], r["conversation"], Peer(r["channel"], r["chat"], r["thread"]), moment(r["at"]), r["dialog"], r["result"],
            r["reason"], r["text"], json.loads(r["why"]), r["error"],
        )
        for r in rows
    )  # fmt: skip
