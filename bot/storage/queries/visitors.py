"""Who writes in the chats that the business itself shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import CustomerMerge, Inbound, Outbound, Visitor
from bot.storage.codec import clean, maybe_moment, maybe_ms, moment, ms
from bot.storage.database import Database
from bot.storage.queries import customer_merge, inbox
from bot.storage.queries.enqueue import enqueue

LETTER = "letter:"  # begins the name of what tells somebody who is away
_VISITOR = """select v.*, c.customer, (select count(*) from chat_lines l where l.channel = v.channel and
  l.chat = v.chat and l.number > v.upto and l.kind = 'message' and l.own = 0 and l.payload <> '') as unread
  from visitors v join conversations c on c.id = v.conversation"""


def meet(db: Database, inbound: Inbound, now: datetime) -> Visitor:
    """The visitor of this peer, made with customer and conversation where there is none yet."""
    channel, chat = inbound.peer.channel, inbound.peer.chat
    if (known := read(db, channel, chat)) is not None:
        return known
    conversation = inbox.meet(db, inbound, now)
    db.execute(
        "insert into visitors(channel, chat, conversation, seen) values(?, ?, ?, ?) on conflict do nothing",
        (channel, chat, conversation, ms(now)),
    )
    made = read(db, channel, chat)
    assert made is not None
    return made


def read(db: Database, channel: str, chat: str) -> Visitor | None:
    row = db.execute(f"{_VISITOR} where v.channel = ? and v.chat = ?", (channel, chat)).fetchone()
    return None if row is None else _visitor(row)


def logged_in(db: Database, channel: str, login: str) -> Visitor | None:
    """The chat of the customer whom the business knows as *login*."""
    row = db.execute(f"{_VISITOR} where v.channel = ? and v.login = ?", (channel, login)).fetchone()
    return None if row is None else _visitor(row)


def log_in(db: Database, inbound: Inbound, login: str, now: datetime) -> Visitor | None:
    """*login* is who writes in the inbound's chat: it becomes theirs, or goes on in the chat that is theirs
    already, with its lines, and the two customers are one. Somebody else's chat stays theirs: None where
    *login* has none of their own.
    """
    channel, chat = inbound.peer.channel, inbound.peer.chat
    db.lock_names([f"login {channel} {login}"])
    own, here = logged_in(db, channel, login), read(db, channel, chat)
    free = here is None or not (here.login or here.joined)
    if own is None and free:
        meet(db, inbound, now)
        taken = "update visitors set login = ? where channel = ? and chat = ? and login = '' and joined = ''"
        return read(db, channel, chat) if db.execute(taken, (login, channel, chat)).rowcount else None
    if own is None or here is None or not free:
        return own
    return _go_on(db, here, own, now)


def _go_on(db: Database, here: Visitor, own: Visitor, now: datetime) -> Visitor:
    channel = own.channel
    db.lock_conversations([here.conversation, own.conversation])
    locked = (
        f"select last from visitors where channel = ? and chat in (?, ?) order by chat{db.locking()}",
        (channel, here.chat, own.chat),
    )
    db.execute(*locked).fetchall()
    last = db.execute(
        "select last from visitors where channel = ? and chat = ?", (channel, own.chat)
    ).fetchone()[0]
    db.execute(
        "update chat_lines set chat = ?, number = number + ? where channel = ? and chat = ?",
        (own.chat, last, channel, here.chat),
    )
    db.execute(
        "update visitors set last = last + ?, email = case when email = '' then ? else email end where"
        " channel = ? and chat = ?",
        (here.last, here.email, channel, own.chat),
    )
    db.execute(
        "update visitors set joined = ?, email = '' where channel = ? and chat = ?",
        (own.chat, channel, here.chat),
    )
    if here.customer != own.customer:
        merge = CustomerMerge(own.customer, here.customer)
        customer_merge.carry_out_alone(db, merge, now, f"login:{channel}")
    db.hint(f"chat {channel} {here.chat}")
    db.hint(f"chat {channel} {own.chat}")
    return read(db, channel, own.chat) or own


def mark(db: Database, channel: str, chat: str, marks: Mapping[str, int | str]) -> None:
    """Lay *marks* over what is kept of a visitor: read (it never falls), seen, mailed, email."""
    for name, value in marks.items():
        if name == "read":
            db.execute(
                "update visitors set upto = min(last, max(upto, ?)) where channel = ? and chat = ?",
                (value, channel, chat),
            )
        else:
            assert name in ("seen", "mailed", "email")
            value = clean(value) if isinstance(value, str) else value
            db.execute(
                f"update visitors set {name} = ? where channel = ? and chat = ?", (value, channel, chat)
            )


def away(db: Database, channel: str, since: datetime, holding: str, limit: int) -> tuple[Visitor, ...]:
    """Who left an address, was last there before *since*, has had no letter since they were, and has not
    read a message with *holding* in its payload.
    """
    rows = db.execute(
        f"{_VISITOR} where v.channel = ? and v.email <> '' and v.seen < ? and coalesce(v.mailed, 0) <= v.seen"
        " and v.last > v.upto and exists(select 1 from chat_lines l where l.channel = v.channel and l.chat ="
        " v.chat and l.number > v.upto and l.kind = 'message' and l.own = 0 and instr(l.payload, ?) > 0)"
        " order by v.seen limit ?",
        (channel, ms(since), holding, limit),
    ).fetchall()
    return tuple(_visitor(row) for row in rows)


def send_letter(db: Database, visitor: Visitor, letter: Outbound, now: datetime) -> bool:
    """Enqueue it, unless they were there or had one since *visitor* was read."""
    kept = db.execute(
        "update visitors set mailed = ? where channel = ? and chat = ? and email = ? and seen = ? and"
        " coalesce(mailed, 0) <= seen",
        (ms(now), visitor.channel, visitor.chat, letter.to.chat, maybe_ms(visitor.seen)),
    )
    if kept.rowcount == 0:
        return False
    named = replace(letter, name=f"{LETTER}{visitor.chat}:{ms(now)}")
    enqueue(db, [named], now, about=visitor.conversation)
    return True


def _visitor(row: Any) -> Visitor:
    return Visitor(
        row["channel"],
        row["chat"],
        row["conversation"],
        row["customer"],
        row["login"],
        row["joined"],
        row["last"],
        row["upto"],
        row["unread"],
        moment(row["seen"]),
        maybe_moment(row["mailed"]),
        row["email"],
    )
