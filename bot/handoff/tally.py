"""What became of a broadcast: how many it reached, and why it did not reach the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.handoff.desk_context import DeliveryReader, DeliveryStatus
from bot.handoff.outreach.segment import SegmentMember
from bot.model import Peer

OPEN: tuple[DeliveryStatus, ...] = ("pending", "sending")
DOUBTFUL: tuple[DeliveryStatus, ...] = ("unknown",)
FAILED: tuple[DeliveryStatus, ...] = ("failed", "cancelled")
PORTION = 500  # rows that are read at once


class DeliveryTotals(DeliveryReader, Protocol):
    """Where messages and customers are looked up."""

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> Sequence[SegmentMember]: ...


@dataclass(frozen=True, slots=True)
class BroadcastTotals:
    """Customers: `said` got it; the others blocked the bot, were refused, may have it, or wait."""

    said: int = 0
    blocked: int = 0
    failed: int = 0
    doubtful: int = 0
    waiting: int = 0

    @property
    def facts(self) -> dict[str, int]:
        return {"said": self.said, "blocked": self.blocked, "failed": self.failed, "doubtful": self.doubtful}


async def count(source: DeliveryTotals, name: str, to: Sequence[int], enqueued: int) -> BroadcastTotals:
    """Of messages of this *name*, *enqueued* for so many of the conversations *to*."""
    waiting = await _peers(source, name, OPEN)
    doubtful = await _peers(source, name, DOUBTFUL) - waiting
    failed = await _peers(source, name, FAILED) - waiting - doubtful
    blocked = await _blocked(source, to, failed) if failed else set()
    said = enqueued - len(waiting) - len(doubtful) - len(failed)
    return BroadcastTotals(max(0, said), len(blocked), len(failed - blocked), len(doubtful), len(waiting))


async def _peers(source: DeliveryTotals, name: str, status: tuple[DeliveryStatus, ...]) -> set[Peer]:
    found: set[Peer] = set()
    after = 0
    while rows := await source.deliveries(status=status, name=name, after=after, limit=PORTION):
        found |= {row.outbound.to for row in rows}
        after = rows[-1].id
    return found


async def _blocked(source: DeliveryTotals, to: Sequence[int], among: set[Peer]) -> set[Peer]:
    """Those who cannot be written to since."""
    gone: set[Peer] = set()
    for start in range(0, len(to), PORTION):
        rows = await source.listeners(only=to[start : start + PORTION])
        gone |= {r.peer for r in rows if not r.reachable and r.peer in among}
    return gone
