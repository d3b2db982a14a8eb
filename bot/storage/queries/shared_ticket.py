"""A customer on several channels, for the turn that is taken: their open ticket follows them, and their words
stand in one history.
"""

from __future__ import annotations

from datetime import datetime

from bot.model import Attachment, Conversation, Event, HistoryEntry
from bot.storage.codec import decode_all, moment
from bot.storage.database import Database
from bot.storage.queries.enqueue import write_events


def follow(db: Database, place: Conversation, now: datetime) -> bool:
    """Bring the customer's open ticket to the conversation in which they write now; False where there is none
    elsewhere.
    """
    if place.customer is None or place.ticket is not None:
        return False
    row = db.execute(
        "select t.number, c.id, c.status from conversations c indexed by conversations_customer join tickets"
        " t on t.number = c.ticket where c.customer = ? and c.id <> ? and t.status <> 'closed' order by"
        " t.opened desc limit 1",
        (place.customer, place.id),
    ).fetchone()
    if row is None:
        return False
    db.lock_conversations([row["id"]])
    to = place.peer
    db.execute(
        "update tickets set conversation = ?, channel = ?, chat = ?, thread = ?, version = version + 1 where"
        " number = ?",
        (place.id, to.channel, to.chat, to.thread, row["number"]),
    )
    db.execute(
        "update conversations set status = 'bot', ticket = null, version = version + 1 where id = ?",
        (row["id"],),
    )
    db.execute(
        "update conversations set status = ?, ticket = ?, version = version + 1 where id = ?",
        (row["status"], row["number"], place.id),
    )
    db.execute(
        "update timers set conversation = ? where conversation = ? and kind like 'desk.%' and fired is null"
        " and cancelled is null",
        (place.id, row["id"]),
    )
    write_events(
        db, [Event("ticket_followed", now, place.id, row["number"], "customer", {"channel": to.channel})]
    )
    return True


def history(db: Database, customer: int, limit: int) -> tuple[HistoryEntry, ...]:
    """The last lines of all their conversations, oldest first."""
    rows = db.execute(
        "select at, author, text, name, attachments from history where conversation in (select id from"
        " conversations where customer = ?) order by at desc, id desc limit ?",
        (customer, limit),
    ).fetchall()
    return tuple(
        HistoryEntry(moment(at), author, text, name, decode_all(Attachment, files))
        for at, author, text, name, files in reversed(rows)
    )
