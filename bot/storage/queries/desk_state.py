"""What the operators' side knows besides tickets: changed by the events that tell of it, in their
transaction; read as one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.model import DeskState, Event, GroupStatus, Incident, Json, Member, Peer
from bot.model.desk_state import DESK_SETTING, moved_setting
from bot.storage.codec import clean, maybe_moment, maybe_ms, to_json
from bot.storage.database import Database

_NAMES = ("name", "last_name", "username")
_OPERATOR = {
    # law: who has come into the group and said nothing yet is silent, until they write
    "operator_met": """insert into operators(id, name, last_name, username) values(:id, :name, :last_name,
      :username) on conflict(id) do update set name = excluded.name, last_name = excluded.last_name,
      username = excluded.username, gone = 0, silent = 0""",
    "operator_joined": """insert into operators(id, name, last_name, username, silent) values(:id, :name,
      :last_name, :username, 1) on conflict(id) do update set name = excluded.name, last_name =
      excluded.last_name, username = excluded.username, gone = 0, silent = case when
      operators.name = '' then 1 else 0 end""",
    "operator_away": """insert into operators(id, away) values(:id, 1) on conflict(id) do update set away = 1,
      gone = 0""",
    "operator_back": """insert into operators(id) values(:id) on conflict(id) do update set away = 0,
      gone = 0""",
    "operator_left": """insert into operators(id, gone) values(:id, 1) on conflict(id) do update set away = 0,
      gone = 1""",
    "ticket_assigned": """insert into operators(id, assigned) values(:id, :at) on conflict(id) do update set
      assigned = excluded.assigned""",
}
_CHAT = "insert into operator_chats(operator, chat) values(:id, :chat) on conflict do nothing"
_GROUP = {
    "desk_lost": """insert into desk_groups(channel, chat, lost) values(:channel, :chat, 1)
      on conflict(channel, chat) do update set lost = 1""",
    "desk_found": """insert into desk_groups(channel, chat) values(:channel, :chat)
      on conflict(channel, chat) do update set lost = 0""",
    "desk_checked": """insert into desk_groups(channel, chat, status) values(:channel, :chat, :status)
      on conflict(channel, chat) do update set status = excluded.status""",
}
_INCIDENT = {
    "incident_on": """insert into incidents(number, text, words, articles, author, since) values(:number,
      :text, :words, :articles, :by, :at) on conflict(number) do update set text = excluded.text, words =
      excluded.words, articles = excluded.articles, author = excluded.author, since = excluded.since""",
    "incident_off": "update incidents set over = 1 where number = :number",
}
_MET = """insert into incident_met(number, conversation) select :number, id from conversations
  where id = :conversation on conflict do nothing"""
_MET_COUNTS = """select number, count(*) from incident_met where number in (select number from incidents
  where over = 0) group by number"""
_PLACED = ("desk_bound", "chat_moved")  # their settings are kept beside them


def follow(db: Database, events: Iterable[Event]) -> int:
    """Bring the tables up to what *events* tell; returns the version that this makes, 0 where nothing is
    changed.
    """
    changed = False
    for event in events:
        if event.kind == "incident_met":
            _meet(db, event)
        elif event.kind in _PLACED or _change(db, event):
            changed = True
    if not changed:
        return 0
    grown = "update versions set value = value + 1 where name = 'desk' returning value"
    return int(db.execute(grown).fetchone()[0])


def version(db: Database) -> int:
    return int(db.execute("select value from versions where name = 'desk'").fetchone()[0])


def read(db: Database) -> DeskState:
    """All of it; the work does not grow with what happened so far."""
    groups = db.execute("select channel, chat, lost, status from desk_groups").fetchall()
    last = db.execute("select coalesce(max(number), 0) from incidents").fetchone()[0]
    bound = db.execute("select value from settings where name = ?", (DESK_SETTING,)).fetchone()
    return DeskState(
        version(db),
        _operators(db),
        None if bound is None else Peer(*json.loads(bound[0])),
        _moved(db),
        frozenset(Peer(channel, chat) for channel, chat, lost, _ in groups if lost),
        {Peer(channel, chat): _status(json.loads(told)) for channel, chat, _, told in groups if told},
        _incidents(db),
        last + 1,
        dict(db.execute(_MET_COUNTS).fetchall()),
    )


def incident_met(db: Database, number: int) -> tuple[int, ...]:
    """The conversations in which the incident's words were said, in order."""
    rows = db.execute(
        "select conversation from incident_met where number = ? order by conversation", (number,)
    )
    return tuple(id for (id,) in rows)


def has_met(db: Database, number: int, conversation: int) -> bool:
    found = "select 1 from incident_met where number = ? and conversation = ?"
    return db.execute(found, (number, conversation)).fetchone() is not None


def _change(db: Database, event: Event) -> bool:
    data = event.data
    if event.kind in _OPERATOR and event.actor:
        names = {name: clean(str(data.get(name, ""))) for name in _NAMES}
        values = {"id": clean(event.actor), "at": maybe_ms(event.at), **names}
        db.execute(_OPERATOR[event.kind], values)
        if event.kind in ("operator_met", "operator_joined") and data.get("chat"):
            db.execute(_CHAT, {**values, "chat": str(data["chat"])})
        return True
    if event.kind in _GROUP:
        place = {name: str(data.get(name, "")) for name in ("channel", "chat")}
        db.execute(_GROUP[event.kind], {**place, "status": to_json(_kept(_status(data)))})
        return True
    if event.kind in _INCIDENT and isinstance(data.get("number"), int):
        db.execute(
            _INCIDENT[event.kind],
            {
                "number": data["number"],
                "text": clean(str(data.get("text") or "")),
                "words": to_json([clean(w) for w in _texts(data.get("words"))]),
                "articles": to_json(_texts(data.get("articles"))),
                "by": clean(str(data.get("by") or "")),
                "at": maybe_ms(event.at),
            },
        )
        return True
    return False


def _meet(db: Database, event: Event) -> None:
    if event.conversation is not None and isinstance(number := event.data.get("number"), int):
        db.execute(_MET, {"number": number, "conversation": event.conversation})


def _operators(db: Database) -> tuple[Member, ...]:
    chats: dict[str, set[str]] = {}
    for operator, chat in db.execute("select operator, chat from operator_chats"):
        chats.setdefault(operator, set()).add(chat)
    rows = db.execute("select * from operators order by id").fetchall()
    return tuple(
        Member(
            r["id"],
            r["name"],
            r["username"],
            bool(r["away"]),
            bool(r["gone"]),
            maybe_moment(r["assigned"]),
            r["last_name"],
            frozenset(chats.get(r["id"], ())),
            bool(r["silent"]),
        )
        for r in rows
    )


def _moved(db: Database) -> dict[Peer, Peer]:
    """Where chats have gone."""
    mark = moved_setting("", "")[:-1]
    rows = db.execute(
        "select name, value from settings where name >= ? and name < ?", (mark, mark[:-1] + ";")
    )
    found = {}
    for name, chat in rows.fetchall():
        channel, _, old = name.removeprefix(mark).partition(":")
        found[Peer(channel, old)] = Peer(channel, chat)
    return found


def _incidents(db: Database) -> tuple[Incident, ...]:
    rows = db.execute("select * from incidents where over = 0 order by number").fetchall()
    return tuple(
        Incident(
            r["number"],
            r["text"],
            tuple(json.loads(r["words"])),
            tuple(json.loads(r["articles"])),
            r["author"],
            maybe_moment(r["since"]),
        )
        for r in rows
    )


def _status(data: Json) -> GroupStatus:
    return GroupStatus(str(data.get("kind") or ""), _texts(data.get("lacks")), data.get("gone") is True)


def _kept(status: GroupStatus) -> Json:
    return {"kind": status.kind, "lacks": list(status.lacks), "gone": status.gone}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()
