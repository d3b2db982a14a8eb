"""The page of the gate before publishing: drafts are chosen, the customers' questions of the last days are
asked of them, and what would change is shown, the likeliest harm first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.dialogs.offline_decision import OfflineDecision
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.release import ArticleCoverage, ChangeKind, DecisionChange, GateReport
from bot.knowledge.search import Knowledge
from bot.release_gate import GateTerms, ReleaseGate, drafts_in, unfilled_in, with_drafts_published
from bot.release_runs import ReleaseBusy, ReleaseRun, ReleaseRuns
from bot.text.pii import mask
from bot.web.json_body import json_object
from bot.web.pages import Pages, read_words
from bot.web.security import USER
from bot.web.services import WebServices

SHOWN = 100  # changes on the page
ROWS = 60  # articles of the table
REASON = 10, 500  # characters of a reason
MOST = 1000  # drafts of one request


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as the page shows it, masked."""

    question: str
    change: DecisionChange


def open_gate(services: WebServices, knowledge: Knowledge) -> ReleaseGate:
    """The gate over what the pages work on."""
    judge = services.judge or OfflineDecision(knowledge, services.words)
    terms = GateTerms(services.release, services.golden, services.clock)
    return ReleaseGate(services.store, knowledge, judge, terms)


class GatePages:
    """GET /gate and /gate/state; POST /gate/run, /gate/stop and /gate/allow.

    Everything shown is masked.
    """

    def __init__(self, services: WebServices, pages: Pages, knowledge: Knowledge) -> None:
        self._services, self._pages, self._knowledge = services, pages, knowledge
        self._gate = open_gate(services, knowledge)
        self._runs = ReleaseRuns(services.store, self._gate, services.clock)

    async def show(self, request: web.Request) -> web.Response:
        """GET /gate?run=…&kind=…: the drafts to choose from, and what came of a comparison: of the newest."""
        names = await self._runs.names()
        run = await self._runs.find(request.query.get("run") or next(iter(names), ""))
        report = run.report if run is not None else None
        kind = request.query.get("kind", "")
        drafts = await asyncio.to_thread(self._drafts)
        unfilled = unfilled_in(drafts)
        return self._pages.show(
            request,
            "gate.html",
            "kb",
            drafts=drafts,
            unfilled=unfilled,
            held_back=[a for a in drafts if run is not None and a.id in unfilled and a.id in run.drafts],
            published={a.id for a in self._knowledge.articles() if a.status == "published"},
            limits=self._services.release,
            run=run,
            report=report,
            kind=kind if kind in (*ChangeKind, "harm") else "",
            kinds=_kinds(run),
            rows=_rows(report, kind),
            coverage=_coverage(report),
            stale=report is not None and not report.key.startswith(f"{self._knowledge.articles_version}-"),
            allowed=await self._gate.allowed(self._services.store, report) if report else None,
            reason_lengths=REASON,
        )

    async def state(self, request: web.Request) -> web.Response:
        """GET /gate/state?run=…: how far it is."""
        run = await self._runs.find(request.query.get("run", ""))
        if run is None:
            raise web.HTTPNotFound(text=self._words(request)["gate_gone"])
        return web.json_response({"state": run.state, "done": run.done, "total": run.total})

    async def start(self, request: web.Request) -> web.Response:
        """POST /gate/run {drafts}: compare the base with these drafts published."""
        data, words = await json_object(request, "an object"), self._words(request)
        wanted = data.get("drafts")
        known = {a.id for a in await asyncio.to_thread(self._drafts)}
        ids = [str(id) for id in wanted[:MOST] if id in known] if isinstance(wanted, list) else []
        if not ids:
            raise web.HTTPBadRequest(text=words["gate_no_drafts"])
        draft = await asyncio.to_thread(with_drafts_published, self._knowledge, ids)
        try:
            run = await self._runs.start(draft, ids, request[USER].actor)
        except ReleaseBusy as error:
            raise web.HTTPConflict(text=words["gate_busy"]) from error
        return web.json_response({"run": run})

    async def stop(self, request: web.Request) -> web.Response:
        """POST /gate/stop {run}: nobody wants to know any more. A repeat changes nothing."""
        await self._runs.stop(str((await json_object(request, "an object")).get("run", "")))
        return web.json_response({"text": self._words(request)["gate_stopping"]})

    async def allow(self, request: web.Request) -> web.Response:
        """POST /gate/allow {run, reason}: a supervisor says yes to this very draft, in spite of the
        limits.
        """
        data, words = await json_object(request, "an object"), self._words(request)
        run = await self._runs.find(str(data.get("run", "")))
        reason = " ".join(str(data.get("reason", "")).split())
        if run is None or run.report is None:
            raise web.HTTPNotFound(text=words["gate_gone"])
        if not REASON[0] <= len(reason) <= REASON[1]:
            raise web.HTTPBadRequest(text=words["gate_no_reason"].format(least=REASON[0], most=REASON[1]))
        if await self._gate.allowed(self._services.store, run.report) is None:
            await self._gate.allow(self._services.store, run.report, request[USER].actor, reason)
        return web.json_response({"text": words["gate_allowed"]})

    async def close(self, _: web.Application) -> None:
        """The server stops: so does what it compares."""
        await self._runs.close()

    def _drafts(self) -> Sequence[Article]:
        return drafts_in(self._knowledge)

    def _words(self, request: web.Request) -> Mapping[str, str]:
        return read_words(self._pages.language(request))


def _kinds(run: ReleaseRun | None) -> Sequence[tuple[str, int]]:
    """How many changes there are of each kind, those that are likely harm first."""
    if run is None or run.report is None:
        return ()
    harm = sum(c.harmful for c in run.report.changes)
    counts = [("harm", harm), *((str(kind), (run.counts or {}).get(kind, 0)) for kind in ChangeKind)]
    return [(name, n) for name, n in counts if n]


def _rows(report: GateReport | None, kind: str) -> Sequence[ChangeRow]:
    changes = report.changes if report is not None else ()
    wanted = [c for c in changes if kind in ("", str(c.kind)) or (kind == "harm" and c.harmful)]
    return [ChangeRow(mask(c.question.question), c) for c in wanted[:SHOWN]]


def _coverage(report: GateReport | None) -> Sequence[ArticleCoverage]:
    """What the draft changes first, then what it moves, then the rest by how much it answers."""
    rows = report.coverage if report is not None else ()
    return sorted(rows, key=lambda c: (not c.state, -abs(c.after - c.before), -c.after))[:ROWS]
