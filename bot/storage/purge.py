"""Blanking the words of what ended long ago, in portions: each row is looked at once, in the order of its
key.

A mark says how far each table is done; what could not be blanked yet when it was passed is remembered by its
key. So the daily work is a day's, however many years lie behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.storage.codec import ms
from bot.storage.database import Database
from bot.storage.migrations.fourth import BLANK_OUT
from bot.storage.queries import chat_lines, files, ideas, row_cursors

LOOKED = 5000  # rows looked at in one transaction
_BLANK_IN = '{"key":"","peer":{"channel":"","chat":""},"sender":{"id":""},"at":"1970-01-01T00:00:00+00:00"}'


@dataclass(frozen=True, slots=True)
class _Words:
    """Where words are in a table: rows are in the order of *time*; from then on that *over* says so they are
    blanked, unless they are not *worded* any more.
    """

    table: str
    time: str
    over: str
    worded: str
    blank: str


_TABLES = (
    _Words(
        "inbox",
        "received",
        "done_at < :before",
        f"payload <> '{_BLANK_IN}'",
        f"payload = '{_BLANK_IN}'",
    ),
    _Words(
        "outbox",
        "created",
        "created < :before and status not in ('pending', 'sending', 'unknown')",
        f"(payload <> '{BLANK_OUT}' or verb = 'announce')",
        f"payload = '{BLANK_OUT}', error = ''",
    ),
    _Words(
        "turns",
        "at",
        "at < :before",
        "(text <> '' or why <> '{}')",
        "text = '', why = '{}', error = ''",
    ),
    _Words(
        "history",
        "at",
        "at < :before and not exists(select 1 from tickets where tickets.conversation = history.conversation"
        " and tickets.status <> 'closed')",
        "(text <> '' or attachments <> '[]')",
        "text = '', name = '', attachments = '[]'",
    ),
)
_CLOSED = """select number from tickets where status = 'closed' and closed >= :since and closed < :before and
  data <> '{}' order by closed limit :limit"""


@dataclass(frozen=True, slots=True)
class PurgedPortion:
    """How many rows were blanked, and whether there may be more."""

    blanked: int
    more: bool


def purge(db: Database, before: datetime, limit: int) -> PurgedPortion:
    """At most *limit* rows of each table; what other systems were told goes altogether.

    The key of an inbound stays: what a platform repeats late is still known.
    """
    values = {"before": ms(before), "limit": limit}
    portions = [*(_next(db, words, values) for words in _TABLES), _tickets(db, values)]
    portions += [_left(db, words, values) for words in _TABLES]
    gone = files.purge(db, before, limit)
    portions.append(PurgedPortion(gone, gone == limit))
    gone = ideas.purge(db, before, limit)
    portions.append(PurgedPortion(gone, gone == limit))
    gone = chat_lines.purge(db, before, limit)
    portions.append(PurgedPortion(gone, gone == limit))
    more = any(portion.more for portion in portions)
    if not more:
        row_cursors.count_ahead(db)
    return PurgedPortion(sum(portion.blanked for portion in portions), more)


def _next(db: Database, words: _Words, values: Mapping[str, Any]) -> PurgedPortion:
    name = f"purge:{words.table}"
    rows = db.execute(
        f"select id, case when {words.time} < :before then 1 else 0 end as aged, case when {words.over} then"
        f" 1 else 0 end as over, case when {words.worded} then 1 else 0 end as worded from {words.table}"
        " where id > :upto order by id limit :looked",
        {**values, "upto": row_cursors.upto(db, name), "looked": LOOKED},
    ).fetchall()
    while rows and not rows[-1]["aged"]:
        rows.pop()
    old, later, last = list[int](), list[int](), 0
    for row in rows:
        last = row["id"]
        if row["worded"]:
            (old if row["over"] else later).append(last)
        if len(old) == values["limit"]:
            break
    if last:
        _blank(db, words, old)
        db.executemany(
            "insert into purge_later(name, id) values(?, ?) on conflict do nothing",
            [(words.table, id) for id in later],
        )
        row_cursors.keep(db, name, last)
    return PurgedPortion(len(old), last != 0)


def _left(db: Database, words: _Words, values: Mapping[str, Any]) -> PurgedPortion:
    """What the mark has passed."""
    rows = db.execute(
        f"select id from {words.table} where id in (select id from purge_later where name = :name) and"
        f" {words.over} limit :limit",
        {**values, "name": words.table},
    ).fetchall()
    old = [row["id"] for row in rows]
    _blank(db, words, old)
    db.executemany("delete from purge_later where name = ? and id = ?", [(words.table, id) for id in old])
    return PurgedPortion(len(old), len(old) == values["limit"])


def _blank(db: Database, words: _Words, ids: Sequence[int]) -> None:
    if not ids:
        return
    places = ", ".join("?" * len(ids))
    if words.table == "outbox":  # other systems have it, the event itself stays
        gone = db.execute(
            f"delete from outbox where id in ({places}) and verb = 'announce' returning id", tuple(ids)
        ).fetchall()
        row_cursors.uncount(db, "outbox", [row["id"] for row in gone])
    db.execute(f"update {words.table} set {words.blank} where id in ({places})", tuple(ids))


def _tickets(db: Database, values: Mapping[str, Any]) -> PurgedPortion:
    """By the time of their closing: one that was opened again is closed later."""
    since = row_cursors.upto(db, "purge:tickets")
    rows = db.execute(_CLOSED, {**values, "since": since}).fetchall()
    numbers = [row["number"] for row in rows]
    db.executemany("update tickets set data = '{}' where number = ?", [(number,) for number in numbers])
    more = len(numbers) == values["limit"]
    if not more and values["before"] > since:
        row_cursors.keep(db, "purge:tickets", values["before"])
    return PurgedPortion(len(numbers), more)
