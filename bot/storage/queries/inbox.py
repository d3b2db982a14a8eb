"""Keeping what arrived: once, with its customer and conversation, and the moment it may be decided on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import ChatLine, Inbound, InboundKind, Peer, Sender
from bot.storage.base import ScheduledInbound
from bot.storage.codec import clean, encode, moment, ms, payload_of, to_json
from bot.storage.database import Database
from bot.storage.queries import chat_lines, outbox

# Who writes in these is the customer themselves, so names are theirs and they can be reached.
OWN = frozenset(
    {
        InboundKind.MESSAGE,
        InboundKind.EDIT,
        InboundKind.PRESS,
        InboundKind.START,
        InboundKind.REACTION,
        InboundKind.UNBLOCKED,
    }
)

TOLD_ELSEWHERE = "*"  # in place of the names a platform told: a customer on several channels keeps their name

_FIND = """select c.id, c.customer, c.private, c.reachable, u.told from conversations c left join customers u
  on u.id = c.customer where c.channel = ? and c.chat = ? and c.thread = ?"""
_KEEP = """insert into inbox(channel, key, conversation, kind, at, received, ready, limit_at, message,
  payload) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict(channel, key) do nothing"""
# Ready at the latest `ready` of those that wait, never later than the first one's limit, never while a
# failure rests.
_READY = """update conversations set
  limit_at = case when ready_at is null then :limit else limit_at end,
  ready_max = case when ready_at is null then :ready else max(ready_max, :ready) end,
  ready_at = max(coalesce(rest_until, 0), case when ready_at is null then min(:limit, :ready)
    else min(limit_at, max(ready_max, :ready)) end)
  where id = :id"""


def accept(
    db: Database,
    channel: str,
    arrivals: Sequence[ScheduledInbound],
    cursor: str | None,
    now: datetime,
) -> int:
    """How many were new."""
    new = 0
    arrivals = [kept for a in arrivals if (kept := _where_it_was(db, channel, a)) is not None]
    if len(peers := {a.inbound.peer for a in arrivals}) > 1:
        db.lock_conversations(_known(db, peers))
    for arrival in arrivals:
        inbound = arrival.inbound
        conversation = meet(db, inbound, now)
        if keep(db, channel, arrival, conversation, now):
            new += 1
            if inbound.line:
                line = ChatLine(inbound.key, "message", inbound.at, to_json(inbound.line), own=True)
                chat_lines.add(db, channel, inbound.peer.chat, line)
            if inbound.kind is InboundKind.PRESS:
                outbox.prove(db, inbound.press, inbound.peer, inbound.message, now)
    if cursor is not None:
        db.execute(
            "insert into cursors(channel, value, moved) values(?, ?, ?) on conflict(channel) do update set"
            " value = excluded.value, moved = excluded.moved",
            (channel, cursor, ms(now)),
        )
    return new


def _where_it_was(db: Database, channel: str, arrival: ScheduledInbound) -> ScheduledInbound | None:
    """What was taken back belongs to the conversation in which it was said; None where nothing is known of
    it.
    """
    inbound = arrival.inbound
    if inbound.kind is not InboundKind.DELETED:
        return arrival
    found = db.execute(
        "select c.channel, c.chat, c.thread from inbox i join conversations c on c.id = i.conversation where"
        " i.channel = ? and i.key = ?",
        (channel, str(inbound.data.get("of", ""))),
    ).fetchone()
    if found is None:
        return None
    peer = Peer(found["channel"], found["chat"], found["thread"])
    return replace(arrival, inbound=replace(inbound, peer=peer, sender=Sender(peer.chat)))


def _known(db: Database, peers: Iterable[Peer]) -> list[int]:
    """The conversations that are there already."""
    found = (db.execute(_FIND, (p.channel, p.chat, p.thread)).fetchone() for p in peers)
    return [row["id"] for row in found if row is not None]


def keep(db: Database, channel: str, arrival: ScheduledInbound, conversation: int, now: datetime) -> bool:
    """One inbox row, and its conversation made ready; False where the key is known."""
    inbound, ready, limit = arrival.inbound, ms(arrival.ready), ms(arrival.limit)
    row = (
        channel,
        inbound.key,
        conversation,
        inbound.kind.value,
        ms(inbound.at),
        ms(now),
        ready,
        limit,
        inbound.message,
        encode(inbound),
    )
    if db.execute(_KEEP, row).rowcount == 0:
        return False
    db.execute(_READY, {"id": conversation, "ready": ready, "limit": limit})
    db.hint("turns")
    return True


def cursor(db: Database, channel: str) -> str | None:
    row = db.execute("select value from cursors where channel = ?", (channel,)).fetchone()
    return None if row is None else str(row["value"])


def fire_timers(db: Database, now: datetime, limit: int = 500) -> int:
    """Due timers become inbounds, overdue ones in order; at most *limit* in one transaction, the rest stays
    due.
    """
    due = db.execute(
        "select t.id, t.kind, t.data, t.due, t.conversation, c.channel, c.chat, c.thread, c.private from"
        " timers t join conversations c on c.id = t.conversation where t.fired is null and t.cancelled is"
        " null and t.due <= ? order by t.due, t.id limit ?",
        (ms(now), limit),
    ).fetchall()
    db.lock_conversations({row["conversation"] for row in due})
    fired = 0
    for row in due:
        firing = "update timers set fired = ? where id = ? and fired is null and cancelled is null"
        if db.execute(firing, (ms(now), row["id"])).rowcount == 0:
            continue  # another process was first, or it was cancelled meanwhile
        fired += 1
        peer = Peer(row["channel"], row["chat"], row["thread"])
        inbound = Inbound(
            f"timer:{row['id']}",
            peer,
            Sender(""),
            moment(row["due"]),
            InboundKind.INTERNAL,
            private=bool(row["private"]),
            payload=payload_of(row["kind"], json.loads(row["data"])),
        )
        keep(db, peer.channel, ScheduledInbound(inbound, now, now), row["conversation"], now)
    return fired


def meet(db: Database, inbound: Inbound, now: datetime) -> int:
    """The conversation of the inbound's peer, made where there is none; what it tells of the customer is
    noted.
    """
    peer = inbound.peer
    found = db.execute(f"{_FIND}{db.locking('c')}", (peer.channel, peer.chat, peer.thread)).fetchone()
    if found is None:
        found = _first_met(db, inbound, now)
    if not inbound.private:
        return int(found["id"])
    own = inbound.kind in OWN
    reachable = 0 if inbound.kind is InboundKind.BLOCKED else 1 if own else found["reachable"]
    if reachable != found["reachable"]:
        db.execute("update conversations set reachable = ? where id = ?", (reachable, found["id"]))
    if (
        own
        and found["customer"] is not None
        and found["told"] != TOLD_ELSEWHERE
        and (told := _told(inbound.sender)) != found["told"]
    ):
        _rename(db, found["customer"], inbound.sender, told, found["told"])
    return int(found["id"])


def _first_met(db: Database, inbound: Inbound, now: datetime) -> Any:
    peer = inbound.peer
    db.lock_names([f"chat {peer.channel} {peer.chat}"])
    finding = f"{_FIND}{db.locking('c')}"
    if (found := db.execute(finding, (peer.channel, peer.chat, peer.thread)).fetchone()) is not None:
        return found  # another process met it at the same moment
    customer = _customer(db, inbound, now) if inbound.private else None
    return db.execute(
        "insert into conversations(channel, chat, thread, private, customer, reachable, created) values(?, ?,"
        " ?, ?, ?, ?, ?) returning id, customer, private, reachable, '' as told",
        (
            peer.channel,
            peer.chat,
            peer.thread,
            int(inbound.private),
            customer,
            int(not inbound.data.get("automatic")),  # nobody writes to a machine that has only written once
            ms(now),
        ),
    ).fetchone()


def _customer(db: Database, inbound: Inbound, now: datetime) -> int:
    """The customer of another thread of the same chat, else a new one."""
    peer = inbound.peer
    known = db.execute(
        "select customer from conversations where channel = ? and chat = ? and customer is not null limit 1",
        (peer.channel, peer.chat),
    ).fetchone()
    if known is not None:
        return int(known["customer"])
    told = inbound.sender if inbound.kind in OWN else Sender("")
    language = told.language.replace("_", "-").split("-")[0].lower() or "ru"
    made = db.execute(
        "insert into customers(language, gender, created) values(?, ?, ?) returning id",
        (language, told.gender, ms(now)),
    )
    return int(made.fetchone()[0])


def _told(sender: Sender) -> str:
    return to_json([sender.name, sender.last_name, sender.username])


def _rename(db: Database, customer: int, sender: Sender, told: str, before: str) -> None:
    """Names follow the platform only when the platform's own words change, so a name given in a form is not
    overwritten.
    """
    if not (sender.name or sender.last_name or sender.username):
        return
    if not before:  # a second conversation of a known customer, or a new customer
        row = db.execute("select told from customers where id = ?", (customer,)).fetchone()
        if row["told"] == told:
            return
    db.execute(
        "update customers set name = ?, last_name = ?, username = ?, told = ? where id = ?",
        (clean(sender.name), clean(sender.last_name), clean(sender.username), told, customer),
    )
