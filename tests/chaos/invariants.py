"""What must hold after any life, I1–I8: each broken law is one sentence."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.model import InboundKind, OutboundKind
from tests.chaos.platforms import DESK_CHAT, Call, Platform

MARK = re.compile(r"\[\w+\]")  # what tells one message of a run from every other
KINDS = (InboundKind.MESSAGE, InboundKind.EDIT, InboundKind.PRESS, InboundKind.START)


def broken(file: Path, platforms: Sequence[Platform]) -> list[str]:
    """Every law that does not hold in the file and in what the platforms saw."""
    db = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        rows = {row["id"]: row for row in db.execute("select * from outbox")}
        calls = [(p, c) for p in platforms for c in p.calls]
        return [
            *_kept(db, platforms),
            *_decided_once(db, platforms),
            *_in_order(rows, calls),
            *_doubles_are_on_record(rows, calls),
            *(f"I5 {told}" for p in platforms for told in p.too_fast),
            *_time(db),
            *_carried(db, rows, platforms),
            *_whole(db),
        ]
    finally:
        db.close()


def _kept(db: sqlite3.Connection, platforms: Sequence[Platform]) -> Iterator[str]:
    """I1: every confirmed update has a turn that knows its words."""
    known = {
        (r["channel"], r["key"]): r
        for r in db.execute("select i.*, t.text as decided from inbox i left join turns t on t.id = i.turn")
    }
    for platform in platforms:
        for update in platform.updates:
            row = known.get((platform.name, update.inbound.key))
            if row is None:
                if update.confirmed:
                    yield f"I1 {update.inbound.key} was confirmed and is not kept: {update.inbound.text!r}"
            elif row["done_at"] is None or row["decided"] is None:
                yield (
                    f"I1 {update.inbound.key} was never decided on: {update.inbound.kind}"
                    f" {update.inbound.text!r}"
                )
            elif update.inbound.kind is InboundKind.MESSAGE and update.inbound.text not in row["decided"]:
                yield (
                    f"I1 {update.inbound.key} was closed by a turn that did not read it:"
                    f" {update.inbound.text!r}"
                )


def _decided_once(db: sqlite3.Connection, platforms: Sequence[Platform]) -> Iterator[str]:
    """I2: one turn for each inbox row."""
    for row in db.execute(
        "select id, text from turns where id not in (select turn from inbox where turn is not null)"
    ):
        yield f"I2 turn {row['id']} decided on something that another turn has: {row['text']!r}"
    for row in db.execute("select channel, key, count(*) as n from inbox group by channel, key having n > 1"):
        yield f"I2 {row['key']} is kept {row['n']} times"
    said = Counter(m for row in db.execute("select text from turns") for m in MARK.findall(row["text"]))
    edited = {
        m
        for p in platforms
        for u in p.updates
        if u.inbound.kind is InboundKind.EDIT
        for m in MARK.findall(u.inbound.text)
    }
    for mark, n in said.items():
        if n > 1 and mark not in edited:
            yield f"I2 {mark} was decided on {n} times"


def _in_order(rows: dict[int, sqlite3.Row], calls: Sequence[tuple[Platform, Call]]) -> Iterator[str]:
    """I3: in one chat, thread and priority what was enqueued first arrives first (again is allowed where it
    is in doubt).
    """
    last: dict[tuple[object, ...], int] = {}
    for platform, call in calls:
        row = rows.get(call.nonce)
        if (
            row is None
            or call.outbound.kind is OutboundKind.OPEN_TOPIC
            or row["place"] < 0
            or row["verb"] != call.outbound.kind
        ):
            continue
        key = (platform.name, row["chat"], row["thread"], row["lane"])
        if call.nonce < last.get(key, 0):
            yield f"I3 {key}: {call.nonce} came after {last[key]}"
        last[key] = max(call.nonce, last.get(key, 0))


def _doubles_are_on_record(
    rows: dict[int, sqlite3.Row], calls: Sequence[tuple[Platform, Call]]
) -> Iterator[str]:
    """I4: no more arrivals than doubts allow; what is called sent arrived, what is called failed did not."""
    arrived = Counter((c.nonce, str(c.outbound.kind)) for _, c in calls)
    for (nonce, kind), n in arrived.items():
        row = rows.get(nonce)
        if kind == OutboundKind.OPEN_TOPIC:
            continue
        if row is None:
            yield f"I4 {kind} {nonce} was sent and is not on record"
        elif n > 1 + row["doubts"]:
            yield f"I4 {kind} {nonce} arrived {n} times with {row['doubts']} doubts on record"
        elif row["status"] in ("pending", "failed", "cancelled") and not row["doubts"]:
            yield f"I4 {kind} {nonce} arrived and is called {row['status']}: {row['error']}"
    for row in rows.values():
        if row["status"] == "sent" and not arrived[row["id"], row["verb"]]:
            yield f"I4 {row['verb']} {row['id']} is called sent and never arrived"
        if row["status"] in ("pending", "sending"):
            yield (
                f"I4 {row['verb']} {row['id']} to {row['chat']} {row['thread']} is still {row['status']}:"
                f" {row['error']}"
            )


def _time(db: sqlite3.Connection) -> Iterator[str]:
    """I6: a timer fires once, never early."""
    for row in db.execute("select * from timers where fired is not null and fired < due"):
        yield f"I6 timer {row['key']} fired {row['due'] - row['fired']} ms early"
    fired = {f"timer:{row['id']}" for row in db.execute("select id from timers where fired is not null")}
    rang = Counter(
        row["key"] for row in db.execute("select key from inbox where kind = 'timer' and key like 'timer:%'")
    )
    for key in fired ^ set(rang):
        yield f"I6 {key}: fired and rang do not agree"
    yield from (f"I6 {key} rang {n} times" for key, n in rang.items() if n > 1)


def _carried(
    db: sqlite3.Connection, rows: dict[int, sqlite3.Row], platforms: Sequence[Platform]
) -> Iterator[str]:
    """I7: what a customer of an open ticket says reaches the desk, and the operators' words them, or it is
    known that not.
    """
    arrived: dict[bool, set[str]] = defaultdict(set)  # whether in the desk -> marks
    for platform in platforms:
        for call in platform.calls:
            arrived[call.outbound.to.chat == DESK_CHAT] |= set(MARK.findall(call.outbound.text.text))
    told: dict[bool, set[str]] = defaultdict(set)
    for row in rows.values():
        if row["status"] in ("unknown", "failed"):
            told[row["chat"] == DESK_CHAT] |= set(MARK.findall(row["payload"]))
    results = {
        (r["channel"], r["key"]): r
        for r in db.execute(
            "select i.channel, i.key, t.result, t.reason from inbox i join turns t on t.id = i.turn"
        )
    }
    for platform in platforms:
        for update in platform.updates:
            inbound = update.inbound
            turn = results.get((platform.name, inbound.key))
            if turn is None or inbound.kind is not InboundKind.MESSAGE or not inbound.text:
                continue
            wanted = turn["result"] in (("handed_off", "carried") if inbound.private else ("carried",))
            missing = set(MARK.findall(inbound.text)) - arrived[inbound.private] - told[inbound.private]
            if wanted and missing:
                yield (
                    f"I7 {inbound.text!r} ({turn['result']}, {turn['reason']}) never came to"
                    f" {'the desk' if inbound.private else 'the customer'}"
                )


def _whole(db: sqlite3.Connection) -> Iterator[str]:
    """I8: the file is whole, and its own accounts agree."""
    yield from (f"I8 {row[0]}" for row in db.execute("pragma integrity_check") if row[0] != "ok")
    yield from (
        f"I8 a reference leads nowhere: {tuple(row)}" for row in db.execute("pragma foreign_key_check")
    )
    for row in db.execute("select id, status, ticket from conversations where customer is not null"):
        number = db.execute(
            "select number from tickets where conversation = ? and status <> 'closed'", (row["id"],)
        ).fetchone()
        if row["ticket"] != (number["number"] if number else None):
            yield (
                f"I8 conversation {row['id']} names ticket {row['ticket']}, its open one is"
                f" {number and number['number']}"
            )
    for row in db.execute("select payload from outbox"):
        json.loads(row["payload"])
