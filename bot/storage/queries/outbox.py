"""The outbox on its way: what may go now in which order, what became of it, and what its buttons meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.button_tokens import read_token
from bot.handoff.operators.message_names import shown_name
from bot.model import Outbound, OutboundKind, Peer, Press, RepliedTo
from bot.storage.base import Delivery, DeliveryResult, DeliveryStatus
from bot.storage.codec import clean, decode, encode, maybe_ms, moment, ms
from bot.storage.database import Database
from bot.storage.queries.enqueue import (
    TAPS,
    URGENCY,
    enqueue,
    line_name,
    line_of,
    next_head,
    priority_of,
    write_events,
)

OPEN = ("pending", "sending")
NEWEST = 3000  # rows that can have been begun within a minute or two
FIRST_PAGE, PAGE = 8, 100  # heads read at once: often the first will do
NEVER = (1 << 63) - 1  # later than any moment, in milliseconds
PIECES = 50  # rows behind the first within which the pieces of one long message lie
ENDED = ("unknown", "failed", "cancelled")  # few; the rest was sent
_HEADS = "from outbox indexed by outbox_heads where head = 1 and status = 'pending'"


def take(
    db: Database,
    now: datetime,
    limit: int,
    resting: Collection[tuple[str, str]],
    epochs: Mapping[str, int] | None = None,
) -> tuple[Delivery, ...]:
    """The heads that may go now, marked as sending; of the channels in *epochs*, where these are given."""
    taken: list[Delivery] = []
    channels = [c for c in _channels(db) if (c, "") not in resting and (epochs is None or c in epochs)]
    for priority in URGENCY:
        found: list[tuple[Any, str]] = []
        for channel in channels:
            found += _heads(db, channel, priority, now, limit - len(taken), resting)
        found.sort(key=lambda f: (f[0]["due"], f[0]["id"]))
        for row, target in found[: limit - len(taken)]:
            begun = db.execute(  # as it is by now: words may just have joined it, or taken its place
                "update outbox set status = 'sending', started = ?, tries = tries + 1, epoch = ? where id = ?"
                " and status = 'pending' and head = 1 returning *",
                (ms(now), (epochs or {}).get(row["channel"], 0), row["id"]),
            ).fetchone()
            if begun is not None:
                taken.append(replace(delivery(begun), tries=row["tries"], target=target))
        if len(taken) >= limit:
            break
    return tuple(taken)


def next_due(db: Database) -> datetime | None:
    """When the first head is due that waits for nothing but time."""
    found: list[int] = []
    for channel in _channels(db):
        for priority in URGENCY:
            rows = _due(db, channel, priority, NEVER)
            found += next(([row["due"]] for row in rows if not row["edits"] or not _still_open(db, row)), [])
    return moment(min(found)) if found else None


def settle(db: Database, id: int, settled: DeliveryResult, now: datetime, epoch: int = 0) -> tuple[int, ...]:
    """Record what became of a row that was taken in *epoch*.

    What a press has proved, or what was cancelled meanwhile, is not taken back; what another sender has in
    hand by now only ends by having arrived, and keeps the message that this one recorded. A failure that is
    told again changes nothing.
    """
    row = _locked(db, id, settled)
    if row is None or row["status"] == "cancelled" or (row["status"] == "sent" and settled.status != "sent"):
        return ()
    if row["epoch"] != epoch and (settled.status != "sent" or row["status"] == "sent"):
        return ()
    if row["status"] not in OPEN and row["status"] == settled.status != "sent":
        return ()
    open_before, open_after = row["status"] in OPEN, settled.status in OPEN
    db.execute(
        "update outbox set status = :status, message = case when :message <> '' then :message else message"
        " end, error = :error, due = coalesce(:due, due), tries = tries - :uncounted, doubts = doubts +"
        " :doubted, settled = :settled, payload = coalesce(:payload, payload), head = head * :open where id"
        " = :id",
        {
            "id": id,
            "status": settled.status,
            "message": settled.message,
            "error": clean(settled.error),
            "due": maybe_ms(settled.due),
            "uncounted": int(not settled.counted and row["tries"] > 0),
            "doubted": int(settled.doubted),
            "open": int(open_after),
            "settled": None if open_after else ms(now),
            "payload": encode(settled.outbound) if settled.outbound else None,
        },
    )
    if settled.also:
        known = replace(decode(Outbound, row["payload"]), also=settled.also)
        db.execute("update outbox set payload = ? where id = ?", (encode(known), id))
    if settled.outbound is not None:
        _move(db, id, row, settled.outbound)
    elif open_before and not open_after:
        _reorder(db, row)
    elif open_after and not open_before:
        _reopen(db, row)
    if settled.unreachable:
        db.execute(
            "update conversations set reachable = 0 where channel = ? and chat = ?",
            (row["channel"], row["chat"]),
        )
    write_events(
        db,
        (
            replace(e, at=e.at or now, conversation=e.conversation or row["conversation"])
            for e in settled.events
        ),
    )
    ahead = enqueue(db, settled.ahead, now, about=row["conversation"], place=row["place"] - 1)
    for to, priority in {(o.to, priority_of(o)) for o in settled.ahead}:
        reorder(db, to.channel, to.chat, to.thread, priority)
    return ahead + enqueue(db, settled.say, now, about=row["conversation"])


def _locked(db: Database, id: int, settled: DeliveryResult) -> Any:
    """The row to be settled; all that its end changes is locked before it is looked at."""
    row = db.execute("select * from outbox where id = ?", (id,)).fetchone()
    if row is None:
        return None
    if settled.unreachable:
        reached = "select id from conversations where channel = ? and chat = ?"
        db.lock_conversations([c["id"] for c in db.execute(reached, (row["channel"], row["chat"]))])
    follow = [line_of(o) for o in (*settled.say, *settled.ahead, settled.outbound) if o is not None]
    db.lock_names({_line(row), *follow})
    return db.execute(f"select * from outbox where id = ?{db.locking()}", (id,)).fetchone()


def _line(row: Any) -> str:
    return line_name(row["channel"], row["chat"], row["thread"], row["lane"])


def recover(db: Database, left: Sequence[Any], now: datetime) -> int:
    """What nobody is sending any more may have arrived."""
    db.lock_names({_line(row) for row in left})
    for row in left:
        doubt = "its sending was broken off"
        again = row["on_doubt"] == "resend"
        db.execute(
            "update outbox set status = ?, doubts = doubts + 1, head = head * ?, error = ?, settled = ?"
            " where id = ?",
            ("pending" if again else "unknown", int(again), doubt, None if again else ms(now), row["id"]),
        )
        if not again:
            _reorder(db, row)
    return len(left)


def sends_since(db: Database, since: datetime) -> tuple[tuple[Outbound, datetime, int], ...]:
    """Among the newest rows: what is older was begun long ago, or waits so long that one more does not
    matter.
    """
    last = int(db.execute("select coalesce(max(id), 0) from outbox").fetchone()[0])
    rows = db.execute(
        "select started, payload, tries from outbox where id > ? and started >= ? order by started, id",
        (last - NEWEST, ms(since)),
    )
    return tuple((decode(Outbound, row["payload"]), moment(row["started"]), row["tries"]) for row in rows)


def resolve_unknown(db: Database, id: int, arrived: bool, now: datetime) -> bool:
    """What did not arrive goes again, in its old place."""
    asked = "select * from outbox where id = ? and status = 'unknown'"
    if (row := db.execute(asked, (id,)).fetchone()) is None:
        return False
    db.lock_names([_line(row)])
    if (row := db.execute(f"{asked}{db.locking()}", (id,)).fetchone()) is None:
        return False
    if arrived:
        db.execute("update outbox set status = 'sent', settled = ? where id = ?", (ms(now), id))
    else:
        db.execute(
            "update outbox set status = 'pending', due = ?, settled = null where id = ?", (ms(now), id)
        )
        _reopen(db, row)
    return True


def prove(db: Database, token: str, peer: Peer, message: str, now: datetime) -> None:
    """A press on its keyboard proves that a delivery arrived, whatever the network said."""
    row = _pressed(db, token, peer)
    if row is not None:
        db.lock_names([_line(row)])
        row = _pressed(db, token, peer)
    if row is None or not (
        row["status"] in ("sending", "unknown", "failed") or (row["status"] == "pending" and row["doubts"])
    ):
        return
    db.execute(
        "update outbox set status = 'sent', head = 0, settled = ?, error = '', message = case when message ="
        " '' then ? else message end where id = ?",
        (ms(now), message, row["id"]),
    )
    if row["status"] in OPEN:
        _reorder(db, row)


def press(db: Database, token: str, peer: Peer, message: str = "") -> tuple[Press, int | None] | None:
    """What a button meant, and the ticket of the delivery that carried it; None where it was not offered to
    this peer.
    """
    row, place = _pressed(db, token, peer), read_token(token)
    if row is None or place is None:
        return None
    buttons = decode(Outbound, row["payload"]).buttons
    _, line, column = place
    if line < 0 or column < 0 or line >= len(buttons) or column >= len(buttons[line]):
        return None
    button = buttons[line][column]
    return (
        Press(button.action, button.value, row["id"], row["message"] or message, button.label),
        row["ticket"],
    )


def quoted(db: Database, peer: Peer, message: str) -> RepliedTo | None:
    """What one of our messages in this chat was, or one of an operator's own that a customer has."""
    row = db.execute(
        "select name, ticket, mirrors from outbox where channel = ? and chat = ? and message = ? and message"
        " <> '' and verb = 'say' order by id desc limit 1",
        (peer.channel, peer.chat, message),
    ).fetchone()
    return (
        _carried(db, peer, message) if row is None else RepliedTo(row["name"], row["ticket"], row["mirrors"])
    )


def _carried(db: Database, peer: Peer, message: str) -> RepliedTo | None:
    """An operator's own message that went to a customer: its mark in the desk tells the ticket, its name what
    the customer has.
    """
    name = peer.message_name(message)
    mark = db.execute(
        "select ticket from outbox where channel = ? and chat = ? and name = ? and name <> '' and verb ="
        " 'react' limit 1",
        (peer.channel, peer.chat, name),
    ).fetchone()
    if mark is None or mark["ticket"] is None:
        return None
    has = db.execute(
        "select o.message from tickets t join outbox o on o.channel = t.channel and o.chat = t.chat"
        " where t.number = ? and o.name = ? and o.name <> '' and o.verb = 'say' order by o.id desc limit 1",
        (mark["ticket"], name),
    ).fetchone()
    return RepliedTo(shown_name(mark["ticket"]), mark["ticket"], "" if has is None else has["message"])


def listed(
    db: Database,
    status: Collection[DeliveryStatus],
    after: int,
    peer: Peer | None,
    limit: int,
    name: str = "",
) -> tuple[Delivery, ...]:
    where, values = ["id > ?"], [after]  # type: tuple[list[str], list[Any]]
    if status:
        where.append(f"status in ({', '.join('?' * len(status))})")
        values += status
    few = next((kind for kind in (OPEN, ENDED) if status and set(status) <= set(kind)), None)
    if few is not None:  # said in words, so that the partial index is used
        where.append(f"status in {few}")
    if peer is not None:
        where.append("channel = ? and chat = ? and thread = ?")
        values += (peer.channel, peer.chat, peer.thread)
    if name:
        where.append("name = ?")
        values.append(name)
    index = ""
    if name and peer is not None:
        index = "indexed by outbox_name"
        where.append("name <> ''")  # said in words, so that the partial index can be used
    elif few == OPEN:  # few of years of rows: not to be looked for in the order of ids
        index = "indexed by outbox_open"
    rows = db.execute(
        f"select * from outbox {index} where {' and '.join(where)} order by id limit ?", (*values, limit)
    )
    return tuple(delivery(row) for row in rows)


def delivery(row: Any) -> Delivery:
    return Delivery(
        row["id"],
        decode(Outbound, row["payload"]),
        row["conversation"],
        row["turn"],
        row["tries"],
        row["doubts"],
        "",
        moment(row["created"]),
        row["status"],
        row["error"],
        row["message"],
        row["epoch"],
    )


def _channels(db: Database) -> list[str]:
    """The channels that have something waiting: a walk along the index, one step for each."""
    found: list[str] = []
    step = f"select min(channel) {_HEADS} and channel > ?"
    while (name := db.execute(step, (found[-1] if found else "",)).fetchone()[0]) is not None:
        found.append(name)
    return found


def _heads(
    db: Database,
    channel: str,
    priority: int,
    now: datetime,
    limit: int,
    resting: Collection[tuple[str, str]],
) -> list[tuple[Any, str]]:
    """At most *limit* heads of a channel's queue that may go, each with the message it edits."""
    found: list[tuple[Any, str]] = []
    hopeless = []
    for row in _due(db, channel, priority, ms(now)):
        if (channel, row["chat"]) in resting and priority != TAPS:
            continue
        target = ""
        if row["edits"]:
            if _still_open(db, row):
                continue
            target = _target(db, row)
            if not target:
                hopeless.append(row)
                continue
        found.append((row, target))
        if len(found) >= limit:
            break
    for row in hopeless:
        db.lock_names([_line(row)])
        db.execute(
            "update outbox set status = 'cancelled', head = 0, settled = ?, error = 'the message it changes"
            " was not sent' where id = ? and status = 'pending'",
            (ms(now), row["id"]),
        )
        _reorder(db, row)
    return _heads(db, channel, priority, now, limit, resting) if hopeless else found


def _due(db: Database, channel: str, priority: int, before: int) -> Iterator[Any]:
    """The heads that are due until then, in order, read page by page: thousands may wait while few may go."""
    due, id, size = -1, 0, FIRST_PAGE
    while True:
        page = db.execute(
            f"select * {_HEADS} and channel = ? and lane = ? and due <= ? and (due, id) > (?, ?) order by"
            " due, id limit ?",
            (channel, priority, before, due, id, size),
        ).fetchall()
        yield from page
        if len(page) < size:
            return
        due, id, size = page[-1]["due"], page[-1]["id"], PAGE


def _still_open(db: Database, row: Any) -> bool:
    """Whether the message that *row* changes is still on its way.

    Only rows before it count: so rows never wait in a circle.
    """
    return (
        db.execute(
            "select 1 from outbox where channel = ? and chat = ? and name = ? and name <> '' and (place, id)"
            " < (?, ?) and verb = 'say' and status in ('pending', 'sending') limit 1",
            (row["channel"], row["chat"], row["edits"], row["place"], row["id"]),
        ).fetchone()
        is not None
    )


def _target(db: Database, row: Any) -> str:
    """The newest message of that name which was sent in that chat; to be deleted with all its parts, between
    spaces.
    """
    found = db.execute(
        "select id, turn, mirrors, message, payload from outbox where channel = ? and chat = ? and name = ?"
        " and name <> '' and verb = 'say' and status = 'sent' and message <> '' order by id desc limit 1",
        (row["channel"], row["chat"], row["edits"]),
    ).fetchone()
    if found is None or row["verb"] != OutboundKind.DELETE.value:
        return "" if found is None else str(found["message"])
    pieces = db.execute(
        "select message, payload from outbox where id > ? and id <= ? and turn = ? and channel = ? and chat ="
        " ? and mirrors = ? and name = '' and verb = 'say' and status = 'sent' and message <> '' order by id",
        (found["id"], found["id"] + PIECES, found["turn"], row["channel"], row["chat"], found["mirrors"]),
    )
    return " ".join(
        m for piece in (found, *pieces) for m in (piece["message"], *decode(Outbound, piece["payload"]).also)
    )


def _pressed(db: Database, token: str, peer: Peer) -> Any:
    place = read_token(token)
    if place is None or not 0 < place[0] < 1 << 62:
        return None
    return db.execute(
        "select * from outbox where id = ? and channel = ? and chat = ?", (place[0], peer.channel, peer.chat)
    ).fetchone()


def reorder(db: Database, channel: str, chat: str, thread: str, priority: int) -> None:
    """After a row opened or closed: exactly its order's oldest open row is the head."""
    db.execute(
        "update outbox set head = 0 where channel = ? and chat = ? and thread = ? and lane = ? and status in"
        " ('pending', 'sending') and head = 1",
        (channel, chat, thread, priority),
    )
    next_head(db, channel, chat, thread, priority)


def _reorder(db: Database, row: Any) -> None:
    reorder(db, row["channel"], row["chat"], row["thread"], row["lane"])


def _reopen(db: Database, row: Any) -> None:
    """An old row is open again and goes first, but not beside a younger one that is just being sent (its end
    will reorder).
    """
    key = (row["channel"], row["chat"], row["thread"], row["lane"])
    busy = (
        "select 1 from outbox where channel = ? and chat = ? and thread = ? and lane = ? and status ="
        " 'sending' limit 1"
    )
    if db.execute(busy, key).fetchone() is None:
        _reorder(db, row)


def _move(db: Database, id: int, row: Any, outbound: Outbound) -> None:
    """The delivery is to be tried elsewhere or otherwise: its address and names follow."""
    db.execute(
        "update outbox set channel = ?, chat = ?, thread = ?, lane = ?, head = 0 where id = ?",
        (outbound.to.channel, outbound.to.chat, outbound.to.thread, priority_of(outbound), id),
    )
    _reorder(db, row)
    _reorder(db, db.execute("select * from outbox where id = ?", (id,)).fetchone())
