"""What the bot itself owes: kept messages nobody decided on, words that did not go out, answers that may
never have arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.model import OwedAnswer, OwedStage, Peer, Priority
from bot.storage.codec import moment, ms
from bot.storage.database import Database
from bot.storage.queries.enqueue import PRIORITIES, line_name
from bot.storage.queries.outbox import reorder
from bot.storage.turn_locks import TurnLocks

RECENT = timedelta(days=1)  # what was given up longer ago is over

_UNDECIDED = """select min(i.id) as id, min(i.ready) as since, c.channel, c.chat, c.thread from inbox i join
  conversations c on c.id = i.conversation
  where i.done_at is null and i.ready <= :before group by c.id order by since"""
_UNDELIVERED = f"""select o.id, o.created as since, o.channel, o.chat, o.thread from outbox o join
  conversations c on c.channel = o.channel and c.chat = o.chat and c.thread = o.thread and c.customer is not
  null where o.status in ('pending', 'sending') and o.lane = {PRIORITIES[Priority.MESSAGE]} and o.verb in
  ('say', 'edit') and o.created <= :before order by o.created, o.id"""
# An answer of the bot that was given up, or that nobody can tell of, while no person has been called since.
# What has a ticket is told in it.
_UNANSWERED = f"""select o.id, o.settled as since, o.channel, o.chat, o.thread from outbox o indexed by
  outbox_ended join conversations c on c.channel = o.channel and c.chat = o.chat and c.thread = o.thread and
  c.customer is not null where o.status in ('unknown', 'failed', 'cancelled') and o.status <> 'cancelled' and
  o.settled > :recent and o.verb = 'say' and o.lane = {PRIORITIES[Priority.MESSAGE]} and o.ticket is null and
  o.turn is not null and o.on_doubt = 'resend' and c.status = 'bot' and c.ticket is null and c.reachable = 1
  and not exists(select 1 from inbox i where i.channel = o.channel and i.key = 'stranded:d' || o.id) order by
  o.id"""
_OUT_OF_LINE = """update conversations set ready_at = :now, ready_max = :now, limit_at = :now where ready_at
  is null and id in (select conversation from inbox where done_at is null and ready <= :before)"""
_NOBODY_FIRST = """select channel, chat, thread, lane from outbox where status in ('pending', 'sending')
  group by channel, chat, thread, lane having sum(head) <> 1"""


def owed(db: Database, now: datetime, late: timedelta) -> tuple[OwedAnswer, ...]:
    """What is owed for longer than *late*, the oldest of each stage first."""
    values = {"before": ms(now - late), "recent": ms(now - RECENT)}
    stages: tuple[tuple[OwedStage, str], ...] = (
        ("undecided", _UNDECIDED),
        ("undelivered", _UNDELIVERED),
        ("unanswered", _UNANSWERED),
    )
    return tuple(_owed(stage, row) for stage, query in stages for row in db.execute(query, values))


def retry(db: Database, locks: TurnLocks, now: datetime, late: timedelta, held: timedelta) -> int:
    """Put back into line what fell out of it; turns that are held for longer than *held* are taken anew.

    How much was mended.
    """
    stuck = locks.free_stuck(db, now - held)
    lined = db.execute(_OUT_OF_LINE, {"now": ms(now), "before": ms(now - late)}).rowcount
    orders = db.execute(_NOBODY_FIRST).fetchall()
    db.lock_names({line_name(*order) for order in orders})
    for order in orders:
        reorder(db, order["channel"], order["chat"], order["thread"], order["lane"])
    return stuck + lined + len(orders)


@dataclass(frozen=True, slots=True)
class AbandonedDeliveries:
    """Which rows under way nobody is sending any more: those begun until then, but not those the sender has
    in hand; of all channels, or of some.

    Where senders change (*epochs*: those of the channels that this one has), another one's are abandoned as
    soon as it has lost its channel, and this one's own only where they were *begun* long ago.
    """

    begun: datetime | None
    but: Collection[int] = ()
    channels: Collection[str] | None = None
    epochs: Mapping[str, int] | None = None

    def has(self, row: Any) -> bool:
        channel = row["channel"]
        if row["id"] in self.but or (self.channels is not None and channel not in self.channels):
            return False
        if self.epochs is None:
            return True
        epoch = self.epochs.get(channel)
        return epoch is not None and (row["epoch"] < epoch or self.begun is not None)


def abandoned(db: Database, which: AbandonedDeliveries, now: datetime) -> list[Any]:
    """The rows of the outbox that are called under way and are not."""
    rows = db.execute(
        "select * from outbox indexed by outbox_open where status in ('pending', 'sending') and status ="
        " 'sending' and started <= ? order by id",
        (ms(which.begun or now),),
    ).fetchall()
    return [row for row in rows if which.has(row)]


def _owed(stage: OwedStage, row: Any) -> OwedAnswer:
    return OwedAnswer(
        stage, Peer(row["channel"], row["chat"], row["thread"]), moment(row["since"]), row["id"]
    )
