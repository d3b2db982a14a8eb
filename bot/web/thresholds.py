"""The owner's page of the answer threshold: what each would cost on the questions that customers asked, and a
form to set it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from aiohttp import web

from bot.errors import ConfigError
from bot.knowledge.quality.evaluation import Costs
from bot.knowledge.quality.threshold_costs import (
    FEWEST,
    CostTable,
    ThresholdCase,
    cost_table,
    expected_cases,
)
from bot.knowledge.search import Knowledge
from bot.model import Event
from bot.web.pages import Pages, read_words
from bot.web.services import WebServices

SPANS = (7, 28, 90)  # days to choose from
LOWEST, HIGHEST = 0.05, 0.99
DEAREST = 1_000_000.0
BATCH = 1000
OPEN = timedelta(minutes=3)  # for which turns may still end before those that were taken after them
SET = "threshold_set"
BY = "owner"
WIDTH, HEIGHT, FOOT, HEAD = 640, 220, 22, 18
PARTS = ("right", "wrong", "asked", "handed_over")


@dataclass(frozen=True, slots=True)
class ThresholdBar:
    """One threshold of the picture: its parts from the foot up, each with its class, place and height."""

    label: str
    mark: str
    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]


class ThresholdPages:
    """GET /threshold and POST /threshold/set."""

    def __init__(self, services: WebServices, pages: Pages, knowledge: Knowledge) -> None:
        self._services, self._pages, self._knowledge = services, pages, knowledge
        self._reading = asyncio.Lock()
        self._cases: list[ThresholdCase] = []
        self._begun: datetime | None = None
        self._after = 0

    async def show(self, request: web.Request) -> web.Response:
        """GET /threshold?days=28&wrong=10&handoff=3&clarify=1: the table, the picture and the form."""
        words, now = read_words(self._pages.language(request)), self._services.clock()
        days = _days(request)
        costs = _costs(request, words)
        cases = await self._asked(now - timedelta(days=days))
        found = self._table(cases, costs)
        return self._pages.show(
            request,
            "threshold.html",
            "report" if self._services.hours is not None else "kb",
            found=found,
            enough=len(cases) >= FEWEST,
            fewest=FEWEST,
            bars=_bars(found),
            costs=costs,
            days=days,
            spans=SPANS,
            now=self._knowledge.threshold.value,
            source=self._source(words),
            can_set=self._services.set_threshold is not None,
            bounds=(LOWEST, HIGHEST),
        )

    async def set(self, request: web.Request) -> web.Response:
        """POST /threshold/set {answer}: from now on the bot answers from there, and the settings file says
        so. A repeat changes nothing.
        """
        words = read_words(self._pages.language(request))
        keep = self._services.set_threshold
        if keep is None:
            raise web.HTTPConflict(text=words["cost_no_file"])
        try:
            data = await request.json()
            answer = round(float(str(data["answer"]).replace(",", ".")), 2)
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text=words["cost_bad"]) from error
        if not LOWEST <= answer <= HIGHEST:
            raise web.HTTPBadRequest(text=words["cost_bad"])
        before = self._knowledge.threshold.value
        try:
            await asyncio.to_thread(keep, answer)
        except ConfigError as error:
            raise web.HTTPConflict(text=str(error)) from error
        if answer != before:
            now = self._services.clock()
            event = Event(SET, now, actor=BY, data={"from": before, "to": answer})
            await self._services.store.enqueue([], now, events=[event])
        text = words["cost_set"].replace("{answer}", f"{answer:.2f}").replace("{before}", f"{before:.2f}")
        if self._services.store.shared:
            text += " " + words["cost_set_elsewhere"]
        return web.json_response({"text": text, "answer": answer})

    def _source(self, words: Mapping[str, str]) -> str:
        """Who chose the present threshold, and what is expected of it."""
        threshold = self._knowledge.threshold
        if self._knowledge.settings.answer is not None:
            return words["cost_by_owner"]
        if not threshold.asked:
            return words["cost_by_default"]
        share = f"{100 * threshold.precision:.0f}"
        return words["cost_by_base"].replace("{n}", str(threshold.asked)).replace("{share}", share)

    def _table(self, cases: Sequence[ThresholdCase], costs: Costs) -> CostTable:
        now, handoff = self._knowledge.threshold.value, self._knowledge.settings.handoff
        return cost_table(cases, now=now, handoff=handoff, costs=costs, measured=False)

    async def _asked(self, since: datetime) -> list[ThresholdCase]:
        """The customers' questions since then; what was read before is not read again."""
        async with self._reading:
            if self._begun is None or since < self._begun:
                self._cases, self._begun = [], since
                self._after = await self._last_before(since)
            edge, after = self._services.clock() - OPEN, self._after
            settled, fresh = True, list[ThresholdCase]()
            while rows := await self._services.store.turns(after=after, limit=BATCH):
                after = rows[-1].id
                closed = list(takewhile(lambda turn: turn.at < edge, rows)) if settled else []
                settled = settled and len(closed) == len(rows)
                self._cases += await asyncio.to_thread(expected_cases, closed)
                self._after = closed[-1].id if closed else self._after
                fresh += await asyncio.to_thread(expected_cases, rows[len(closed) :])
            return [c for c in (*self._cases, *fresh) if c.at is not None and c.at >= since]

    async def _last_before(self, since: datetime) -> int:
        """The turn up to which all are older: found by halving, so that a long history is not read."""
        low, high = 0, 1024
        while (rows := await self._services.store.turns(after=high, limit=1)) and rows[0].at < since:
            low, high = high, 2 * high
        while low < high:
            middle = (low + high) // 2
            rows = await self._services.store.turns(after=middle, limit=1)
            if rows and rows[0].at < since:
                low = middle + 1
            else:
                high = middle
        return low


def _days(request: web.Request) -> int:
    wanted = request.query.get("days", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) in SPANS else SPANS[1]


def _costs(request: web.Request, words: Mapping[str, str]) -> Costs:
    """The weights as they were typed."""
    usual = Costs()
    given = {}
    for name in ("wrong", "handoff", "clarify"):
        typed = request.query.get(name, "").replace(",", ".") or str(getattr(usual, name))
        try:
            given[name] = float(typed)
        except ValueError:
            given[name] = -1.0
        if not 0 <= given[name] <= DEAREST:
            raise web.HTTPBadRequest(text=words["cost_bad_weight"])
    return Costs(**given)


def _bars(found: CostTable) -> tuple[ThresholdBar, ...]:
    step, space = WIDTH / max(1, len(found.rows)), HEIGHT - FOOT - HEAD
    made = []
    for n, row in enumerate(found.rows):
        foot, parts = float(HEIGHT - FOOT), []
        for name in PARTS:
            height = getattr(row, name) * space
            foot -= height
            parts.append((name, round(foot, 1), round(height, 1)))
        mark = (
            "now"
            if row.threshold == found.now.threshold
            else "cheapest"
            if row.threshold == found.cheapest.threshold
            else ""
        )
        label = f"{row.threshold:.2f}" if n % 3 == 0 else ""
        made.append(
            ThresholdBar(label, mark, round(n * step + step * 0.1, 1), round(step * 0.8, 1), tuple(parts))
        )
    return tuple(made)
