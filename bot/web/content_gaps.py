"""The questions that nobody answered, read from a store and gathered by meaning: for the editor's page and
for the report.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.quality.gaps import ASIDE, Gap, MissedQuestion, dismissed, group, is_dismissed, missed
from bot.knowledge.search import Knowledge
from bot.model import HistoryEntry, Peer
from bot.reports.metrics import FigureCase
from bot.reports.tables import Table, TableRow
from bot.storage.base import Store, TurnRecord

LOOKED = 500  # the newest missed questions that are grouped: half a second of work where all differ
BATCH = 1000
MOST = 64 * BATCH  # of the last turns that are looked through
ROWS = 10  # of the report's table
COLUMNS = ("customers", "unanswered", "clarified", "not_helped")


@dataclass(frozen=True, slots=True)
class MissedQuestions:
    """What was missed, gathered; what of it was put aside as no business of ours; and where each conversation
    is held.
    """

    gaps: tuple[Gap, ...] = ()
    peers: Mapping[int, Peer] | None = None
    aside: tuple[Gap, ...] = ()


class ContentGaps:
    """Reads a store again when what it knows is older than *fresh* seconds; one reading at a time."""

    def __init__(self, store: Store, knowledge: Knowledge, *, fresh: float) -> None:
        self._store, self._knowledge, self._fresh = store, knowledge, fresh
        self._reading = asyncio.Lock()
        self._heard: tuple[float, MissedQuestions] | None = None

    async def read(self) -> MissedQuestions:
        """The missed questions of all conversations. What was put aside is known at once, also where another
        replica did it.
        """
        heard = await self._read()
        marks = dismissed(await self._store.events(kinds=ASIDE))
        if not marks:
            return heard
        aside = {gap.id: gap for gap in heard.gaps if is_dismissed(gap, marks)}
        ours = tuple(gap for gap in heard.gaps if gap.id not in aside)
        return replace(heard, gaps=ours, aside=tuple(aside.values()))

    async def _read(self) -> MissedQuestions:
        async with self._reading:
            now = asyncio.get_running_loop().time()
            if self._heard is not None and now - self._heard[0] < self._fresh:
                return self._heard[1]
            talks: dict[int, Sequence[HistoryEntry]] = {m.conversation: () for m in await self._newest()}
            mine = list[TurnRecord]()
            for conversation in talks:
                talks[conversation] = await self._store.history(conversation, limit=10_000)
                rows = await self._store.turns(conversation=conversation, limit=10_000)
                mine += [t for t in rows if t.conversation == conversation]
            gaps = await asyncio.to_thread(self._grouped, mine, talks)
            heard = MissedQuestions(gaps, {t.conversation: t.peer for t in mine})
            self._heard = asyncio.get_running_loop().time(), heard
            return heard

    async def _newest(self) -> Sequence[MissedQuestion]:
        """The newest missed questions: among the last turns, then among twice as many, until there are
        enough. Earlier turns are not read.
        """
        last, found, turns = await self._last(), tuple[MissedQuestion, ...](), list[TurnRecord]()
        first, count = last + 1, BATCH
        while len(found) < LOOKED and first > 1 and count <= MOST:
            before, first = first, max(1, last + 1 - count)
            turns[:0] = await self._between(first, before)
            found, count = await asyncio.to_thread(missed, turns), 2 * count
        return found[-LOOKED:]

    async def _between(self, first: int, before: int) -> list[TurnRecord]:
        turns, after = list[TurnRecord](), first - 1
        while after < before - 1 and (
            rows := await self._store.turns(after=after, limit=min(BATCH, before - 1 - after))
        ):
            turns += [row for row in rows if row.id < before]
            after = rows[-1].id
        return turns

    async def _last(self) -> int:
        """The number of the last turn, or one a little above it."""
        low, high = 0, BATCH
        while await self._store.turns(after=high, limit=1):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if await self._store.turns(after=middle, limit=1):
                low = middle
            else:
                high = middle
        return high

    def forget(self) -> None:
        """Read anew next time."""
        self._heard = None

    def _grouped(
        self, turns: Sequence[TurnRecord], talks: Mapping[int, Sequence[HistoryEntry]]
    ) -> tuple[Gap, ...]:
        found: Sequence[MissedQuestion] = missed(turns, lambda conversation: talks[conversation])
        return group(found[-LOOKED:], encoder_of(self._knowledge))


def gaps_table(heard: MissedQuestions, holds: Callable[[datetime], bool], channel: str = "") -> Table:
    """The questions most customers missed in a period (and a channel), with the conversations behind each."""
    rows = []
    for gap in heard.gaps:
        mine = [
            m
            for m in gap.missed
            if holds(m.at) and (not channel or (heard.peers or {})[m.conversation].channel == channel)
        ]
        if mine:
            kinds = Counter(m.kind for m in mine)
            asked = len({m.conversation for m in mine})
            rows.append(
                TableRow(
                    gap.id,
                    gap.question,
                    {
                        "customers": float(asked),
                        **{k: float(kinds[k]) for k in ("unanswered", "clarified", "not_helped")},
                    },
                    tuple(FigureCase(m.conversation, m.at) for m in mine),
                )
            )
    rows.sort(key=lambda r: (-float(r.cells["customers"] or 0), r.name))
    return Table("gaps", COLUMNS, tuple(rows[:ROWS]))
