"""Customers' suggestions: kept with the turn that brought them, counted, decided on."""

from __future__ import annotations

from datetime import datetime

from bot.model.ideas import Idea, IdeaChange, IdeaDecision, IdeaSupport, NewIdea
from bot.storage.codec import clean, moment, ms
from bot.storage.database import Database

NEWEST = 5000  # rows that are read
_NEW = """insert into ideas(conversation, at, text) select :conversation, :at, :text where not exists(select 1
  from ideas where conversation = :conversation and text = :text)"""
_OWN = """update ideas set joined = :idea where id = (select max(id) from ideas where conversation =
  :conversation and joined = 0 and id <> :idea) and exists(select 1 from ideas where id = :idea and joined
  = 0)"""
_SUPPORT = """insert into ideas(conversation, at, text, joined) select :conversation, :at, '', :idea where
  exists(select 1 from ideas where id = :idea and joined = 0) and not exists(select 1 from ideas where
  conversation = :conversation and (id = :idea or joined = :idea))"""
_DECIDE = "update ideas set status = ?, reason = ?, changed = ? where id = ? and joined = 0"
_READ = """select i.*, c.customer, u.erased from ideas i join conversations c on c.id = i.conversation left
  join customers u on u.id = c.customer order by i.id desc limit ?"""


def change(db: Database, change: IdeaChange, conversation: int, now: datetime) -> None:
    """Keep what a turn of *conversation* changed; a repeat changes nothing."""
    values = {"conversation": conversation, "at": ms(now)}
    match change:
        case NewIdea(text):
            db.execute(_NEW, {**values, "text": clean(text)})
        case IdeaSupport(idea, own):
            db.execute(_OWN if own else _SUPPORT, {**values, "idea": idea})
        case IdeaDecision(ideas, status, reason):
            db.executemany(_DECIDE, [(status, clean(reason), ms(now), id) for id in ideas])


def read(db: Database) -> tuple[Idea, ...]:
    """The newest ideas and supports, in the order in which they came."""
    rows = db.execute(_READ, (NEWEST,)).fetchall()
    return tuple(
        Idea(
            row["id"],
            row["conversation"],
            row["customer"] if row["erased"] is None else None,
            moment(row["at"]),
            row["text"],
            row["joined"],
            row["status"],
            row["reason"],
        )
        for row in reversed(rows)
    )


def purge(db: Database, before: datetime, limit: int) -> int:
    """Blank the words of at most *limit* ideas that were done or declined before, and of those that are one
    with them; returns how many.
    """
    rows = db.execute(
        "select i.id from ideas i indexed by ideas_worded join ideas head on head.id = case when i.joined = 0"
        " then i.id else i.joined end where i.text <> '' and head.status in ('done', 'declined')"
        " and head.changed < ? limit ?",
        (ms(before), limit),
    ).fetchall()
    db.executemany("update ideas set text = '' where id = ?", [(row["id"],) for row in rows])
    return len(rows)
