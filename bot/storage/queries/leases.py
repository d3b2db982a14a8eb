"""What several processes share: who may do what only one may do, who is at work, and how often something was
asked lately.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from bot.storage.base import Lease, Replica
from bot.storage.codec import maybe_moment, moment, ms
from bot.storage.database import Database

CHANNEL = "channel:"  # begins the name of the right to send to a channel

_TAKE = """insert into leases(name, holder, epoch, until) values(:name, :holder, 1, :until) on conflict(name)
  do update set epoch = leases.epoch + case when leases.holder = excluded.holder then 0 else 1 end, holder =
  excluded.holder, until = excluded.until where leases.holder = excluded.holder or leases.until < :now"""
_REPORT = """insert into replicas(name, version, roles, articles, settings, skew, started, seen) values(:name,
  :version, :roles, :articles, :settings, :skew, :started, :seen) on conflict(name) do update set version =
  excluded.version, roles = excluded.roles, articles = excluded.articles, settings = excluded.settings, skew =
  excluded.skew, started = excluded.started, seen = excluded.seen"""


def renew(
    db: Database, holder: str, names: Collection[str], now: datetime, lasting: timedelta
) -> Mapping[str, Lease]:
    """Take or keep *names*; those that *holder* then holds."""
    for name in sorted(names):
        db.execute(_TAKE, {"name": name, "holder": holder, "now": ms(now), "until": ms(now + lasting)})
    rows = db.execute("select * from leases where holder = ? and until > ?", (holder, ms(now)))
    return {row["name"]: _lease(row) for row in rows if row["name"] in names}


def give_up(db: Database, holder: str, names: Collection[str]) -> None:
    """The epoch stays: whoever is next begins a new one."""
    for name in sorted(names):
        db.execute("update leases set until = 0, holder = '' where name = ? and holder = ?", (name, holder))


def listed(db: Database) -> tuple[Lease, ...]:
    return tuple(_lease(row) for row in db.execute("select * from leases order by name"))


def epochs(db: Database, holder: str, now: datetime) -> Mapping[str, int]:
    """The channels whose lease *holder* has, each with its epoch."""
    rows = db.execute(
        "select name, epoch from leases where holder = ? and until > ? and name like ?",
        (holder, ms(now), f"{CHANNEL}%"),
    )
    return {row["name"].removeprefix(CHANNEL): row["epoch"] for row in rows}


def report(db: Database, replica: Replica, now: datetime) -> None:
    db.execute(
        _REPORT,
        {
            "name": replica.name,
            "version": replica.version,
            "roles": json.dumps(replica.roles),
            "articles": replica.articles,
            "settings": replica.settings,
            "skew": replica.skew,
            "started": ms(replica.started or now),
            "seen": ms(now),
        },
    )


def replicas(db: Database, since: datetime) -> tuple[Replica, ...]:
    rows = db.execute("select * from replicas where seen >= ? order by name", (ms(since),))
    return tuple(
        Replica(
            r["name"],
            r["version"],
            tuple(json.loads(r["roles"])),
            r["articles"],
            r["settings"],
            r["skew"],
            maybe_moment(r["started"]),
            maybe_moment(r["seen"]),
        )
        for r in rows
    )


def ended(db: Database, before: datetime) -> tuple[str, ...]:
    """The processes that have not reported since then; they are struck off."""
    gone = db.execute("delete from replicas where seen < ? returning name", (ms(before),))
    return tuple(row["name"] for row in gone)


def hit(db: Database, name: str, now: datetime, within: timedelta) -> int:
    """One more of *name*; how many there were within that time."""
    db.lock_names([f"hits {name}"])
    db.execute("delete from hits where name = ? and at <= ?", (name, ms(now - within)))
    db.execute("insert into hits(name, at) values(?, ?)", (name, ms(now)))
    return int(db.execute("select count(*) from hits where name = ?", (name,)).fetchone()[0])


def _lease(row: Mapping[str, object]) -> Lease:
    until = row["until"]
    assert isinstance(until, int) and isinstance(row["epoch"], int)
    return Lease(str(row["name"]), str(row["holder"]), row["epoch"], moment(until))
