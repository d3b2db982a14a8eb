"""`bot kb gate`: what publishing a draft of the base would change for the questions of the last days; exit
code 1 where the owner's limits forbid it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import typer

from bot.app import open_judge, release_limits
from bot.cli import settings
from bot.cli.ask import ready
from bot.cli.clock import command_clock
from bot.cli.drawing import busy
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.store_reader import StoreReader
from bot.cli.suggestions import articles_at, with_folder
from bot.cli.turn_records import open_records
from bot.config.loader import Config
from bot.errors import BotError, ConfigError, Problem
from bot.knowledge.quality.golden import GOLDEN
from bot.knowledge.quality.release import (
    ArticleCoverage,
    ChangeKind,
    DecisionChange,
    GateProgress,
    GateReport,
    ReleaseAnswer,
)
from bot.knowledge.search import Knowledge
from bot.release_gate import DraftBase, GateTerms, ReleaseGate, draft_in, with_drafts_published
from bot.text.pii import mask
from bot.text.terminal_text import can_style

SHOWN = 15  # changes and articles shown without --all
STEP = 0.3  # seconds between looks at how far it is
_COLOURS = {ChangeKind.GAINED: "green", ChangeKind.ASKED: "green", ChangeKind.LOST: "red"}


@dataclass(frozen=True, slots=True)
class GateRequest:
    """Which draft (a folder; None: the folder of the settings, with its drafts published unless a *base* is
    named), compared with which base (a revision of git or a folder; "" = the folder of the settings), over
    which database.
    """

    folder: Path | None
    base: str
    db: Path | None


def check(path: Path | None, wanted: GateRequest, *, as_json: bool, everything: bool) -> None:
    """Print what changes, the likeliest harm first, what each article answers, and whether it may go out."""
    config = settings.load(path)
    if wanted.folder is not None and not wanted.folder.is_dir():
        raise fail(ConfigError([Problem(say("gate.no_folder", path=wanted.folder))]))
    try:
        with _in_use(config, wanted.base) as knowledge, open_records(config, wanted.db) as records:
            compared = partial(_compared, config, knowledge, _draft(config, knowledge, wanted))
            report = records.done(compared) if records is not None else asyncio.run(compared(None))
    except BotError as error:
        raise fail(error) from None
    if as_json:
        typer.echo(json.dumps(as_row(report), ensure_ascii=False, indent=1))
    else:
        for line, colour in _lines(
            report, len(report.changes) + len(report.coverage) if everything else SHOWN
        ):
            typer.secho(line, fg=colour)
    if report.blocked:
        raise typer.Exit(EXIT_PROBLEM)


@contextmanager
def _in_use(config: Config, base: str) -> Iterator[Knowledge]:
    """The base that the draft is compared with."""
    if not base:
        yield ready(config)
        return
    with articles_at(config, base) as folder:
        yield ready(with_folder(config, folder))


def _draft(config: Config, knowledge: Knowledge, wanted: GateRequest) -> DraftBase:
    if wanted.folder is None and not wanted.base:
        return with_drafts_published(knowledge)
    return draft_in(wanted.folder or config.path(config.knowledge.folder), list(config.channels))


async def _compared(
    config: Config, knowledge: Knowledge, draft: DraftBase, store: StoreReader | None
) -> GateReport:
    """The comparison; on a terminal it is told how far it is."""
    judge, golden = open_judge(config, knowledge), config.path(GOLDEN.as_posix())
    gate = ReleaseGate(store, knowledge, judge, GateTerms(release_limits(config), golden, command_clock()))
    progress = GateProgress()
    comparing = asyncio.ensure_future(gate.compare(draft, progress))
    with busy(say("progress.replaying")) as told:
        while not comparing.done():
            await asyncio.wait({comparing}, timeout=STEP)
            if progress.total and can_style(sys.stderr):
                told(f"{progress.done}/{progress.total}")
    return comparing.result()


# --- in words


def _lines(report: GateReport, shown: int) -> Iterator[tuple[str, str | None]]:
    facts = {"questions": report.questions, "asked": report.asked, "days": report.limits.days}
    yield say("gate.asked", **facts), None
    yield from _golden(report)
    for change in report.changes[:shown]:
        yield from _change(change)
    if (hidden := len(report.changes) - shown) > 0:
        yield say("gate.more", n=hidden), None
    yield from _coverage(report.coverage, shown)
    if report.unused:
        yield (
            say(
                "gate.unused", n=len(report.unused), names=", ".join(c.article for c in report.unused[:shown])
            ),
            None,
        )
    for file in report.unreadable:
        yield say("gate.unreadable", file=file), "red"
    yield from _verdict(report)


def _golden(report: GateReport) -> Iterator[tuple[str, str | None]]:
    for broken in report.golden:
        yield say("gate.golden", question=broken.question, line=broken.line, file=broken.file), "red"
        yield f"    - {broken.expected}\n    + {broken.got}", None


def _change(change: DecisionChange) -> Iterator[tuple[str, str | None]]:
    harm = say("gate.helped", n=change.helped) if change.harmful else ""
    head = say(f"gate.kind.{change.kind}", question=mask(change.question.question), n=change.question.asked)
    colour = "red" if change.harmful else _COLOURS.get(change.kind, "yellow")
    yield " · ".join(filter(None, (head, harm))), colour
    yield f"    - {_told(change.before)}\n    + {_told(change.after)}", None


def _told(answer: ReleaseAnswer) -> str:
    return " · ".join(
        filter(None, (say(f"message.decision.{answer.decision}"), answer.article, answer.title))
    )


def _coverage(coverage: Sequence[ArticleCoverage], shown: int) -> Iterator[tuple[str, str | None]]:
    """The articles whose share changes, those that the draft changes first."""
    moved = [c for c in coverage if c.before != c.after or c.state]
    if moved:
        yield say("gate.coverage"), None
    for row in sorted(moved, key=lambda c: (not c.state, -abs(c.after - c.before)))[:shown]:
        state = say(f"gate.state.{row.state}") if row.state else ""
        yield f"  {row.before:5} → {row.after:<5} {row.article} {state}".rstrip(), None


def _verdict(report: GateReport) -> Iterator[tuple[str, str | None]]:
    facts = {"lost": report.lost, "answered": report.answered, "after": report.answered_after}
    yield say("gate.total", share=f"{report.lost_share:.1%}", **facts), None
    if not report.enough:
        yield say("gate.few"), "yellow"
    for reason in report.blocked:
        values = {"lost": (f"{reason.value:.1%}", f"{reason.limit:.1%}")}.get(
            reason.code, (f"{reason.value:.0f}", f"{reason.limit:.0f}")
        )
        yield say(f"gate.blocked.{reason.code}", value=values[0], limit=values[1]), "red"
    if not report.blocked:
        yield say("gate.open"), "green"


def as_row(report: GateReport) -> dict[str, object]:
    """The report as other programs read it (a stable contract; fields may join). Words are masked."""
    return {
        "blocked": [asdict(reason) for reason in report.blocked],
        "limits": asdict(report.limits),
        "questions": report.questions,
        "asked": report.asked,
        "answered": {"before": report.answered, "after": report.answered_after},
        "lost": {"questions": report.lost, "share": round(report.lost_share, 4), "enough": report.enough},
        "golden": {"asked": report.golden_asked, "broken": [asdict(g) for g in report.golden]},
        "changes": [_change_row(change) for change in report.changes],
        "coverage": [asdict(row) for row in report.coverage],
        "unused": [row.article for row in report.unused],
        "unreadable": list(report.unreadable),
    }


def _change_row(change: DecisionChange) -> dict[str, object]:
    question = change.question
    return {
        "q": mask(question.question),
        "kind": str(change.kind),
        "harmful": change.harmful,
        "asked": question.asked,
        "handed_over": question.handed_over,
        "helped": change.helped,
        "not_helped": change.failed,
        "conversation": question.conversation,
        "at": question.at.isoformat(),
        "before": asdict(change.before),
        "after": asdict(change.after),
    }
