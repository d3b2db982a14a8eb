"""A customer's data: all of it on request, and none of it afterwards.

What stays of a forgotten customer are rows without words: counts, times, results, ticket numbers and ratings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import Event, Outbound, OutboundKind, Peer, Priority
from bot.storage.codec import decode, encode, moment, ms, to_json
from bot.storage.database import Database
from bot.storage.migrations.fourth import UNNAMED
from bot.storage.queries import row_cursors
from bot.storage.queries.customer_merge import all_joined, blank_joined
from bot.storage.queries.enqueue import enqueue, line_name, line_of, write_events
from bot.storage.queries.outbox import reorder
from bot.storage.queries.visitors import LETTER

# Of an event's data only these stay, and only where they are figures, yes/no or the names of our own things.
KEPT = frozenset(
    {
        "article",
        "helped",
        "channel",
        "decision",
        "dialog",
        "result",
        "category",
        "seconds",
        "wait",
        "rating",
        "priority",
        "confidence",
        "score",
        "flow",
        "step",
        "option",
        "ending",
        "number",
        "questionnaire",
        "turn",
        "amount",
        "of",
        "playbook",
        "steps",
        "done",
        "required_open",
    }
)

_SCRUB = "scrub"
FORGOTTEN = "forgotten-"  # begins the names of what has none any more

_HIS = "(select id from conversations where customer = :customer)"
_TICKETS = f"(select number from tickets where conversation in {_HIS})"
_TURNS = (
    f"(select id from turns where conversation in {_HIS} union select id from turns where subject in {_HIS}"
    f" union select id from turns where ticket in {_TICKETS})"
)
# Whatever was decided on has its turn; each part is looked up by its own index.
_INBOX = (
    f"(select id from inbox where turn in {_TURNS} union select id from inbox where done_at is null and"
    f" conversation in {_HIS})"
)
_OUTBOX = (
    f"(select id from outbox where conversation in {_HIS} union select id from outbox where ticket in"
    f" {_TICKETS} union select id from outbox where turn in {_TURNS})"
)
_EVENTS = (
    f"(select id from events where conversation in {_HIS} union select id from events where ticket in"
    f" {_TICKETS})"
)
_ROWS = {
    "conversations": f"id in {_HIS}",
    "inbox": f"id in {_INBOX}",
    "turns": f"id in {_TURNS}",
    "history": f"conversation in {_HIS}",
    "tickets": f"conversation in {_HIS}",
    "topics": f"ticket in {_TICKETS}",
    "outbox": f"id in {_OUTBOX}",
    "timers": f"conversation in {_HIS}",
    "events": f"id in {_EVENTS}",
    "incident_met": f"conversation in {_HIS}",
    "file_parts": f"conversation in {_HIS}",
    "ideas": f"conversation in {_HIS}",
    "visitors": f"conversation in {_HIS}",
    "chat_lines": f"conversation in {_HIS}",
}
# Deliveries to the chats themselves, whomever they were about.
_CHATS = "(select channel, chat from conversations where customer = :customer)"
_TO_THEM = (
    f"(select id from outbox where id in {_OUTBOX} and (channel, chat) in {_CHATS} union select id from"
    f" outbox where (channel, chat) in {_CHATS} and message <> '' union select id from outbox where (channel,"
    f" chat) in {_CHATS} and status in ('pending', 'sending'))"
)
# Bookkeeping that tells nobody anything.
_OURS = frozenset(
    {"head", "told", "dedupe", "epoch", "desk", "xid", "held_by", "held_turn", "held_since", "held_inbounds"}
)
# By what the rows of a table are told apart and ordered, where it is not `id`.
_KEYS = {
    "tickets": "number",
    "topics": "ticket",
    "incident_met": "number",
    "file_parts": "at, file, part",
    "visitors": "chat",
    "chat_lines": "chat, number",
}
_JSON = frozenset({"state", "payload", "why", "data", "fields", "attachments"})
_TIMES = frozenset(
    {
        "at",
        "received",
        "ready",
        "limit_at",
        "done_at",
        "opened",
        "taken",
        "first_reply",
        "closed",
        "due",
        "created",
        "started",
        "settled",
        "fired",
        "cancelled",
        "erased",
        "changed",
        "seen",
        "mailed",
        "ready_at",
        "ready_max",
        "rest_until",
    }
)


def export(db: Database, id: int) -> Mapping[str, object]:
    """Every row about the customer, by table, times in ISO 8601; empty where they are not known."""
    customer = db.execute("select * from customers where id = ?", (id,)).fetchone()
    if customer is None:
        return {}
    found: dict[str, object] = {"customer": _readable(customer)}
    for table, where in _ROWS.items():
        key = _KEYS.get(table, "id")
        rows = db.execute(f"select * from {table} where {where} order by {key}", {"customer": id})
        found[table] = [_readable(row) for row in rows]
    if others := all_joined(db, id):
        found["joined"] = [
            _readable(db.execute("select * from customers where id = ?", (other,)).fetchone())
            for other in others
        ]
    return found


def erase(db: Database, id: int, now: datetime, turn: Callable[[Database], int]) -> bool:
    """Blank every word, name and address of the customer; False where they are not known or forgotten
    already.

    Open deliveries and timers are cancelled (also those under way: their news is dropped), waiting inbounds
    end as ignored (in turns numbered by *turn*), and a turn under way will meet a `VersionConflict`. What the
    desk shows of them is enqueued to be deleted: their tickets' topics, or where the group has none each
    message.
    """
    if db.execute("select 1 from customers where id = ? and erased is null", (id,)).fetchone() is None:
        return False
    values = {"customer": id, "now": ms(now)}
    db.lock_conversations([row["id"] for row in db.execute(_HIS[1:-1], values)])
    names = [word for known_as in (id, *all_joined(db, id)) for word in _names(db, known_as)]
    orders = db.execute(
        "select distinct channel, chat, thread, lane from outbox where status in ('pending', 'sending') and"
        f" ({_ROWS['outbox']})",
        values,
    ).fetchall()
    shown = _shown_in_desks(db, values)
    db.lock_names({line_name(*order) for order in orders} | {line_of(o) for o in shown})
    _end_waiting(db, id, now, turn)
    for statement in (
        # a letter goes to an address of theirs, in another channel
        f"""update outbox set chat = '{FORGOTTEN}' || id, message = '' where id in {_OUTBOX} and name like
          '{LETTER}%'""",
        f"""update outbox set payload = '{{"to":{{"channel":"","chat":""}}}}', name = '{FORGOTTEN}' || id,
        edits = '', quotes = '', mirrors = '', error = '',
          dedupe = null, head = 0, settled = coalesce(settled, :now),
          status = case when status in ('pending', 'sending', 'unknown') then 'cancelled' else status end
          where {_ROWS["outbox"]}""",
        f"""update outbox set chat = '{FORGOTTEN}' || coalesce(conversation, 0), thread = '', message = ''
        where id in {_TO_THEM}""",
        f"""update inbox set key = '{FORGOTTEN}' || id, message = '', payload =
          '{{"key":"","peer":{{"channel":"","chat":""}},"sender":{{"id":""}},' ||
          '"at":"1970-01-01T00:00:00+00:00"}}' where {_ROWS["inbox"]}""",
        f"update turns set text = '', why = '{{}}', reason = '', error = '' where {_ROWS['turns']}",
        f"update history set text = '', name = '', attachments = '[]', message = '' where {_ROWS['history']}",
        f"update ideas set text = '' where {_ROWS['ideas']}",
        f"""update timers set data = '{{}}', key = '{FORGOTTEN}' || id, cancelled = case when fired is null
        then coalesce(cancelled, :now) else cancelled end where {_ROWS["timers"]}""",
    ):
        db.execute(statement, values)
    _erase_events(db, values)
    for table in ("incident_met", "file_parts", "chat_lines", "visitors"):
        db.execute(f"delete from {table} where {_ROWS[table]}", values)
    for statement in (
        f"""update tickets set chat = '', thread = '', reason = '', topic = '', data = '{{}}', version =
        version + 1, closed = coalesce(closed, :now), status = 'closed' where {_ROWS["tickets"]}""",
        f"""update conversations set chat = '{FORGOTTEN}' || id, thread = '', state = '{{}}', status = 'bot',
        version = version + 1, ticket = null, reachable = 0, ready_at = null, ready_max = null, limit_at =
        null, rest_until = null, attempts = 0, error = '' where customer = :customer""",
        """update customers set name = '', last_name = '', username = '', gender = '', language = '', fields =
        '{}', told = '', erased = :now where id = :customer""",
    ):
        db.execute(statement, values)
    blank_joined(db, id, now)
    row_cursors.keep(db, _SCRUB, row_cursors.upto(db, _SCRUB) + 1)
    home = db.execute("select min(id) from conversations where customer = ?", (id,)).fetchone()[0]
    write_events(db, [Event("customer_forgotten", now, home)])  # other systems have to forget them, too
    _erase_names(db, names)
    for key in orders:
        reorder(db, *key)
    enqueue(db, shown, now)
    return True


def _shown_in_desks(db: Database, values: Mapping[str, Any]) -> list[Outbound]:
    """Deletions of what operators see of them. The messages to delete keep a name that says nothing."""
    topics = db.execute(
        f"select channel, chat, thread from topics where ticket in {_TICKETS}", values
    ).fetchall()
    forums = {(t["channel"], t["chat"]) for t in topics}
    posts = db.execute(
        f"""select id, channel, chat from outbox where ticket in {_TICKETS} and verb = 'say' and status =
        'sent' and message <> '' and (channel, chat) not in (select channel, chat from conversations where
        customer = :customer) order by id""",
        values,
    ).fetchall()
    gone = [
        Outbound(
            Peer(t["channel"], t["chat"], t["thread"]),
            kind=OutboundKind.DELETE_TOPIC,
            priority=Priority.COSMETIC,
            author="",
        )
        for t in topics
    ]
    for post in posts:
        if (post["channel"], post["chat"]) not in forums:
            gone.append(
                Outbound(
                    Peer(post["channel"], post["chat"]),
                    kind=OutboundKind.DELETE,
                    edits=f"{FORGOTTEN}{post['id']}",
                    priority=Priority.COSMETIC,
                    author="",
                )
            )
    return gone


def to_scrub(db: Database) -> int:
    """How many were forgotten of whom copies may still be in free space."""
    return row_cursors.upto(db, _SCRUB)


def scrubbed(db: Database, people: int) -> None:
    """Nothing is left there of so many; others may have been forgotten meanwhile."""
    row_cursors.keep(db, _SCRUB, row_cursors.upto(db, _SCRUB) - people)


def _end_waiting(db: Database, id: int, now: datetime, turn: Callable[[Database], int]) -> None:
    """Also what nobody will decide on any more has exactly one result."""
    waiting = f"select distinct conversation from inbox where done_at is null and conversation in {_HIS}"
    for row in db.execute(waiting, {"customer": id}).fetchall():
        values = {"id": turn(db), "conversation": row["conversation"], "now": ms(now)}
        db.execute(
            "insert into turns(id, conversation, at, dialog, result, reason, text, why) values(:id,"
            " :conversation, :now, 'forget', 'ignored', 'forgotten', '', '{}')",
            values,
        )
        db.execute(
            "update inbox set done_at = :now, result = 'ignored', turn = :id where done_at is null and"
            " conversation = :conversation",
            values,
        )


def _names(db: Database, id: int) -> list[str]:
    """Words by which they may be named in messages that belong to nobody (a board of the desk)."""
    row = db.execute("select name, last_name, username, fields from customers where id = ?", (id,)).fetchone()
    full = f"{row['name']} {row['last_name']}".strip() if row["last_name"] else row["name"]
    words = {full, row["username"]} | {
        str(v) for v in json.loads(row["fields"]).values() if isinstance(v, (str, int))
    }
    words |= {r["chat"] for r in db.execute("select chat from conversations where customer = ?", (id,))}
    return sorted(w for w in words if len(w) >= 4)


def _erase_names(db: Database, names: list[str]) -> None:
    """Desk messages without a ticket that name them (boards, notices) lose their words and keep their
    buttons. Those are few, and the old ones have been blanked.
    """
    for name in names:
        rows = db.execute(
            f"select id, payload from outbox indexed by outbox_desk where {UNNAMED} and status not in"
            " ('pending', 'sending') and instr(payload, ?) > 0",
            (to_json(name)[1:-1],),
        ).fetchall()
        for row in rows:
            outbound = decode(Outbound, row["payload"])
            if name in (outbound.to.channel, outbound.to.chat, outbound.to.thread):
                continue
            kept = Outbound(
                outbound.to,
                buttons=outbound.buttons,
                kind=outbound.kind,
                priority=outbound.priority,
                on_uncertain=outbound.on_uncertain,
                author=outbound.author,
            )
            if name in encode(kept):
                kept = replace(kept, buttons=())
            db.execute("update outbox set payload = ? where id = ?", (encode(kept), row["id"]))


def _erase_events(db: Database, values: Mapping[str, Any]) -> None:
    """Events stay for the metrics, without words and without the customer as their actor."""
    senders = {
        f"{r['channel']}:{r['chat']}"
        for r in db.execute(f"select channel, chat from conversations where id in {_HIS}", values)
    }
    senders |= {s.partition(":")[2] for s in senders}
    for row in db.execute(f"select id, actor, data from events where {_ROWS['events']}", values).fetchall():
        data = {
            k: v
            for k, v in json.loads(row["data"]).items()
            if k in KEPT and isinstance(v, (int, float, str)) and len(str(v)) <= 64
        }
        actor = "customer" if row["actor"] in senders else row["actor"]
        db.execute("update events set actor = ?, data = ? where id = ?", (actor, to_json(data), row["id"]))


def _readable(row: Any) -> dict[str, object]:
    """A row as people read it: JSON as JSON, times as text, our bookkeeping left out."""
    found: dict[str, object] = {}
    for name in row.keys():  # noqa: SIM118 (a Row iterates its values)
        value = row[name]
        if name in _JSON and isinstance(value, str) and value:  # a change of a chat's line holds none
            value = json.loads(value)
        elif name in _TIMES and isinstance(value, int):
            value = moment(value).isoformat()
        if name not in _OURS:
            found[name] = value
    return found
