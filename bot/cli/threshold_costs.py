"""`bot eval --own`: what thresholds would cost on the questions that customers asked lately."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import typer

from bot.app import open_knowledge
from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.drawing import table
from bot.cli.messages import fail, say
from bot.cli.turn_records import looked_in, open_records
from bot.config.values import write_values
from bot.errors import BotError, ConfigError, Problem, StorageError
from bot.knowledge.quality.evaluation import Costs
from bot.knowledge.quality.threshold_costs import (
    FEWEST,
    CostTable,
    ThresholdCase,
    ThresholdCost,
    cost_table,
    expected_cases,
)

WIDTHS = (6, 9, 9, 9, 9, 9, 9)


@dataclass(frozen=True, slots=True)
class OwnQuestions:
    """Which of the customers' questions count: those of the last *days*, in the database *db*."""

    days: int
    db: Path | None


def evaluate_own(path: Path | None, own: OwnQuestions, costs: Costs, *, write: bool, as_json: bool) -> None:
    """Print what each threshold would cost, and write the cheapest where asked.

    With fewer than `FEWEST` questions nothing is advised or written.
    """
    config = settings.load(path)
    try:
        now = open_knowledge(config).settings
        cases = _asked(path, own)
    except BotError as error:
        raise fail(error) from None
    found = cost_table(cases, now=now.answer, handoff=now.handoff, costs=costs, measured=False)
    if as_json:
        typer.echo(
            json.dumps({**asdict(found), "enough": len(cases) >= FEWEST}, ensure_ascii=False, indent=1)
        )
    elif len(cases) >= FEWEST:
        typer.echo(say("eval.own", n=len(cases), days=own.days))
        show_costs(found)
    if len(cases) < FEWEST:
        if not as_json:
            typer.echo(say("eval.few", n=len(cases), days=own.days, fewest=FEWEST))
        return
    if write:
        file = path or Path("config.yaml")
        try:
            write_values(file, "knowledge", {"answer_threshold": found.cheapest.threshold})
        except BotError as error:
            raise fail(error) from None
        if not as_json:
            values = f"answer_threshold: {found.cheapest.threshold:g}"
            typer.echo(say("eval.written", path=file, values=values))


def _asked(path: Path | None, own: OwnQuestions) -> tuple[ThresholdCase, ...]:
    config = settings.load(path)
    since = command_clock()() - timedelta(days=own.days)
    try:
        with open_records(config, own.db) as records:
            if records is None:
                places = ", ".join(looked_in(config))
                raise ConfigError([Problem(say("gaps.no_records", places=places))])
            return expected_cases(t for t in records.turns() if t.at >= since)
    except StorageError as error:
        raise fail(error) from None


def show_costs(found: CostTable) -> None:
    """The thresholds side by side, with that of now and the cheapest marked."""
    typer.echo("")
    typer.echo(say("eval.costs_measured" if found.measured else "eval.costs_expected"))
    rows = [(*_cells(row), _mark(row, found)) for row in found.rows]
    plain = [
        " ".join(f"{cell:>{width}}" for cell, width in zip(row, WIDTHS, strict=False))
        + f"  {row[-1]}".rstrip()
        for row in rows
    ]
    table(rows, [*say("eval.costs_head").split(), ""], [say("eval.costs_head"), *plain], words=())
    typer.secho(
        say(
            "eval.costs_advice",
            answer=f"{found.cheapest.threshold:.2f}",
            cost=f"{100 * found.cheapest.cost:.0f}",
            now=f"{found.now.threshold:.2f}",
            now_cost=f"{100 * found.now.cost:.0f}",
        ),
        bold=True,
    )


def _cells(row: ThresholdCost) -> tuple[str, ...]:
    shares = (row.answered, row.right, row.wrong, row.asked, row.handed_over)
    return (f"{row.threshold:.2f}", *(f"{share:.1%}" for share in shares), f"{row.cost:.2f}")


def _mark(row: ThresholdCost, found: CostTable) -> str:
    marks = ("cheapest", found.cheapest.threshold), ("now", found.now.threshold)
    return ", ".join(say(f"eval.mark_{name}") for name, at in marks if at == row.threshold)
