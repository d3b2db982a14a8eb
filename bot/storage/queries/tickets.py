"""What the desk keeps: which thread shows which ticket, where chats have gone, settings, and the list of
tickets.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import Conversation, Outbound, Peer, Ticket, TicketState
from bot.storage.codec import decode, encode, maybe_moment
from bot.storage.database import Database
from bot.storage.queries.enqueue import line_name
from bot.storage.queries.outbox import reorder
from bot.storage.queries.turns import conversation as conversation_of
from bot.storage.queries.turns import ticket_of

_WAITING = "select * from tickets where status = 'waiting' order by opened, number limit ?"
_QUEUE = """select number, conversation, channel, chat, thread, reason, priority, opened, team,
  cast(json_extract(data, '$.place') as integer) as place, json_extract(data, '$.wish_at') as wish
  from tickets where status = 'waiting' order by
  opened, number"""
_WORKED = "select * from tickets where status in ('operator', 'snoozed') order by opened, number limit ?"
_NUMBERED = 500  # tickets read by their numbers at once
_CLOSED = "select * from tickets where status = 'closed' order by closed desc, number desc limit ?"


def topic(db: Database, ticket: int, channel: str, chat: str) -> str | None:
    row = db.execute(
        "select thread from topics where ticket = ? and channel = ? and chat = ?", (ticket, channel, chat)
    ).fetchone()
    return None if row is None else str(row["thread"])


def keep_topic(db: Database, ticket: int, channel: str, chat: str, thread: str) -> None:
    """One thread for a ticket in a chat, one ticket for a thread: the newest word holds."""
    db.execute(
        "delete from topics where channel = ? and chat = ? and (ticket = ? or thread = ?)",
        (channel, chat, ticket, thread),
    )
    db.execute(
        "insert into topics(channel, chat, thread, ticket) values(?, ?, ?, ?)",
        (channel, chat, thread, ticket),
    )


def forget_topic(db: Database, channel: str, chat: str, thread: str) -> int | None:
    row = db.execute(
        "delete from topics where channel = ? and chat = ? and thread = ? returning ticket",
        (channel, chat, thread),
    ).fetchone()
    return None if row is None else int(row["ticket"])


def move_chat(db: Database, channel: str, old: str, new: str) -> None:
    """Everything that is addressed to *old* goes to *new*.

    Words that already came from there join; a repeat changes nothing.
    """
    if old == new:
        return
    both = "select id from conversations where channel = ? and chat in (?, ?)"
    db.lock_conversations([row["id"] for row in db.execute(both, (channel, old, new))])
    for row in db.execute(
        "select id, thread from conversations where channel = ? and chat = ?", (channel, old)
    ).fetchall():
        other = db.execute(
            "select id from conversations where channel = ? and chat = ? and thread = ?",
            (channel, new, row["thread"]),
        ).fetchone()
        if other is not None:
            _join(db, other["id"], row["id"])
        db.execute("update conversations set chat = ? where id = ?", (new, row["id"]))
    db.execute("update tickets set chat = ? where channel = ? and chat = ?", (new, channel, old))
    db.execute(  # what stands in the new chat by the same name gives way
        "delete from topics where channel = :channel and chat = :new and (thread in (select thread from"
        " topics where channel = :channel and chat = :old) or ticket in (select ticket from topics where"
        " channel = :channel and chat = :old))",
        {"channel": channel, "old": old, "new": new},
    )
    db.execute("update topics set chat = ? where channel = ? and chat = ?", (new, channel, old))
    _move_deliveries(db, channel, old, new)
    for row in db.execute("select name, value from settings").fetchall():
        if (value := _moved(row["value"], channel, old, new)) != row["value"]:
            db.execute("update settings set value = ? where name = ?", (value, row["name"]))


def setting(db: Database, name: str) -> str | None:
    row = db.execute("select value from settings where name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


def keep_setting(db: Database, name: str, value: str | None) -> None:
    """None takes the setting away."""
    if value is None:
        db.execute("delete from settings where name = ?", (name,))
    else:
        db.execute(
            "insert into settings(name, value) values(?, ?) on conflict(name) do update set value ="
            " excluded.value",
            (name, value),
        )


def first_setting(db: Database, name: str, value: str) -> str:
    db.execute("insert into settings(name, value) values(?, ?) on conflict do nothing", (name, value))
    return str(db.execute("select value from settings where name = ?", (name,)).fetchone()[0])


def count_up(db: Database, name: str, amount: int) -> int:
    return int(
        db.execute(
            "insert into settings(name, value) values(?, cast(cast(? as bigint) as text)) on conflict(name)"
            " do update set value = cast(cast(settings.value as bigint) + cast(excluded.value as bigint)"
            " as text) returning value",
            (name, amount),
        ).fetchone()[0]
    )


def tickets(db: Database, open_only: bool, limit: int, bare: bool = False) -> tuple[Ticket, ...]:
    rows: list[Any] = []
    for query in (_WAITING, _WORKED) if open_only else (_WAITING, _WORKED, _CLOSED):
        rows += db.execute(query, (limit - len(rows),))
    return tuple(ticket_of(row, bare) for row in rows)


def tickets_of(db: Database, numbers: Collection[int], bare: bool = False) -> tuple[Ticket, ...]:
    """Those with these numbers, in order."""
    wanted, rows = sorted(set(numbers)), list[Any]()
    for start in range(0, len(wanted), _NUMBERED):
        some = wanted[start : start + _NUMBERED]
        places = ", ".join("?" * len(some))
        rows += db.execute(f"select * from tickets where number in ({places}) order by number", tuple(some))
    return tuple(ticket_of(row, bare) for row in rows)


def tickets_in(db: Database, conversation: int) -> tuple[Ticket, ...]:
    rows = db.execute(
        "select * from tickets indexed by tickets_conversation where conversation = ? order by number",
        (conversation,),
    )
    return tuple(ticket_of(row) for row in rows)


def queue(db: Database) -> tuple[Ticket, ...]:
    return tuple(
        Ticket(
            row["number"],
            row["conversation"],
            Peer(row["channel"], row["chat"], row["thread"]),
            "waiting",
            row["reason"],
            priority=row["priority"],
            opened=maybe_moment(row["opened"]),
            state=TicketState(
                team=row["team"],
                place_told=row["place"] or 0,
                wish_at=datetime.fromisoformat(row["wish"]) if row["wish"] else None,
            ),
        )
        for row in db.execute(_QUEUE)
    )


def unattended(db: Database) -> tuple[Conversation, ...]:
    rows = db.execute(
        "select * from conversations c where status <> 'bot' and ticket is null and customer is not null and"
        " ready_at is null and not exists(select 1 from timers t where t.conversation = c.id and t.fired is"
        " null and t.cancelled is null) order by id"
    )
    return tuple(conversation_of(row) for row in rows)


def _join(db: Database, source: int, into: int) -> None:
    """What the conversation *source* holds belongs to *into* from now on; *source* goes."""
    for table, column in (
        ("inbox", "conversation"),
        ("history", "conversation"),
        ("timers", "conversation"),
        ("events", "conversation"),
        ("turns", "conversation"),
        ("turns", "subject"),
        ("outbox", "conversation"),
        ("tickets", "conversation"),
    ):
        db.execute(f"update {table} set {column} = ? where {column} = ?", (into, source))
    db.execute(
        "insert into incident_met(number, conversation) select number, cast(? as bigint) from incident_met"
        " where conversation = ? on conflict do nothing",
        (into, source),
    )
    db.execute("delete from incident_met where conversation = ?", (source,))
    db.execute(
        "update conversations set ready_at = s.ready_at, ready_max = s.ready_max, limit_at = s.limit_at from"
        " conversations s where conversations.id = ? and s.id = ? and s.ready_at is not null and"
        " conversations.ready_at is null",
        (into, source),
    )
    db.execute("delete from conversations where id = ?", (source,))


def _move_deliveries(db: Database, channel: str, old: str, new: str) -> None:
    """Open deliveries are addressed anew; what was sent stays where it was, its message ids mean nothing in
    the new chat.
    """
    query = """select * from outbox where channel = ? and chat = ? and status in ('pending', 'sending') order
      by id"""
    lines = {(row["thread"], row["lane"]) for row in db.execute(query, (channel, old)).fetchall()}
    db.lock_names({line_name(channel, chat, *line) for chat in (old, new) for line in lines})
    rows = db.execute(query, (channel, old)).fetchall()
    for row in rows:
        outbound = decode(Outbound, row["payload"])
        moved = replace(outbound, to=replace(outbound.to, chat=new))
        db.execute("update outbox set chat = ?, payload = ? where id = ?", (new, encode(moved), row["id"]))
    for thread, priority in {(row["thread"], row["lane"]) for row in rows}:
        reorder(db, channel, new, thread, priority)


def _moved(value: str, channel: str, old: str, new: str) -> str:
    """A setting that names the chat: as `channel:chat`, or as JSON {"channel", "chat"} or ["channel", "chat",
    …].
    """
    if value == f"{channel}:{old}":
        return f"{channel}:{new}"
    try:
        read = json.loads(value)
    except ValueError:
        return value
    if isinstance(read, list) and [str(part) for part in read[:2]] == [channel, old]:
        return json.dumps([channel, type(read[1])(new), *read[2:]], ensure_ascii=False)
    if isinstance(read, dict) and read.get("channel") == channel and str(read.get("chat")) == old:
        return json.dumps(read | {"chat": type(read["chat"])(new)}, ensure_ascii=False)
    return value
