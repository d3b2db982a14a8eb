"""The third step: who the operators are, how their groups are and which incidents last stands in tables, so
that a start reads these and not the events of years.

The tables are filled once from the events so far, as the versions before read them at each start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

STATEMENTS = (
    """create table operators(
      id text primary key, name text not null default '', last_name text not null default '',
      username text not null default '', away integer not null default 0, gone integer not null default 0,
      silent integer not null default 0, assigned integer) strict""",
    """create table operator_chats(
      operator text not null references operators, chat text not null, primary key(operator, chat)) strict""",
    """create table desk_groups(
      channel text not null, chat text not null, lost integer not null default 0,
      -- as the platform last told of it; null = never asked
      status text,
      primary key(channel, chat)) strict""",
    """create table incidents(
      number integer primary key, text text not null, words text not null default '[]',
      articles text not null default '[]', author text not null default '', since integer,
      over integer not null default 0) strict""",
    # the conversations in which an incident's words were said
    """create table incident_met(
      number integer not null, conversation integer not null references conversations,
      primary key(number, conversation)) strict""",
    "create index incident_met_conversation on incident_met(conversation)",
    # grows with each commit that changes one of the tables above, or where the groups are
    "create table versions(name text primary key, value integer not null) strict",
    "insert into versions values('desk', 0)",
)
_OPERATORS = (
    "operator_met",
    "operator_joined",
    "operator_away",
    "operator_back",
    "operator_left",
    "ticket_assigned",
)
_GROUPS = ("desk_lost", "desk_found", "desk_checked")
_INCIDENTS = ("incident_on", "incident_met", "incident_off")


def fill(db: sqlite3.Connection) -> None:
    """From the events of a database that has none of these tables' rows yet."""
    people: dict[str, dict[str, Any]] = {}
    chats: set[tuple[str, str]] = set()
    for row, data in _events(db, _OPERATORS):
        if row["actor"]:
            known = people.setdefault(row["actor"], dict.fromkeys(("name", "last_name", "username"), ""))
            _operator(known, row["kind"], row["at"], data)
            if row["kind"] in ("operator_met", "operator_joined") and data.get("chat"):
                chats.add((row["actor"], str(data["chat"])))
    for id, known in people.items():
        db.execute(
            "insert into operators values(:id, :name, :last_name, :username, :away, :gone, :silent,"
            " :assigned)",
            {"id": id, "away": 0, "gone": 0, "silent": 0, "assigned": None, **known},
        )
    db.executemany("insert into operator_chats values(?, ?)", sorted(chats))
    _fill_groups(db)
    _fill_incidents(db)


def _operator(known: dict[str, Any], kind: str, at: int, data: dict[str, Any]) -> None:
    if kind == "ticket_assigned":
        known["assigned"] = at
    elif kind in ("operator_met", "operator_joined"):
        known["silent"] = int(kind == "operator_joined" and not known["name"])
        known |= {name: str(data.get(name, "")) for name in ("name", "last_name", "username")}
        known["gone"] = 0
    else:
        known |= {"away": int(kind == "operator_away"), "gone": int(kind == "operator_left")}


def _fill_groups(db: sqlite3.Connection) -> None:
    for row, data in _events(db, _GROUPS):
        place = (str(data.get("channel", "")), str(data.get("chat", "")))
        db.execute("insert or ignore into desk_groups(channel, chat) values(?, ?)", place)
        if row["kind"] == "desk_checked":
            status = {"kind": str(data.get("kind") or ""), "lacks": data.get("lacks") or []}
            status["gone"] = data.get("gone") is True
            db.execute(
                "update desk_groups set status = ? where channel = ? and chat = ?",
                (json.dumps(status, ensure_ascii=False), *place),
            )
        else:
            db.execute(
                "update desk_groups set lost = ? where channel = ? and chat = ?",
                (int(row["kind"] == "desk_lost"), *place),
            )


def _fill_incidents(db: sqlite3.Connection) -> None:
    for row, data in _events(db, _INCIDENTS):
        number = data.get("number")
        if not isinstance(number, int):
            continue
        if row["kind"] == "incident_on":
            db.execute(
                "insert into incidents(number, text, words, articles, author, since) values(?, ?, ?, ?, ?, ?)"
                " on conflict(number) do update set text = excluded.text, words = excluded.words, articles ="
                " excluded.articles, author = excluded.author, since = excluded.since",
                (
                    number,
                    str(data.get("text") or ""),
                    json.dumps([str(w) for w in data.get("words") or ()], ensure_ascii=False),
                    json.dumps([str(a) for a in data.get("articles") or ()], ensure_ascii=False),
                    str(data.get("by") or ""),
                    row["at"],
                ),
            )
        elif row["kind"] == "incident_off":
            db.execute("update incidents set over = 1 where number = ?", (number,))
        elif row["conversation"] is not None:
            db.execute(
                "insert or ignore into incident_met select ?, id from conversations where id = ?",
                (number, row["conversation"]),
            )


def _events(db: sqlite3.Connection, kinds: tuple[str, ...]) -> Iterator[tuple[Any, dict[str, Any]]]:
    marks = ", ".join("?" * len(kinds))
    rows = db.execute(
        f"select kind, at, conversation, actor, data from events where kind in ({marks}) order by at, id",
        kinds,
    )
    for kind, at, conversation, actor, data in rows.fetchall():
        row = {"kind": kind, "at": at, "conversation": conversation, "actor": actor}
        yield row, json.loads(data)
