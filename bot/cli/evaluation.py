"""`bot eval`: how good the decision is on questions whose answer is known, and which thresholds suit the
business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from bot.app import open_judge
from bot.cli import settings
from bot.cli.ask import ready
from bot.cli.charts import ChartUnavailable, as_svg, chart, has_cyrillic, write_png
from bot.cli.drawing import followed, table
from bot.cli.messages import EXIT_USAGE, fail, language, say, words_in
from bot.cli.threshold_costs import show_costs
from bot.config.values import write_values
from bot.errors import BotError, ConfigError, Problem
from bot.knowledge.quality.evaluation import (
    Costs,
    EvaluationCase,
    EvaluationReport,
    ThresholdAdvice,
    ThresholdPoint,
    advise,
    judge_cases,
    measure,
    read_cases,
)
from bot.knowledge.quality.golden import GOLDEN
from bot.knowledge.quality.threshold_costs import cost_table, measured_cases
from bot.model import Answer

SHOWN = 5  # wrong answers shown


@dataclass(frozen=True, slots=True)
class EvaluationOutput:
    """Where the evaluation goes: charts, the config (`write`; `by_cost`: the cheapest threshold), the
    terminal in words or as JSON.
    """

    charts: Sequence[Path]
    write: bool
    as_json: bool
    by_cost: bool = False


def evaluate(
    file: Path | None, path: Path | None, *, precision: float, costs: Costs, output: EvaluationOutput
) -> None:
    """Print what was measured and the thresholds for the wanted *precision*; draw and write them where
    asked.
    """
    if strange := [c for c in output.charts if c.suffix.lower() not in (".svg", ".png")]:
        typer.secho(say("eval.bad_chart", path=strange[0]), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    config = settings.load(path)
    try:
        cases = read_cases(file or config.path(GOLDEN.as_posix()))
        if not cases:
            raise ConfigError([Problem(say("eval.nothing"), str(file or GOLDEN))])
        knowledge = ready(config)
        missing = sorted({c.article for c in cases if c.article} - {a.id for a in knowledge.articles()})
        if missing:
            raise ConfigError(
                [
                    Problem(
                        say("eval.no_article", names=", ".join(missing[:5])),
                        str(file or GOLDEN),
                        hint="bot kb list",
                    )
                ]
            )

        judge = open_judge(config, knowledge)

        def ask(case: EvaluationCase) -> Answer:
            return judge(case.question, language=case.language)

        judged = judge_cases(
            followed(cases, say("progress.asking"), len(cases)),
            ask,
            {a.id: a.twin_of for a in knowledge.articles() if a.twin_of},
        )
        report = measure(judged, handoff=knowledge.settings.handoff, costs=costs)
        advice = advise(judged, precision=precision, handoff=knowledge.settings.handoff, costs=costs)
        for target in output.charts:
            _draw(report, advice, target)
    except BotError as error:
        raise fail(error) from None
    if output.as_json:
        left_out = {"wrong", "points", "bins"}
        row = {k: v for k, v in asdict(report).items() if k not in left_out}
        told = {
            **row,
            "acts": len(cases) - len(judged),
            "points": [asdict(p) for p in report.points],
            "bins": report.bins,
            "advice": asdict(advice),
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(report, advice, precision, len(cases) - len(judged), knowledge.settings.answer)
        for target in output.charts:
            typer.echo(say("eval.drawn", path=target))
        settings_now = knowledge.settings
        show_costs(
            cost_table(
                measured_cases(judged),
                now=settings_now.answer,
                handoff=settings_now.handoff,
                costs=costs,
                measured=True,
            )
        )
    if output.write:
        _write(path, replace(advice, answer=advice.cheapest) if output.by_cost else advice, output.as_json)


def _cells(point: ThresholdPoint) -> tuple[str, ...]:
    counts = (point.answered, point.wrong, point.clarified, point.handed_over)
    shares = (f"{point.precision:.3f}", f"{point.coverage:.3f}", f"{point.cost:.2f}")
    return (f"{point.threshold:.2f}", *map(str, counts), *shares)


def _show(report: EvaluationReport, advice: ThresholdAdvice, precision: float, acts: int, now: float) -> None:
    typer.echo(
        say(
            "eval.asked",
            questions=report.questions,
            known=report.in_scope,
            strangers=report.strangers,
            acts=acts,
        )
    )
    typer.echo(say("eval.recall", one=f"{report.recall1:.3f}", three=f"{report.recall3:.3f}"))
    typer.echo(
        say(
            "eval.answers",
            answered=report.answered,
            precision=f"{report.precision:.3f}",
            coverage=f"{report.coverage:.3f}",
            offered=f"{report.offered:.3f}",
        )
    )
    if report.strangers:
        typer.echo(
            say(
                "eval.strangers",
                answered=report.strangers_answered,
                handed=report.strangers_handed,
                total=report.strangers,
            )
        )
    typer.echo(say("eval.ece", ece=f"{report.ece:.3f}"))
    typer.echo("")
    rows = [(*_cells(p), "←" if abs(p.threshold - advice.answer) < 0.025 else "") for p in report.points]
    widths = (6, 8, 8, 8, 9, 9, 9, 9)
    plain = [
        " ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)) + (row[-1] and " ←")
        for row in rows
    ]
    table(rows, [*say("eval.head").split(), ""], [say("eval.head"), *plain], words=())
    typer.echo("")
    if report.wrong:
        typer.echo(say("eval.wrong"))
        for judged in report.wrong[:SHOWN]:
            typer.echo(
                f"  «{judged.case.question}» → {judged.confidence:.2f}, {say('eval.should')}"
                f" {judged.case.article or say('eval.nobody')}"
            )
    key = "eval.advice" if advice.reached else "eval.no_advice"
    typer.secho(
        say(
            key,
            wanted=f"{precision:.2f}",
            answer=f"{advice.answer:.2f}",
            precision=f"{advice.precision:.3f}",
            coverage=f"{advice.coverage:.3f}",
            now=f"{now:.2f}",
        ),
        bold=True,
    )
    if advice.scope is not None:
        typer.echo(say("eval.scope", scope=f"{advice.scope:.2f}"))
    typer.echo(say("eval.cheapest", answer=f"{advice.cheapest:.2f}"))


def _draw(report: EvaluationReport, advice: ThresholdAdvice, target: Path) -> None:
    png = target.suffix.lower() == ".png"
    lang = "en" if png and not has_cyrillic() else language()
    shapes = chart(report, advice, words_in(lang, "eval.chart"))
    target.parent.mkdir(parents=True, exist_ok=True)
    if png:
        write_png(shapes, target)
    else:
        target.write_text(as_svg(shapes), encoding="utf-8")


def _write(path: Path | None, advice: ThresholdAdvice, quiet: bool) -> None:
    file = path or Path("config.yaml")
    values = {
        "answer_threshold": advice.answer,
        **({"scope_threshold": advice.scope} if advice.scope is not None else {}),
    }
    try:
        write_values(file, "knowledge", values)
    except BotError as error:
        raise fail(error) from None
    if not quiet:
        typer.echo(say("eval.written", path=file, values=", ".join(f"{k}: {v}" for k, v in values.items())))


__all__ = ["ChartUnavailable", "evaluate"]
