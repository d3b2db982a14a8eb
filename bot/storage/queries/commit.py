"""Finishing a turn: everything its outcome holds, in one transaction or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.errors import VersionConflict
from bot.model import (
    Conversation,
    Customer,
    Event,
    HistoryEntry,
    Inbound,
    InboundKind,
    Outcome,
    Ticket,
    Timer,
    Turn,
)
from bot.storage.base import FinishedTurn
from bot.storage.codec import ALMOST, clean, maybe_ms, ms, payload_parts, to_json
from bot.storage.database import Database
from bot.storage.queries import customer_merge, ideas, outbox, row_cursors
from bot.storage.queries.enqueue import enqueue, write_events, write_line
from bot.storage.queries.tickets import keep_setting
from bot.storage.ticket_codec import write_state
from bot.storage.turn_locks import TurnLocks

_TICKET = (
    "conversation",
    "channel",
    "chat",
    "thread",
    "status",
    "reason",
    "topic",
    "category",
    "priority",
    "operator",
    "operator_name",
    "opened",
    "taken",
    "first_reply",
    "closed",
    "due",
    "rating",
    "version",
    "data",
    "team",
)
_NAMES = ("name", "last_name", "username", "language", "gender")
_OPEN = (
    f"insert into tickets(number, {', '.join(_TICKET)}) values(:number,"
    f" {', '.join(':' + c for c in _TICKET)}) on conflict do nothing"
)
# Not one that is reopened beside another open one.
_CHANGE = (
    f"update tickets set {', '.join(f'{c} = :{c}' for c in _TICKET)} where number = :number and version ="
    " :version - 1 and (:status = 'closed' or not exists(select 1 from tickets o where o.conversation ="
    " :conversation and o.status <> 'closed' and o.number <> :number))"
)


def finish(db: Database, locks: TurnLocks, turn: Turn, outcome: Outcome, now: datetime) -> FinishedTurn:
    """Commit the outcome and unlock. Raises `VersionConflict` where what it was based on has changed."""
    own = turn.conversation.id
    db.lock_conversations(_touched(turn, outcome))
    inbounds = locks.inbounds(db, own, turn.id)
    if inbounds is None:
        raise VersionConflict(f"turn {turn.id} is not held any more")
    target = turn.subject or turn.conversation
    _check_version(db, own, turn.conversation.version)
    if turn.subject is not None:
        decided = outcome.state is not None or outcome.status is not None or outcome.opens is not None
        _check_subject(db, turn.subject, version=decided)
    _record(db, turn, outcome, now)
    close_inbounds(db, turn.id, inbounds, outcome, now)
    if turn.conversation.customer is not None:
        _keep_words(db, turn)
    _change(db, turn, outcome, target.id)
    for line in outcome.notes:
        write_line(db, target.id, line)
    if outcome.customer is not None:
        _keep_customer(db, outcome.customer, turn.customer)
    if outcome.customer_merge is not None and not customer_merge.carry_out(db, outcome.customer_merge):
        raise VersionConflict("the two customers were joined or parted meanwhile")
    for key in outcome.cancel:
        db.execute(
            "update timers set cancelled = ? where key = ? and fired is null and cancelled is null",
            (ms(now), key),
        )
    for later in outcome.timers:
        _keep_timer(db, later, own, now)
    for change in outcome.ideas:
        ideas.change(db, change, target.id, now)
    for name, value in outcome.settings.items():
        keep_setting(db, name, value)
    if outcome.retry_delivery is not None:
        outbox.resolve_unknown(db, outcome.retry_delivery, False, now)
    made = enqueue(db, outcome.messages, now, turn=turn.id, about=target.id)
    if outcome.dialog == "desk":
        for id in made:
            db.execute("update outbox set desk = 1 where id = ? and desk = 0", (id,))
    events = _filled(turn, outcome, target.id, now)
    version = write_events(db, events)
    if outcome.desk_version is not None and version != outcome.desk_version + 1:
        raise VersionConflict("the desk's state has moved on")
    _rest(db, own, now, locks.freeing(own))
    return FinishedTurn(made, events, version)


def _touched(turn: Turn, outcome: Outcome) -> set[int]:
    """The conversations that the outcome may change."""
    tickets = (t.conversation for t in (turn.ticket, outcome.ticket, outcome.opens) if t is not None)
    return {turn.conversation.id, *tickets} | ({turn.subject.id} if turn.subject else set())


def keep_ticket(db: Database, ticket: Ticket, *, new: bool) -> bool:
    """Write a ticket; False where its number or its conversation is taken, or somebody changed it
    meanwhile.
    """
    values: dict[str, Any] = {
        c: getattr(ticket, c) for c in _TICKET if c not in ("channel", "chat", "thread", "data", "team")
    }
    for time in ("opened", "taken", "first_reply", "closed", "due"):
        values[time] = maybe_ms(values[time])
    for words in ("reason", "topic", "category", "operator", "operator_name"):
        values[words] = clean(values[words])
    peer = ticket.customer_peer
    values |= {
        "number": ticket.number,
        "channel": peer.channel,
        "chat": peer.chat,
        "thread": peer.thread,
        "data": write_state(ticket.state),
    }
    values["team"] = clean(ticket.state.team)
    values["version"] = ticket.version if new else ticket.version + 1
    return db.execute(_OPEN if new else _CHANGE, values).rowcount == 1


def _check_version(db: Database, id: int, version: int) -> None:
    row = db.execute("select version from conversations where id = ?", (id,)).fetchone()
    if row is None or row["version"] != version:
        raise VersionConflict(f"conversation {id} has moved on")


def _check_subject(db: Database, subject: Conversation, *, version: bool) -> None:
    """Words alone may go while the customer's conversation moves on, but not to one who was forgotten
    meanwhile.
    """
    row = db.execute("select version, chat from conversations where id = ?", (subject.id,)).fetchone()
    if row is None or row["chat"] != subject.peer.chat or (version and row["version"] != subject.version):
        raise VersionConflict(f"conversation {subject.id} has moved on")


def _record(db: Database, turn: Turn, outcome: Outcome, now: datetime) -> None:
    text = turn.text or " · ".join(p.label for p in turn.presses)
    number = _about(turn, outcome)
    db.execute(
        "insert into turns(id, conversation, subject, ticket, at, dialog, result, reason, text, why,"
        " articles, error) values(:id, :own, :subject, :ticket, :at, :dialog, :result, :reason, :text, :why,"
        " :articles, (select error from conversations where id = :own))",
        {
            "id": turn.id,
            "own": turn.conversation.id,
            "subject": turn.subject.id if turn.subject else None,
            "ticket": number,
            "at": ms(now),
            "dialog": outcome.dialog,
            "result": outcome.result.value,
            "reason": clean(outcome.reason),
            "text": clean(text),
            "why": to_json(outcome.explanation),
            "articles": outcome.articles,
        },
    )


def close_inbounds(
    db: Database, turn: int, inbounds: tuple[int, ...], outcome: Outcome, now: datetime
) -> None:
    done = 0
    for id in inbounds:
        done += db.execute(
            "update inbox set turn = ?, done_at = ?, result = ? where id = ? and done_at is null",
            (turn, ms(now), outcome.result.value, id),
        ).rowcount
    if done != len(inbounds):
        raise VersionConflict(f"turn {turn}: its messages were closed meanwhile")


def _keep_words(db: Database, turn: Turn) -> None:
    """What the customer said, pressed and changed, as their history shows it."""
    conversation = turn.conversation.id
    for inbound in turn.inbounds:
        line = _line(db, inbound)
        if line is None:
            continue
        if inbound.kind is InboundKind.EDIT and inbound.message:
            changed = db.execute(
                "update history set text = ? where id = (select max(id) from history where conversation = ?"
                " and message = ?) returning id",
                (clean(line.text), conversation, inbound.message),
            ).fetchone()
            if changed is not None:
                row_cursors.words_again(db, "history", changed["id"])
                continue
        write_line(
            db, conversation, line, message="" if inbound.kind is InboundKind.PRESS else inbound.message
        )


def _line(db: Database, inbound: Inbound) -> HistoryEntry | None:
    if inbound.kind in (InboundKind.MESSAGE, InboundKind.EDIT):
        return HistoryEntry(
            inbound.at,
            "customer",
            inbound.text,
            inbound.sender.name,
            (*inbound.context, *inbound.attachments),
        )
    if (
        inbound.kind is InboundKind.PRESS
        and (press := outbox.press(db, inbound.press, inbound.peer)) is not None
    ):
        return HistoryEntry(inbound.at, "customer", press[0].label, inbound.sender.name)
    return None


def _change(db: Database, turn: Turn, outcome: Outcome, target: int) -> None:
    """State, status and ticket; the version grows where one of them did change."""
    grown = set()
    if outcome.ticket is not None:
        if not keep_ticket(db, outcome.ticket, new=False):
            raise VersionConflict(f"ticket {outcome.ticket.number} was changed meanwhile")
        grown.add(outcome.ticket.conversation)
    if outcome.opens is not None:
        if not keep_ticket(db, outcome.opens, new=True):
            raise VersionConflict(
                f"ticket {outcome.opens.number}: the number is taken, or the conversation has an open ticket"
            )
        grown.add(outcome.opens.conversation)
    if outcome.state is not None:
        state = to_json(outcome.state)
        if db.execute(
            "update conversations set state = ? where id = ? and state <> ?", (state, target, state)
        ).rowcount:
            grown.add(target)
    if outcome.status is not None:
        status = outcome.status.value
        if db.execute(
            "update conversations set status = ? where id = ? and status <> ?", (status, target, status)
        ).rowcount:
            grown.add(target)
    for id in grown:
        db.execute(
            "update conversations set version = version + 1, ticket = (select number from tickets t where"
            " t.conversation = conversations.id and t.status <> 'closed') where id = ?",
            (id,),
        )


def _keep_customer(db: Database, customer: Customer, read: Customer | None) -> None:
    """Only what the turn changed of what it had read: another channel of the same person may have changed the
    rest meanwhile.
    """
    before = read if read is not None and read.id == customer.id else None
    changed = {
        n: getattr(customer, n)
        for n in _NAMES
        if before is None or getattr(customer, n) != getattr(before, n)
    }
    row = db.execute(
        f"select fields from customers where id = ? and erased is null{db.locking()}", (customer.id,)
    ).fetchone()
    if row is None:
        return
    fields = {} if before is None else json.loads(row["fields"])
    known = {} if before is None else before.fields
    fields |= {
        key: value for key, value in customer.fields.items() if key not in known or known[key] != value
    }
    kept = {key: value for key, value in fields.items() if key in customer.fields or key not in known}
    customer_merge.take_away(db, customer.id, known.keys() - customer.fields.keys())
    values = {**{n: clean(value) for n, value in changed.items()}, "fields": to_json(kept)}
    db.execute(
        f"update customers set {', '.join(f'{n} = :{n}' for n in values)} where id = :id",
        {**values, "id": customer.id},
    )


def _keep_timer(db: Database, later: Timer, own: int, now: datetime) -> None:
    kind, data = payload_parts(later.payload)
    db.execute(
        "insert into timers(key, conversation, kind, due, data, created) values(:key, :conversation, :kind,"
        " :due, :data, :now) on conflict(key) where fired is null and cancelled is null do update set"
        " conversation = excluded.conversation, kind = excluded.kind, due = excluded.due, data ="
        " excluded.data",
        {
            "key": later.key,
            "conversation": own if later.conversation is None else later.conversation,
            "kind": kind,
            "due": ms(later.due + ALMOST),
            "data": to_json(data),
            "now": ms(now),
        },
    )


def _about(turn: Turn, outcome: Outcome) -> int | None:
    """The number of the ticket that the turn opened, changed or was about."""
    return next((t.number for t in (outcome.opens, outcome.ticket, turn.ticket) if t is not None), None)


def _filled(turn: Turn, outcome: Outcome, target: int, now: datetime) -> tuple[Event, ...]:
    number = _about(turn, outcome)
    return tuple(
        replace(
            e,
            at=e.at or now,
            conversation=e.conversation or target,
            ticket=number if e.ticket is None else e.ticket,
        )
        for e in outcome.events
    )


def _rest(db: Database, own: int, now: datetime, freeing: str) -> None:
    """What came meanwhile makes the next turn; it stands behind those that are ready already."""
    left = db.execute(
        "select min(id) as first, max(ready) as ready from inbox indexed by inbox_waiting where conversation"
        " = ? and done_at is null",
        (own,),
    ).fetchone()
    ready_at = ready = limit = None
    if left["first"] is not None:
        ready = left["ready"]
        limit = db.execute("select limit_at from inbox where id = ?", (left["first"],)).fetchone()["limit_at"]
        ready_at = max(ms(now), min(limit, ready))
    db.execute(
        "update conversations set ready_at = ?, ready_max = ?, limit_at = ?, rest_until = null, attempts = 0,"
        f" error = ''{freeing} where id = ?",
        (ready_at, ready, limit, own),
    )
