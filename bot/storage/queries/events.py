"""Looking without touching: conversations, events and turns as others want to see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from bot.model import PLAYED, Conversation, Customer, Event, Inbound, Peer
from bot.storage.base import TurnRecord
from bot.storage.codec import decode, moment, ms
from bot.storage.database import Database
from bot.storage.migrations.fourth import FREQUENT, RARE
from bot.storage.queries.turns import conversation as conversation_of
from bot.storage.queries.turns import customer as customer_of

_CONTACTS = ("phone", "email")
_TURNS_OF = "select id from turns where conversation = :of union select id from turns where subject = :of"


def conversation(db: Database, peer: Peer) -> Conversation | None:
    row = db.execute(
        "select * from conversations where channel = ? and chat = ? and thread = ?",
        (peer.channel, peer.chat, peer.thread),
    ).fetchone()
    return None if row is None else conversation_of(row)


def conversations(db: Database, customer: int) -> tuple[Conversation, ...]:
    """All that is said with them in private, where they wrote last first."""
    rows = db.execute(
        "select * from (select c.*, (select max(h.id) from history h where h.conversation = c.id and h.author"
        " = 'customer') as latest from conversations c where customer = ?) as talks order by latest is null,"
        " latest desc, id",
        (customer,),
    )
    return tuple(conversation_of(row) for row in rows)


def find_customers(db: Database, fields: Mapping[str, str]) -> tuple[Customer, ...]:
    """Customers whose field has exactly this value, in the order they came.

    For contacts: values are compared as they are kept.
    """
    ids = set[int]()
    for name, value in fields.items():
        # a contact's path is said in words, so that its index is used
        path = f"'$.\"{name}\"'" if name in _CONTACTS else "?"
        values = (value,) if name in _CONTACTS else (f'$."{name}"', value)
        where = f"erased is null and json_extract(fields, {path}) = ?"
        ids |= {row["id"] for row in db.execute(f"select id from customers where {where}", values)}
    found = (customer_of(db, id) for id in sorted(ids))
    return tuple(c for c in found if c is not None and c.peers)


def find_inbound(db: Database, channel: str, key: str) -> Inbound | None:
    """What was kept under this key; without its words where those were blanked."""
    row = db.execute("select payload from inbox where channel = ? and key = ?", (channel, key)).fetchone()
    return None if row is None else decode(Inbound, row["payload"])


def newest_message(db: Database, conversation: int) -> Inbound | None:
    """The latest message that was decided on, of the last turns."""
    row = db.execute(
        "select payload from inbox where turn in (select id from turns where conversation = ? order by id"
        " desc limit 100) and kind = 'message' and message <> '' order by id desc limit 1",
        (conversation,),
    ).fetchone()
    return None if row is None else decode(Inbound, row["payload"])


def events(
    db: Database, since: datetime | None, until: datetime | None, kinds: Collection[str]
) -> tuple[Event, ...]:
    """In the order of time, from *since* up to but not including *until*."""
    where, values = ["at >= ?"], [0 if since is None else ms(since)]  # type: tuple[list[str], list[object]]
    if until is not None:
        where.append("at < ?")
        values.append(ms(until))
    if kinds:
        if not set(kinds) & set(FREQUENT):
            where.append(RARE)
        where.append(f"kind in ({', '.join('?' * len(kinds))})")
        values += kinds
    rows = db.execute(
        f"select kind, at, conversation, ticket, actor, data from events where {' and '.join(where)} order by"
        " at, id",
        values,
    )
    return tuple(
        Event(kind, moment(at), own, ticket, actor, {} if data == "{}" else json.loads(data))
        for kind, at, own, ticket, actor, data in rows
    )


def records(db: Database, of: int | None, after: int, limit: int) -> tuple[TurnRecord, ...]:
    """Turns of a conversation (decided there, or about it), else of all customers but played ones; oldest
    first.
    """
    where = "and c.channel <> :played" if of is None else f"and t.id in ({_TURNS_OF})"
    rows = db.execute(
        "select t.*, c.channel, c.chat, c.thread from turns t join conversations c on c.id = t.conversation"
        f" where t.id > :after {where} order by t.id limit :limit",
        {"of": of, "after": after, "limit": limit, "played": PLAYED},
    )
    return tuple(
        TurnRecord(
            r["id"],
            r["conversation"],
            Peer(r["channel"], r["chat"], r["thread"]),
            moment(r["at"]),
            r["dialog"],
            r["result"],
            r["reason"],
            r["text"],
            json.loads(r["why"]),
            r["error"],
            r["articles"],
        )
        for r in rows
    )
