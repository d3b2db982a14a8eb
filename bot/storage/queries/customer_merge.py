"""One person on several channels: two customers become one, and that can be undone.

A joined customer keeps their row and their fields; only their conversations belong to another one, and a
setting remembers which.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from bot.model import CustomerMerge, Event
from bot.storage.codec import ms, to_json
from bot.storage.database import Database
from bot.storage.queries.enqueue import write_events
from bot.storage.queries.inbox import TOLD_ELSEWHERE
from bot.storage.queries.tickets import keep_setting, setting
from bot.text.customer_fields import NEWS, OFF

_RECORD = "joined:"
_JOINED = """select name from settings where name like 'joined:%' and cast(json_extract(value, '$.into') as
  text) = ? order by rowid desc"""
_OF = "select id from conversations where customer = ?"


def carry_out(db: Database, joining: CustomerMerge) -> bool:
    """Join or part; False where there is nothing to do.

    The conversations' versions grow, so that turns under way are decided anew.
    """
    return _part(db, joining.other) if joining.undone else _join(db, joining.into, joining.other)


def carry_out_alone(db: Database, how: CustomerMerge, now: datetime, by: str) -> bool:
    """Outside any turn, with its event."""
    if not carry_out(db, how):
        return False
    home = db.execute("select min(id) from conversations where customer = ?", (how.into,)).fetchone()[0]
    kind = "customers_parted" if how.undone else "customers_joined"
    write_events(db, [Event(kind, now, home, actor=by, data={"into": how.into, "other": how.other})])
    return True


def joined(db: Database, id: int) -> tuple[int, ...]:
    """The customers who are known as this one, the latest first."""
    rows = db.execute(_JOINED, (str(id),)).fetchall()
    return tuple(int(row["name"].removeprefix(_RECORD)) for row in rows)


def all_joined(db: Database, id: int) -> tuple[int, ...]:
    """Also those who were joined into one of them."""
    found: list[int] = []
    waiting = [id]
    while waiting:
        more = [other for other in joined(db, waiting.pop()) if other not in found]
        found += more
        waiting += more
    return tuple(found)


def change_fields(db: Database, id: int, changes: Mapping[str, object], now: datetime, by: str) -> bool:
    """Lay *changes* over a customer's fields (None takes one away); False where they are not known.

    A repeat changes nothing.
    """
    known = f"select fields from customers where id = ? and erased is null{db.locking()}"
    if (row := db.execute(known, (id,)).fetchone()) is None:
        return False
    before = json.loads(row["fields"])
    after = {k: v for k, v in {**before, **changes}.items() if v is not None}
    if after != before:
        db.execute("update customers set fields = ? where id = ?", (to_json(after), id))
        take_away(db, id, before.keys() - after.keys())
        home = db.execute("select min(id) from conversations where customer = ?", (id,)).fetchone()[0]
        names = sorted(k for k in changes if before.get(k) != after.get(k) and not k.startswith("_"))
        write_events(db, [Event("attributes_changed", now, home, actor=by, data={"names": names})])
    return True


def take_away(db: Database, id: int, names: Collection[str]) -> None:
    """What a customer is no longer known by does not come back when they are parted: a consent that was
    withdrawn, its contacts, a block that has ended.
    """
    for other in all_joined(db, id) if names else ():
        row = db.execute(f"select fields from customers where id = ?{db.locking()}", (other,)).fetchone()
        known = json.loads(row["fields"])
        if left := known.keys() & set(names):
            kept = {k: v for k, v in known.items() if k not in left}
            db.execute("update customers set fields = ? where id = ?", (to_json(kept), other))


def blank_joined(db: Database, id: int, now: datetime) -> None:
    """Nothing stays of those who were known as this customer, nor of a code that names them: for
    `people.erase`.
    """
    others = all_joined(db, id)
    for row in db.execute(
        "select name, value from settings where name >= 'link:' and name < 'link;'"
    ).fetchall():
        if json.loads(row["value"]).get("customer") in (id, *others):
            keep_setting(db, row["name"], None)
    for other in others:
        db.execute(
            "update customers set name = '', last_name = '', username = '', gender = '', language = '',"
            " fields = '{}', told = '', erased = ? where id = ?",
            (ms(now), other),
        )
        keep_setting(db, f"{_RECORD}{other}", None)


def _join(db: Database, into: int, other: int) -> bool:
    kept, gone = (
        db.execute("select fields from customers where id = ? and erased is null", (id,)).fetchone()
        for id in (into, other)
    )
    ids = [row["id"] for row in db.execute(_OF, (other,))]
    if into == other or kept is None or gone is None or not ids:
        return False
    mine, his = json.loads(kept["fields"]), json.loads(gone["fields"])
    added = {k: v for k, v in his.items() if v not in ("", None) and mine.get(k) in ("", None)}
    db.execute(
        "update customers set fields = ?, told = ? where id = ?",
        (to_json({**mine, **added}), TOLD_ELSEWHERE, into),
    )
    db.execute(
        "update conversations set customer = ?, version = version + 1 where customer = ?", (into, other)
    )
    record = {"into": into, "conversations": ids, "fields": sorted(added), "off": mine.get(NEWS) == OFF}
    keep_setting(db, f"{_RECORD}{other}", to_json(record))
    return True


def _part(db: Database, other: int) -> bool:
    record = setting(db, f"{_RECORD}{other}")
    if record is None:
        return False
    kept = json.loads(record)
    marks = ", ".join("?" * len(kept["conversations"]))
    holder = known_as(db, other)
    db.execute(
        "update conversations set customer = ?, version = version + 1 where customer = ? and id in"
        f" ({marks})",
        (other, holder, *kept["conversations"]),
    )
    keep_setting(db, f"{_RECORD}{other}", None)
    if not kept.get("off"):
        _keep_off(db, holder, other)
    _take_back(db, holder, other, kept["fields"])
    return True


def known_as(db: Database, id: int) -> int:
    """As whom this customer is known in the end: themselves, where nobody joined them."""
    while (record := setting(db, f"{_RECORD}{id}")) is not None:
        id = int(json.loads(record)["into"])
    return id


def _keep_off(db: Database, holder: int, other: int) -> None:
    """law: who said no to being written to first while they were one is not written to as either."""
    mine, his = (
        json.loads(db.execute("select fields from customers where id = ?", (id,)).fetchone()["fields"])
        for id in (holder, other)
    )
    if mine.get(NEWS) == OFF and his.get(NEWS) != OFF:
        db.execute("update customers set fields = ? where id = ?", (to_json({**his, NEWS: OFF}), other))


def _take_back(db: Database, holder: int, other: int, names: list[str]) -> None:
    """What came with the other one goes with them, unless it was changed meanwhile; names follow the platform
    again.
    """
    mine, his = (
        json.loads(db.execute("select fields from customers where id = ?", (id,)).fetchone()["fields"])
        for id in (holder, other)
    )
    left = {k: v for k, v in mine.items() if k not in names or v != his.get(k)}
    told = TOLD_ELSEWHERE if joined(db, holder) else ""
    db.execute("update customers set fields = ?, told = ? where id = ?", (to_json(left), told, holder))
