"""Comparisons of a draft with the base in use, the last few kept in the store: any replica shows how far one
is, stops it, and shows what came of it.

law: what is kept holds no words of customers; questions are read again from their turns when they are shown,
so that what is forgotten is forgotten here, too.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.errors import BotError
from bot.knowledge.quality.release import (
    ArticleCoverage,
    ChangeKind,
    DecisionChange,
    GateCancelled,
    GateProgress,
    GateReport,
    GoldenBreak,
    ReleaseAnswer,
    ReleaseLimits,
    ReplayedQuestion,
)
from bot.observability import get_logger
from bot.release_gate import DraftBase, ReleaseGate
from bot.storage.base import Store

BEAT = 0.5  # seconds between looks at whether somebody stopped it
SILENT = timedelta(seconds=30)  # after which a comparison that says nothing has died with its process
KEPT = 5  # comparisons, the newest
MOST = 300  # changes kept, the worst
LIST = "release_runs"  # the setting that names them, the newest first


@dataclass(frozen=True, slots=True)
class ReleaseRun:
    """A comparison: `state` is running, done, stopped or failed (`error` says why), `drafts` are the articles
    it was asked for. `counts` are the changes of each kind, also those that are not kept.
    """

    id: str
    state: str
    at: datetime
    begun: datetime
    by: str = ""
    drafts: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    error: str = ""
    report: GateReport | None = None
    counts: Mapping[str, int] | None = None


class ReleaseBusy(BotError):
    """Another comparison runs in this process; nothing was begun."""


class ReleaseRuns:
    """The comparisons of one base, one at a time in each process."""

    def __init__(self, store: Store, gate: ReleaseGate, clock: Clock) -> None:
        self._store, self._gate, self._clock = store, gate, clock
        self._task: asyncio.Task[None] | None = None
        self._log = get_logger("release")

    async def start(self, draft: DraftBase, drafts: Sequence[str], by: str) -> str:
        """Begin to compare; returns the name under which it is found. Raises `ReleaseBusy`."""
        if self._task is not None and not self._task.done():
            raise ReleaseBusy
        now = self._clock()
        run = ReleaseRun(secrets.token_hex(6), "running", now, now, by, tuple(drafts))
        self._task = asyncio.create_task(self._run(run, draft))
        known = await self.names()
        await self._store.keep_setting(LIST, json.dumps([run.id, *known][:KEPT]))
        for old in known[KEPT - 1 :]:
            await self._store.keep_setting(_setting(old), None)
            await self._store.keep_setting(_stop(old), None)
        return run.id

    async def stop(self, id: str) -> None:
        """Somebody no longer wants it; the process that compares sees that within a second."""
        if await self._store.setting(_setting(id)) is not None:
            await self._store.keep_setting(_stop(id), "yes")

    async def names(self) -> tuple[str, ...]:
        """Of the comparisons that are kept, the newest first."""
        return tuple(json.loads(await self._store.setting(LIST) or "[]"))

    async def find(self, id: str) -> ReleaseRun | None:
        """A comparison as it is now, with the questions as they were typed. Raises `StorageError`."""
        kept = await self._store.setting(_setting(id)) if id else None
        if kept is None:
            return None
        row: dict[str, Any] = json.loads(kept)
        report = await self._report(row["report"]) if row["report"] else None
        moments = {name: datetime.fromisoformat(row[name]) for name in ("at", "begun")}
        run = ReleaseRun(**{**row, **moments, "drafts": tuple(row["drafts"]), "report": report})
        if run.state == "running" and self._clock() - run.at > SILENT:
            return replace(run, state="stopped")
        return run

    async def close(self) -> None:
        """The process ends: what runs is stopped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- at work

    async def _run(self, run: ReleaseRun, draft: DraftBase) -> None:
        progress = GateProgress()
        try:
            await self._keep(run)
            comparing = asyncio.ensure_future(self._gate.compare(draft, progress))
            try:
                await self._watch(run, comparing, progress)
            finally:
                comparing.cancel()
            report = comparing.result()
            counts = {str(kind): sum(c.kind is kind for c in report.changes) for kind in ChangeKind}
            kept = replace(report, changes=report.changes[:MOST])
            ended = replace(run, state="done", report=kept, counts=counts)
        except (GateCancelled, asyncio.CancelledError):
            ended = replace(run, state="stopped")
        except BotError as error:
            ended = replace(run, state="failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to be told
            self._log.exception("release_not_compared", error=str(error))
            ended = replace(run, state="failed", error=type(error).__name__)
        await self._keep(replace(ended, at=self._clock(), done=progress.done, total=progress.total))

    async def _watch(
        self, run: ReleaseRun, comparing: asyncio.Future[GateReport], progress: GateProgress
    ) -> None:
        """Say how far it is until it ends, or until somebody stops it."""
        while not comparing.done():
            await asyncio.wait({comparing}, timeout=BEAT)
            if await self._store.setting(_stop(run.id)) is not None:
                progress.cancelled = True
                raise GateCancelled
            if not comparing.done():
                await self._keep(replace(run, at=self._clock(), done=progress.done, total=progress.total))

    async def _keep(self, run: ReleaseRun) -> None:
        row = {field.name: getattr(run, field.name) for field in fields(run)}
        row |= {"at": run.at.isoformat(), "begun": run.begun.isoformat()}
        row["report"] = None if run.report is None else _without_words(run.report)
        await self._store.keep_setting(_setting(run.id), json.dumps(row, ensure_ascii=False))

    # --- the report as it is kept

    async def _report(self, row: dict[str, Any]) -> GateReport:
        changes = [await self._change(change) for change in row["changes"]]
        return GateReport(
            **{
                **row,
                "limits": ReleaseLimits(**row["limits"]),
                "changes": tuple(c for c in changes if c is not None),
                "coverage": tuple(ArticleCoverage(**c) for c in row["coverage"]),
                "golden": tuple(GoldenBreak(**g) for g in row["golden"]),
                "unreadable": tuple(row["unreadable"]),
            }
        )

    async def _change(self, row: dict[str, Any]) -> DecisionChange | None:
        """None where the question was forgotten."""
        question = row["question"]
        turns = await self._store.turns(after=question["turn"] - 1, limit=1)
        text = turns[0].text.strip() if turns and turns[0].id == question["turn"] else ""
        if not text:
            return None
        asked = {**question, "question": text, "at": datetime.fromisoformat(question["at"])}
        return DecisionChange(
            ReplayedQuestion(**asked),
            ChangeKind(row["kind"]),
            ReleaseAnswer(**row["before"]),
            ReleaseAnswer(**row["after"]),
            row["helped"],
            row["failed"],
        )


def _without_words(report: GateReport) -> dict[str, Any]:
    row = asdict(report)
    for change in row["changes"]:
        question = change["question"]
        question |= {
            "question": "",
            "at": question["at"].isoformat(),
            "helped": {},
            "failed": {},
            "fields": {},
        }
    return row


def _setting(id: str) -> str:
    return f"release_run:{id}"


def _stop(id: str) -> str:
    return f"release_stop:{id}"
