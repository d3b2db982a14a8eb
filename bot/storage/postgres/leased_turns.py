"""Which conversations are being decided on, in columns of their own rows: seen by every process."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bot.storage.codec import maybe_moment, ms
from bot.storage.database import Database

# Law: the row is locked first, and read and claimed by later statements of the same transaction. Claimed and
# read by one statement, what another transaction has just closed would be seen as it was before.
_READY = """select * from conversations where ready_at <= ? and held_turn is null and ready_at is not null
  order by ready_at, id limit 1 for no key update skip locked"""
_FREED = "held_by = '', held_turn = null, held_since = null, held_inbounds = '[]'"
_FREE = f"update conversations set {_FREED} where"


class LeasedTurns:
    """The `TurnLocks` of a shared database, as *holder*."""

    def __init__(self, holder: str) -> None:
        self._holder = holder

    def ready(self, db: Database, now: datetime) -> Any:
        return db.execute(_READY, (ms(now),)).fetchone()

    def hold(
        self, db: Database, conversation: int, turn: int, inbounds: tuple[int, ...], since: datetime
    ) -> None:
        db.execute(
            "update conversations set held_by = ?, held_turn = ?, held_since = ?, held_inbounds = ? where id"
            " = ?",
            (self._holder, turn, ms(since), json.dumps(inbounds), conversation),
        )

    def inbounds(self, db: Database, conversation: int, turn: int) -> tuple[int, ...] | None:
        row = db.execute(
            "select held_inbounds from conversations where id = ? and held_turn = ?", (conversation, turn)
        ).fetchone()
        return None if row is None else tuple(json.loads(row["held_inbounds"]))

    def free(self, db: Database, conversation: int) -> None:
        db.execute(f"{_FREE} id = ?", (conversation,))

    def freeing(self, conversation: int) -> str:
        return f", {_FREED}"

    def next_ready(self, db: Database) -> datetime | None:
        row = db.execute(
            "select min(ready_at) as ready from conversations where ready_at is not null and held_turn is"
            " null"
        ).fetchone()
        return maybe_moment(row["ready"])

    def free_stuck(self, db: Database, before: datetime) -> int:
        return db.execute(f"{_FREE} held_turn is not null and held_since <= ?", (ms(before),)).rowcount

    def free_of(self, db: Database, holder: str) -> int:
        """Free what a process holds that has ended."""
        return db.execute(f"{_FREE} held_turn is not null and held_by = ?", (holder,)).rowcount
