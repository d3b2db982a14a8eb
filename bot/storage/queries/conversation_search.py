"""The conversations of a period as a list: the newest first, searched, a page at a time.

A conversation stands at its last line within the period, or at its last one with the words that are looked
for. What is asked is answered from indexes, or from a
limited number of lines at a time: with a million messages a page takes no longer than with a thousand, and
says how far it has looked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from bot.model import Customer, Peer, Status
from bot.storage.base import ConversationPage, ConversationQuery, FoundConversation, PageKey
from bot.storage.codec import moment, ms
from bot.storage.database import Database

Thing = TypeVar("Thing")

LOOK = 20_000  # lines of the history that one page looks at
READ = 150_000  # lines that it reads where words are looked for
PORTION = 1_000
FEW = 3_000  # conversations that are looked at one by one; more are met on the way through the history
_ALWAYS = 1 << 62  # later than everything
_LATEST = """(select n.id from history n where n.conversation = {conversation} and n.at < :until
  order by n.id desc limit 1)"""
_WALK = f"""select h.id, h.at, h.conversation, {_LATEST.format(conversation="h.conversation")} as latest
  from history h where (h.at, h.id) < (:at, :id) and h.at >= :since and h.at < :until
  order by h.at desc, h.id desc limit :limit"""
_READ = """select h.id, h.at, h.conversation, h.text from history h where (h.at, h.id) < (:at, :id)
  and h.at >= :since and h.at < :until order by h.at desc, h.id desc limit :limit"""
_PEOPLE = """select c.id, c.channel, c.chat, c.thread, c.status, c.ticket, c.customer, p.name, p.last_name,
  p.username, p.language, p.gender, p.fields from conversations c join customers p on p.id = c.customer
  where c.private = 1 and p.erased is null and c.id in ({marks})"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a conversation stands in the list."""

    conversation: int
    at: int
    line: int


@dataclass(slots=True)
class _Search:
    """A query under way, from the place *key* (time and line) on."""

    db: Database
    query: ConversationQuery
    words: tuple[str, ...]
    since: int
    until: int
    key: tuple[int, int]
    only: frozenset[int] | None = None

    def said(self, text: str) -> bool:
        """Whether all words stand in the line."""
        text = folded(text)
        return all(word in text for word in self.words)


def search(db: Database, query: ConversationQuery, limit: int) -> ConversationPage:
    """At most *limit* conversations; see `Store.search_conversations`."""
    made = _Search(
        db,
        query,
        tuple(folded(w) for w in query.words),
        0 if query.since is None else ms(query.since),
        _ALWAYS if query.until is None else ms(query.until),
        (_ALWAYS, _ALWAYS) if query.before is None else (query.before.at, query.before.line),
    )
    made.only = _named(made)
    few = made.only is not None and len(made.only) <= FEW
    rows: list[FoundConversation] = []
    for places, reached in _among(made) if few else _along(made):
        rows += _matching(made, places)
        if len(rows) > limit:
            last = rows[limit - 1]
            return ConversationPage(tuple(rows[:limit]), PageKey(ms(last.at), last.line))
        if reached is not None:
            return ConversationPage(tuple(rows), PageKey(*reached), looked_until=moment(reached[0]))
    return ConversationPage(tuple(rows))


def folded(text: str) -> str:
    """As texts are compared: case and ё make no difference."""
    return text.casefold().replace("ё", "е")


def _named(made: _Search) -> frozenset[int] | None:
    """The only conversations that can be meant; None = any."""
    query, sets = made.query, list[Collection[int]]()
    if query.customer:
        sets.append(_of_people(made.db, query.customer))
    if query.status is not None and query.status is not Status.BOT:
        rows = made.db.execute("select id from conversations where status = ?", (query.status.value,))
        sets.append([row["id"] for row in rows])
    if query.event:
        sets.append(_of_events(made, query.event, ""))
    if query.article:
        sets.append(
            _of_events(made, "answered", f'"article":{json.dumps(query.article, ensure_ascii=False)}')
        )
    return None if not sets else frozenset(sets[0]).intersection(*sets[1:])


def _of_people(db: Database, wanted: str) -> list[int]:
    """The conversations of customers in whose names, addresses or fields all these words stand."""
    words = folded(wanted).split()
    known = db.execute(
        "select c.id, c.chat, p.name, p.last_name, p.username, p.fields from conversations c join customers p"
        " on p.id = c.customer where c.private = 1 and p.erased is null"
    )
    found = []
    for id, chat, name, last_name, username, fields in known:
        told = folded(f"{name} {last_name} @{username} {chat} {fields}")
        if all(word in told for word in words):
            found.append(int(id))
    return found


def _of_events(made: _Search, kind: str, data: str) -> list[int]:
    rows = made.db.execute(
        "select distinct conversation from events where at >= ? and at < ? and kind = ? and conversation is"
        " not null and (? = '' or instr(data, ?) > 0)",
        (made.since, made.until, kind, data, data),
    )
    return [row["conversation"] for row in rows]


def _along(made: _Search) -> Iterator[tuple[list[_Place], tuple[int, int] | None]]:
    """Through the history backwards, a portion of lines at a time; with the last one where it ended."""
    most = READ if made.words else LOOK
    key, seen = made.key, set[int]()
    for looked in range(PORTION, most + PORTION, PORTION):
        values = {"at": key[0], "id": key[1], "since": made.since, "until": made.until, "limit": PORTION}
        rows = made.db.execute(_READ if made.words else _WALK, values).fetchall()
        if not rows:
            return
        key = (rows[-1]["at"], rows[-1]["id"])
        places = []
        for row in rows:
            here = made.said(row["text"]) if made.words else row["id"] == row["latest"]
            if here and row["conversation"] not in seen:
                seen.add(row["conversation"])
                places.append(_Place(row["conversation"], row["at"], row["id"]))
        if made.words and made.query.before is not None:
            shown = _said_since(made, [p.conversation for p in places])
            places = [p for p in places if p.conversation not in shown]
        yield places, key if looked >= most else None


def _said_since(made: _Search, conversations: Sequence[int]) -> set[int]:
    """Those of the conversations that were on a page before: the words stand in a later line, too."""
    sql = (
        f"select conversation, text from history where conversation in ({{marks}}) and at < {made.until}"
        f" and (at, id) >= ({made.key[0]}, {made.key[1]})"
    )
    return {r["conversation"] for r in _rows_of(made.db, sql, conversations) if made.said(r["text"])}


def _among(made: _Search) -> Iterator[tuple[list[_Place], None]]:
    """The named conversations in the order of the list, a portion at a time."""
    if made.words:
        sql = (
            "select conversation, at, id, text from history where conversation in ({marks}) and at >="
            f" {made.since} and at < {made.until} order by id"
        )
        rows = [r for r in _rows_of(made.db, sql, made.only or ()) if made.said(r["text"])]
    else:
        until = _LATEST.format(conversation="c.id").replace(":until", str(made.until))
        sql = (
            "select h.conversation, h.at, h.id from conversations c join history h on h.id ="
            f" {until} where c.id in ({{marks}}) and h.at >= {made.since}"
        )
        rows = list(_rows_of(made.db, sql, made.only or ()))
    places = {r["conversation"]: _Place(r["conversation"], r["at"], r["id"]) for r in rows}
    ordered = sorted(places.values(), key=lambda p: (p.at, p.line), reverse=True)
    for portion in _portions([p for p in ordered if (p.at, p.line) < made.key], PORTION):
        yield portion, None


def _matching(made: _Search, places: Sequence[_Place]) -> list[FoundConversation]:
    """Those of the portion that are asked for, in their order."""
    query = made.query
    meant = {p.conversation: p for p in places if made.only is None or p.conversation in made.only}
    people = {
        row["id"]: row
        for row in _rows_of(made.db, _PEOPLE, meant)
        if query.channel in ("", row["channel"]) and query.status in (None, Status(row["status"]))
    }
    kept = [p for id, p in meant.items() if id in people]
    lines = "select id, author, text from history where id in ({marks})"
    said = {row["id"]: row for row in _rows_of(made.db, lines, [p.line for p in kept])}
    return [_found(people[p.conversation], p, said[p.line]) for p in kept if p.line in said]


def _rows_of(db: Database, sql: str, ids: Iterable[int]) -> Iterator[Any]:
    for some in _portions(ids, PORTION // 2):
        yield from db.execute(sql.format(marks=", ".join("?" * len(some))), some)


def _portions(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    left = iter(things)
    while portion := list(islice(left, size)):
        yield portion


def _found(row: Any, place: _Place, said: Any) -> FoundConversation:
    customer = Customer(
        row["customer"],
        row["name"],
        row["last_name"],
        row["username"],
        row["language"],
        row["gender"],
        json.loads(row["fields"]),
    )
    return FoundConversation(
        row["id"],
        Peer(row["channel"], row["chat"], row["thread"]),
        customer,
        Status(row["status"]),
        row["ticket"],
        moment(place.at),
        place.line,
        said["author"],
        said["text"],
    )
