"""Bugs of several processes, planted on purpose, to show that the laws can be broken and that a run sees it.

None of this is in the product.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from bot.model import Inbound, InboundKind, Outcome
from bot.storage.codec import decode, ms
from bot.storage.database import Database
from bot.storage.postgres.leased_turns import LeasedTurns
from bot.storage.postgres.store import PostgresStore
from bot.storage.queries import commit, outbox, turns
from bot.storage.query_store import QueryStore

# The conversation is chosen, locked and read with its messages by one statement, which sees the messages as
# they were when it began. It takes a while, as on a busy server.
_AT_ONCE = """with waiting as materialized
    (select id, conversation, payload from inbox where done_at is null),
  slow as materialized (select pg_sleep(random() * 0.15) where exists(select 1 from conversations
    where ready_at <= extract(epoch from clock_timestamp()) * 1000 and held_turn is null)),
  claimed as (update conversations set held_by = held_by where id = (select c.id from slow, conversations c
    where c.ready_at <= extract(epoch from clock_timestamp()) * 1000 and c.held_turn is null
    order by c.ready_at, c.id limit 1 for no key update of c skip locked) returning id)
  select claimed.id as conversation, waiting.id as id, waiting.payload as payload
  from claimed left join waiting on waiting.conversation = claimed.id order by waiting.id"""
_read = threading.local()


def claim_and_read_at_once() -> None:
    """A turn is claimed and read by one statement, and what is closed is not looked at again."""

    def ready(self: LeasedTurns, db: Database, now: datetime) -> Any:
        rows = db.execute(_AT_ONCE).fetchall()
        if not rows:
            return None
        _read.rows = [(row["id"], decode(Inbound, row["payload"])) for row in rows if row["id"] is not None]
        return db.execute("select * from conversations where id = ?", (rows[0]["conversation"],)).fetchone()

    def said(db: Database, place: Any, batch: int) -> list[tuple[int, Inbound]]:
        found: list[tuple[int, Inbound]] = []
        for id, inbound in _read.rows[:batch]:
            if found and not (place["private"] and inbound.kind is found[0][1].kind is InboundKind.MESSAGE):
                break
            found.append((id, inbound))
        return found

    def close(db: Database, turn: int, inbounds: tuple[int, ...], outcome: Outcome, now: datetime) -> None:
        for id in inbounds:
            db.execute(
                "update inbox set turn = ?, done_at = ?, result = ? where id = ? and done_at is null",
                (turn, ms(now), outcome.result.value, id),
            )

    LeasedTurns.ready = ready  # type: ignore[method-assign]
    turns.oldest_waiting = said
    commit.close_inbounds = close


def recovery_without_epochs() -> None:
    """Who takes a channel over doubts every send under way, also those of other channels' living senders."""

    async def recover(
        self: QueryStore,
        now: datetime,
        *,
        begun: datetime | None = None,
        but: Collection[int] = (),
        channels: Collection[str] | None = None,
    ) -> int:
        under_way = "select * from outbox where status = 'sending' order by id"
        return await self._write(lambda db: outbox.recover(db, db.execute(under_way).fetchall(), now))

    PostgresStore.recover = recover  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "claim-and-read-at-once": claim_and_read_at_once,
    "recovery-without-epochs": recovery_without_epochs,
}


def plant(name: str) -> None:
    """Put a bug into this process; "" is the product as it is."""
    BUGS[name]()
