"""Enqueueing: rows of the outbox with their order, and the words they leave in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import Event, HistoryEntry, Outbound, OutboundKind, Peer, Priority
from bot.storage.codec import clean, decode, encode, encode_all, ms, to_json
from bot.storage.database import Database
from bot.storage.queries import desk_state, row_cursors

JOINED = 1500  # characters that joined words may reach: far below every channel's limit, and readable
PRIORITIES = {priority: place for place, priority in enumerate(Priority)}
# Answers to buttons wait for nothing: the platform forgets the button within a minute.
TAPS = len(PRIORITIES)
RIVALS = {
    OutboundKind.CLOSE_TOPIC: OutboundKind.REOPEN_TOPIC,
    OutboundKind.REOPEN_TOPIC: OutboundKind.CLOSE_TOPIC,
}  # of two that wait the last one holds
URGENCY = (TAPS, *PRIORITIES.values())


def priority_of(outbound: Outbound) -> int:
    """What the column `lane` holds: in which of the lines to its peer the delivery stands."""
    return TAPS if outbound.kind is OutboundKind.ACKNOWLEDGE else PRIORITIES[outbound.priority]


def line_name(channel: str, chat: str, thread: str, priority: int) -> str:
    """What a line of the outbox is locked by: its deliveries go one after the other."""
    return f"line {channel} {chat} {thread} {priority}"


def line_of(outbound: Outbound) -> str:
    to = outbound.to
    return line_name(to.channel, to.chat, to.thread, priority_of(outbound))


_INSERT = """insert into outbox(dedupe, channel, chat, thread, lane, verb, name, edits, quotes, mirrors,
  ticket, conversation, turn, payload, on_doubt, created, due, place, desk, head) values(:dedupe, :channel,
  :chat, :thread, :lane, :verb, :name, :edits, :quotes, :mirrors, :ticket, :conversation, :turn, :payload,
  :on_doubt, :now, :now, :place, :desk, case when exists(select 1 from outbox where channel = :channel and
  chat = :chat and thread = :thread and lane = :lane and status in ('pending', 'sending')) then 0 else 1 end)
  returning id"""
_REPLACED = """update outbox indexed by outbox_open set status = 'cancelled', head = 0, settled = :now, error
  = 'replaced' where channel = :channel and chat = :chat and thread = :thread and lane = :lane and status in
  ('pending', 'sending') and status = 'pending' and verb in (:verb, :rival) and edits = :edits and quotes =
  :quotes"""
_LAST = """select id, status, doubts, payload from outbox indexed by outbox_open where channel = :channel and
  chat = :chat and thread = :thread and lane = :lane and status in ('pending', 'sending') order by place desc,
  id desc limit 1"""
_NEXT_HEAD = """update outbox set head = 1 where id = (select id from outbox where channel = :channel and chat
  = :chat and thread = :thread and lane = :lane and status in ('pending', 'sending') order by place, id limit
  1)"""


def enqueue(
    db: Database,
    say: Sequence[Outbound],
    now: datetime,
    *,
    turn: int | None = None,
    about: int | None = None,
    place: int = 0,
) -> tuple[int, ...]:
    """Rows of the outbox, in order. *about* is the conversation they belong to where the peer is no
    customer's own; a *place* below 0 puts them before what was enqueued earlier (the caller then orders the
    heads anew).
    """
    if say:
        db.lock_names({line_of(outbound) for outbound in say})
        db.hint("deliveries")
    homes: dict[Peer, int | None] = {}
    made = []
    for n, outbound in enumerate(say):
        if outbound.to not in homes:
            homes[outbound.to] = _home(db, outbound.to)
        home = homes[outbound.to]
        row = {
            "dedupe": None if turn is None else f"{turn}:{n}",
            "channel": outbound.to.channel,
            "chat": outbound.to.chat,
            "thread": outbound.to.thread,
            "lane": priority_of(outbound),
            "verb": outbound.kind.value,
            "name": outbound.name,
            "edits": outbound.edits,
            "quotes": outbound.quotes,
            "mirrors": outbound.mirror_of,
            "ticket": outbound.ticket,
            "rival": RIVALS.get(outbound.kind, outbound.kind).value,
            "conversation": about if home is None else home,
            "turn": turn,
            "payload": encode(outbound),
            "on_doubt": outbound.on_uncertain,
            "place": place,
            "desk": int(home is None or not outbound.author),
            "now": ms(now),
        }
        if outbound.coalesce and (joined := _join(db, outbound, row)) is not None:
            made.append(joined)
            continue
        replaces = outbound.priority is Priority.COSMETIC or outbound.kind in RIVALS
        if replaces and db.execute(_REPLACED, row).rowcount:
            db.execute(_NEXT_HEAD, row)
        id = int(db.execute(_INSERT, row).fetchone()[0])
        made.append(id)
        if home is not None and outbound.author:
            _remember(db, outbound, home, id, now)
    return tuple(made)


def enqueue_alone(
    db: Database, say: Sequence[Outbound], now: datetime, events: Sequence[Event]
) -> tuple[int, ...]:
    """Deliveries outside any turn, with what happened."""
    made = enqueue(db, say, now)
    write_events(db, (replace(e, at=e.at or now) for e in events))
    return made


def next_head(db: Database, channel: str, chat: str, thread: str, priority: int) -> None:
    """The oldest open row of this order may go now."""
    db.execute(_NEXT_HEAD, {"channel": channel, "chat": chat, "thread": thread, "lane": priority})


def write_line(
    db: Database,
    conversation: int,
    line: HistoryEntry,
    *,
    message: str = "",
    outbound: int | None = None,
) -> None:
    db.execute(
        "insert into history(conversation, at, author, name, text, attachments, message, outbound) values(?,"
        " ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation,
            ms(line.at),
            line.author,
            clean(line.name),
            clean(line.text),
            encode_all(line.attachments),
            message,
            outbound,
        ),
    )


def write_events(db: Database, events: Iterable[Event]) -> int:
    """Keep what happened, with what it changes for the operators' side; returns the version that this makes,
    0 where it is as it was.
    """
    events = tuple(events)
    db.executemany(
        "insert into events(kind, at, conversation, ticket, actor, data) values(?, ?, ?, ?, ?, ?)",
        [
            (e.kind, ms(e.at) if e.at else 0, e.conversation, e.ticket, clean(e.actor), to_json(e.data))
            for e in events
        ],
    )
    return desk_state.follow(db, events)


def _join(db: Database, outbound: Outbound, row: dict[str, Any]) -> int | None:
    """The waiting row that these words were added to; None where there is none that takes them."""
    last = db.execute(_LAST, row).fetchone()
    if last is None or last["status"] != "pending" or last["doubts"]:
        return None
    waiting = decode(Outbound, last["payload"])
    together = waiting.text + "\n" + outbound.text
    plain = not (
        waiting.attachments or outbound.attachments or outbound.quotes or outbound.author or waiting.author
    )
    if not (
        waiting.coalesce
        and plain
        and waiting.text
        and outbound.text
        and waiting.ticket == outbound.ticket
        and len(together.text) <= JOINED
    ):
        return None
    joined = db.execute(  # not where it has just been taken
        "update outbox set payload = ? where id = ? and status = 'pending' and doubts = 0",
        (encode(replace(waiting, text=together, buttons=outbound.buttons or waiting.buttons)), last["id"]),
    )
    return int(last["id"]) if joined.rowcount else None


def _home(db: Database, peer: Peer) -> int | None:
    """The conversation of a customer's peer."""
    row = db.execute(
        "select id from conversations where channel = ? and chat = ? and thread = ? and customer is not null",
        (peer.channel, peer.chat, peer.thread),
    ).fetchone()
    return None if row is None else int(row["id"])


def _remember(db: Database, outbound: Outbound, home: int, id: int, now: datetime) -> None:
    """What a customer is told is a line of their history; what is changed there is changed here."""
    assert outbound.author != ""
    if outbound.kind is OutboundKind.SAY:
        line = HistoryEntry(
            now, outbound.author, outbound.text.text, outbound.author_name, outbound.attachments
        )
        write_line(db, home, line, outbound=id)
    elif outbound.kind is OutboundKind.EDIT and outbound.text:
        changed = db.execute(
            "update history set text = ? where outbound = (select max(id) from outbox where channel = ? and"
            " chat = ? and name = ? and name <> '' and verb = 'say') returning id",
            (clean(outbound.text.text), outbound.to.channel, outbound.to.chat, outbound.edits),
        ).fetchone()
        if changed is not None:
            row_cursors.words_again(db, "history", changed["id"])
