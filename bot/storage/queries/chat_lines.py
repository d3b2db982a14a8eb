"""The lines of a chat that the business itself shows: numbered in the order in which they were committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import ChatLine
from bot.storage.codec import clean, moment, ms
from bot.storage.database import Database

HINT = "chat"  # begins the hint that a chat has a new line; its channel and chat follow
_LINE = """select l.*, coalesce(m.payload, '') as shown, coalesce(m.at, l.at) as said, coalesce(m.edited, 0)
  as changed from chat_lines l left join chat_lines m on m.channel = l.channel and m.source = l.message and
  m.kind = 'message'"""


def add(db: Database, channel: str, chat: str, line: ChatLine) -> ChatLine | None:
    """Write *line* at the end of the chat, or of the one in which it goes on; what its source wrote before
    stays as it was. A change changes its message, too. None where nobody is at the other end.
    """
    found = _place(db, channel, chat)
    if found is None:
        return None
    known = db.execute(f"{_LINE} where l.channel = ? and l.source = ?", (channel, line.source)).fetchone()
    if known is not None:
        return line_of(known)
    place, conversation = found
    number = db.execute(
        "update visitors set last = last + 1 where channel = ? and chat = ? returning last", (channel, place)
    ).fetchone()[0]
    line = replace(line, number=number, message=line.message or line.source)
    if line.kind in ("edit", "remove"):
        db.execute(
            "update chat_lines set payload = ?, edited = 1 where channel = ? and source = ? and kind ="
            " 'message'",
            (clean(line.payload), channel, line.message),
        )
    db.execute(
        "insert into chat_lines(channel, chat, number, source, kind, message, own, conversation, at, payload)"
        " values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            channel,
            place,
            number,
            line.source,
            line.kind,
            line.message,
            int(line.own),
            conversation,
            ms(line.at),
            "" if line.kind in ("edit", "remove") else clean(line.payload),
        ),
    )
    db.hint(f"{HINT} {channel} {place}")
    return line


def _place(db: Database, channel: str, chat: str) -> tuple[str, int] | None:
    """The chat in which *chat* goes on, locked, and the conversation of *chat* itself."""
    one = f"select chat, joined, conversation from visitors where channel = ? and chat = ?{db.locking()}"
    if (row := db.execute(one, (channel, chat)).fetchone()) is None:
        return None
    conversation = int(row["conversation"])
    while row["joined"] and (on := db.execute(one, (channel, row["joined"])).fetchone()) is not None:
        row = on
    return str(row["chat"]), conversation


def after(db: Database, channel: str, chat: str, number: int, limit: int) -> tuple[ChatLine, ...]:
    """What happened behind the line *number*, in order."""
    rows = db.execute(
        f"{_LINE} where l.channel = ? and l.chat = ? and l.number > ? order by l.number limit ?",
        (channel, chat, number, limit),
    )
    return tuple(line_of(row) for row in rows)


def messages(db: Database, channel: str, chat: str, before: int | None, limit: int) -> tuple[ChatLine, ...]:
    """The newest messages (before the line *before*) as they are by now, in order."""
    rows = db.execute(
        f"{_LINE} where l.channel = ? and l.chat = ? and l.number < ? and l.kind = 'message' and l.payload"
        " <> '' order by l.number desc limit ?",
        (channel, chat, 1 << 62 if before is None else before, limit),
    ).fetchall()
    return tuple(line_of(row) for row in reversed(rows))


def by_source(db: Database, channel: str, source: str) -> tuple[str, ChatLine] | None:
    """The line that was made of *source*, with the chat in which it is shown."""
    row = db.execute(f"{_LINE} where l.channel = ? and l.source = ?", (channel, source)).fetchone()
    return None if row is None else (str(row["chat"]), line_of(row))


def purge(db: Database, before: datetime, limit: int) -> int:
    """Take away at most *limit* lines of before, but for chats with an open ticket; returns how many."""
    rows = db.execute(
        "select channel, chat, number from chat_lines where at < ? and not exists(select 1 from tickets t"
        " where t.conversation = chat_lines.conversation and t.status <> 'closed') order by at limit ?",
        (ms(before), limit),
    ).fetchall()
    db.executemany(
        "delete from chat_lines where channel = ? and chat = ? and number = ?", [tuple(row) for row in rows]
    )
    return len(rows)


def line_of(row: Mapping[str, Any]) -> ChatLine:
    return ChatLine(
        row["source"],
        row["kind"],
        moment(row["said"]),
        row["shown"] if row["kind"] != "notice" else row["payload"],
        row["message"],
        bool(row["own"]),
        bool(row["changed"]),
        row["number"],
    )
