"""Taking a turn: the conversation that has been ready longest, with everything a decision needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import (
    Attachment,
    Conversation,
    Customer,
    HistoryEntry,
    Inbound,
    InboundKind,
    Pace,
    Peer,
    Press,
    RepliedTo,
    Status,
    Ticket,
    TicketState,
    Turn,
    WaitingTickets,
)
from bot.model.conversations import FLOOD, PACE
from bot.storage.codec import clean, decode, decode_all, encode, maybe_moment, moment, ms
from bot.storage.database import Database
from bot.storage.queries import outbox, shared_ticket
from bot.storage.ticket_codec import read_state
from bot.storage.turn_locks import TurnLocks

PAST = 5  # closed tickets of the customer that come with a turn
WAITS = 20  # how many of the newest human answers tell how long people wait

_PAST = """select * from tickets indexed by tickets_conversation where conversation in
  (select id from conversations indexed by conversations_customer where customer = ?) and status = 'closed'
  order by closed desc, number desc limit ?"""
_WAITING = (
    "select team, priority, count(*) from tickets indexed by tickets_team where status = 'waiting' group by"
    " team, priority"
)
_LAST = """select (select coalesce(max(number), 0) from tickets), (select value from versions where name =
  'desk')"""
LINES = 30  # of the history that come with a turn
BUSY = 10  # messages in a minute from which on it is looked at closely
LATELY = 100  # lines and turns of a conversation among which those of a minute are
_WROTE = """select count(*) from (select author, at from history indexed by history_conversation where
  conversation = :own order by id desc limit :rows) as newest where author = 'customer' and at > :since"""
_FLOODED = """select 1 from (select reason, at from turns indexed by turns_conversation where conversation =
  :own order by id desc limit :rows) as newest where reason = :flood and at > :since limit 1"""
_CUSTOMERS = frozenset({InboundKind.MESSAGE, InboundKind.PRESS, InboundKind.START})
_SAID = (
    "select id, payload from inbox indexed by inbox_waiting where conversation = ? and done_at is null order"
    " by id limit ?"
)


def take(
    db: Database, locks: TurnLocks, number: Callable[[Database], int], now: datetime, batch: int
) -> Turn | None:
    """The turn, locked; *number* gives it its own. None when nothing is ready."""
    while (free := locks.ready(db, now)) is not None:
        if said := oldest_waiting(db, free, batch):
            break
        db.execute(
            "update conversations set ready_at = null where id = ?", (free["id"],)
        )  # ready with nothing to say: mended
    else:
        return None
    id = number(db)
    locks.hold(db, free["id"], id, tuple(number for number, _ in said), now)
    if (
        free["private"]
        and said[0][1].kind in _CUSTOMERS
        and shared_ticket.follow(db, conversation(free), now)
    ):
        free = db.execute("select * from conversations where id = ?", (free["id"],)).fetchone()
    turn = Turn(id, conversation(free), tuple(i for _, i in said), now, attempts=free["attempts"])
    found = [
        outbox.press(db, i.press, i.peer, i.message) for i in turn.inbounds if i.kind is InboundKind.PRESS
    ]
    presses = [f for f in found if f is not None]
    quotes = tuple(outbox.quoted(db, i.peer, named) if (named := _names(i)) else None for i in turn.inbounds)
    about = _number(db, turn.conversation, bool(free["private"]), presses, quotes)
    turn = replace(
        turn, presses=tuple(p for p, _ in presses), quoted=quotes, ticket=ticket(db, about) if about else None
    )
    turn = _with_figures(db, _with_people(db, turn, bool(free["private"])))
    words = free["private"] and said[0][1].kind is InboundKind.MESSAGE
    return replace(turn, pace=_pace(db, turn)) if words else turn


def _pace(db: Database, turn: Turn) -> Pace:
    """From the lines that were read anyway, where they hold the whole minute."""
    since, lines = turn.now - PACE, turn.history
    wrote = sum(line.author == "customer" and line.at > since for line in lines)
    if wrote < BUSY and (len(lines) < LINES or lines[0].at <= since):
        return Pace(wrote)
    values = {"own": turn.conversation.id, "since": ms(since), "rows": LATELY, "flood": FLOOD}
    wrote = db.execute(_WROTE, values).fetchone()[0]
    return Pace(wrote, db.execute(_FLOODED, values).fetchone() is not None)


def _names(inbound: Inbound) -> str:
    """The message that tells what an inbound is about: the one it replies to; a changed one may tell it
    itself.
    """
    return inbound.quotes or (inbound.message if inbound.kind is InboundKind.EDIT else "")


def highest(db: Database) -> int:
    """The last turn's number ever used."""
    row = db.execute("select seq from sqlite_sequence where name = 'turns'").fetchone()
    return 0 if row is None else int(row["seq"])


def next_timer(db: Database) -> datetime | None:
    row = db.execute(
        "select min(due) as due from timers where fired is null and cancelled is null"
    ).fetchone()
    return maybe_moment(row["due"])


def release(db: Database, locks: TurnLocks, turn: Turn, error: str, ready: datetime | None) -> None:
    """Undecided, and free: ready again at once, or at *ready* (new words do not shorten the rest).

    Not for a turn that is over already.
    """
    db.lock_conversations([turn.conversation.id])
    if locks.inbounds(db, turn.conversation.id, turn.id) is None:
        return
    db.execute(
        "update conversations set attempts = attempts + ?, error = case when ? <> '' then ? else error end,"
        " rest_until = ?, ready_at = coalesce(?, ready_at) where id = ? and ready_at is not null",
        (
            int(error != ""),
            error,
            clean(error),
            None if ready is None else ms(ready),
            None if ready is None else ms(ready),
            turn.conversation.id,
        ),
    )
    locks.free(db, turn.conversation.id)


def rest(db: Database, locks: TurnLocks, turn: Turn, inbounds: Sequence[Inbound], until: datetime) -> None:
    """As `release`, with what is known of the turn's inbounds by now."""
    db.lock_conversations([turn.conversation.id])
    if locks.inbounds(db, turn.conversation.id, turn.id) is None:
        return
    _rewrite(db, turn.conversation.id, inbounds)
    release(db, locks, turn, "", until)


def keep_heard(db: Database, conversation: int, inbounds: Sequence[Inbound], now: datetime) -> None:
    """What was found out about inbounds that still wait; their conversation rests no longer."""
    db.lock_conversations([conversation])
    if _rewrite(db, conversation, inbounds):
        db.execute(
            "update conversations set rest_until = null, ready_at = ? where id = ? and ready_at is not null",
            (ms(now), conversation),
        )
        db.hint("turns")


def _rewrite(db: Database, conversation: int, inbounds: Sequence[Inbound]) -> int:
    """How many still wait."""
    return sum(
        db.execute(
            "update inbox set payload = ? where channel = ? and key = ? and conversation = ? and done_at is"
            " null",
            (encode(inbound), inbound.peer.channel, inbound.key, conversation),
        ).rowcount
        for inbound in inbounds
    )


def unlock(db: Database, locks: TurnLocks, turn: Turn) -> None:
    """Free the conversation, unless another turn holds it by now."""
    db.lock_conversations([turn.conversation.id])
    if locks.inbounds(db, turn.conversation.id, turn.id) is not None:
        locks.free(db, turn.conversation.id)


def conversation(row: Any) -> Conversation:
    return Conversation(
        row["id"],
        Peer(row["channel"], row["chat"], row["thread"]),
        row["customer"],
        Status(row["status"]),
        json.loads(row["state"]),
        row["version"],
        row["ticket"],
        bool(row["reachable"]),
    )


def customer(db: Database, id: int) -> Customer | None:
    row = db.execute("select * from customers where id = ? and erased is null", (id,)).fetchone()
    if row is None:
        return None
    peers = db.execute(
        "select channel, chat, thread from conversations where customer = ? order by id", (id,)
    )
    return Customer(
        row["id"],
        row["name"],
        row["last_name"],
        row["username"],
        row["language"],
        row["gender"],
        json.loads(row["fields"]),
        tuple(Peer(*p) for p in peers),
    )


def ticket(db: Database, number: int) -> Ticket | None:
    row = db.execute("select * from tickets where number = ?", (number,)).fetchone()
    return None if row is None else ticket_of(row)


def ticket_of(row: Any, bare: bool = False) -> Ticket:
    """*bare*: without its state, which costs more to read than everything else."""
    return Ticket(
        row["number"],
        row["conversation"],
        Peer(row["channel"], row["chat"], row["thread"]),
        row["status"],
        row["reason"],
        row["topic"],
        row["category"],
        row["priority"],
        row["operator"],
        row["operator_name"],
        maybe_moment(row["opened"]),
        maybe_moment(row["taken"]),
        maybe_moment(row["first_reply"]),
        maybe_moment(row["closed"]),
        maybe_moment(row["due"]),
        row["rating"],
        row["version"],
        TicketState() if bare else read_state(row["data"]),
    )


def history(
    db: Database, conversation: int, limit: int, since: datetime | None = None
) -> tuple[HistoryEntry, ...]:
    """The last lines, oldest first."""
    rows = db.execute(
        "select at, author, text, name, attachments from history where conversation = ? and at >= ? order by"
        " id desc limit ?",
        (conversation, 0 if since is None else ms(since), limit),
    ).fetchall()
    return tuple(
        HistoryEntry(moment(at), author, text, name, decode_all(Attachment, files))
        for at, author, text, name, files in reversed(rows)
    )


def oldest_waiting(db: Database, place: Any, batch: int) -> list[tuple[int, Inbound]]:
    """The oldest that wait: a run of messages (in groups one, or the parts of one album), or one of any other
    kind.
    """
    said: list[tuple[int, Inbound]] = []
    rows = db.execute(_SAID, (place["id"], batch))
    for row in rows:
        inbound = decode(Inbound, row["payload"])
        if said and not _joins(said[0][1], inbound, bool(place["private"])):
            break
        said.append((row["id"], inbound))
        if inbound.kind is not InboundKind.MESSAGE or not (place["private"] or inbound.album):
            break
    rows.close()
    return _as_written(said)


def _as_written(said: list[tuple[int, Inbound]]) -> list[tuple[int, Inbound]]:
    """A run of messages in the order of the platform's own numbers: two of one chat may come in through two
    processes at once.
    """
    if len(said) > 1 and all(i.kind is InboundKind.MESSAGE and i.message.isdecimal() for _, i in said):
        return sorted(said, key=lambda found: int(found[1].message))
    return said


def _joins(first: Inbound, inbound: Inbound, private: bool) -> bool:
    if inbound.kind is not InboundKind.MESSAGE:
        return False
    return private or (inbound.album == first.album and inbound.sender.id == first.sender.id)


def _number(
    db: Database,
    place: Conversation,
    private: bool,
    presses: list[tuple[Press, int | None]],
    quotes: tuple[RepliedTo | None, ...],
) -> int | None:
    """The ticket the turn is about: the customer's open one; in the desk the topic's, the pressed button's,
    the quoted message's.
    """
    if private and place.ticket is not None:
        return place.ticket
    if not private and (topic := _topic(db, place.peer)) is not None:
        return topic
    pressed = [number for _, number in presses if number is not None]
    if pressed:
        return pressed[-1]
    named = [q.ticket for q in quotes if q is not None and q.ticket is not None]
    return named[-1] if named and not private else None


def _topic(db: Database, peer: Peer) -> int | None:
    if not peer.thread:
        return None
    row = db.execute(
        "select ticket from topics where channel = ? and chat = ? and thread = ?",
        (peer.channel, peer.chat, peer.thread),
    ).fetchone()
    return None if row is None else int(row["ticket"])


def _with_people(db: Database, turn: Turn, private: bool) -> Turn:
    subject = None
    if not private and turn.ticket is not None:
        subject = conversation(
            db.execute("select * from conversations where id = ?", (turn.ticket.conversation,)).fetchone()
        )
    about = subject or turn.conversation
    person = None if about.customer is None else customer(db, about.customer)
    past = tuple(ticket_of(row) for row in db.execute(_PAST, (about.customer, PAST)))
    if person is not None and len(person.peers) > 1:
        lines = shared_ticket.history(db, person.id, LINES)
    else:
        lines = history(db, about.id, LINES)
    return replace(turn, subject=subject, customer=person, history=lines, past=past)


def _with_figures(db: Database, turn: Turn) -> Turn:
    last, version = db.execute(_LAST).fetchone()
    waiting = db.execute(_WAITING)
    return replace(
        turn,
        next_number=last + 1,
        waiting=tuple(WaitingTickets(*row) for row in waiting),
        recent_answers=recent_answers(db),
        desk_version=version,
    )


def recent_answers(db: Database) -> tuple[tuple[datetime, datetime], ...]:
    """When the newest tickets were opened and first answered by a person."""
    rows = db.execute(
        "select opened, first_reply from tickets where first_reply is not null and opened is not null order"
        " by number desc limit ?",
        (WAITS,),
    )
    return tuple((moment(opened), moment(replied)) for opened, replied in rows)
