"""`bot flows check | list | show | draw`: the flows of the owner's folder."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from bot.app import open_flows, open_knowledge
from bot.cli import outreach, settings
from bot.cli.messages import EXIT_PROBLEM, fail, language, say, show_problems
from bot.cli.store_reader import store_beside
from bot.config.loader import Config
from bot.dialogs.flows.flow_diagram import diagram
from bot.dialogs.flows.flow_file import FlowFile, spoken
from bot.dialogs.flows.flow_outline import beginnings, outline
from bot.dialogs.flows.flow_questions import questions_of
from bot.dialogs.flows.flow_reader import FlowFolder
from bot.errors import BotError, ConfigError
from bot.handoff.outreach.questionnaire_results import QuestionnaireResult, results
from bot.knowledge.search import Knowledge
from bot.reports.questionnaires import COLUMNS, answers_csv
from bot.text.problems import problem


def check(path: Path | None, *, strict: bool, as_json: bool) -> None:
    """Every fault with its file and line; exit code 1 where there is one (*strict*: or a warning)."""
    config = settings.load(path)
    found, flows = [], FlowFolder()
    try:
        flows = open_flows(config, _articles(config))
        found = [*flows.warnings]
    except ConfigError as error:
        found = [*error.problems]
    if as_json:
        rows = [
            {"file": p.file, "line": p.line, "text": p.text, "hint": p.hint, "severity": p.severity}
            for p in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        show_problems(found)
    if any(p.severity == "error" for p in found) or (strict and found):
        raise typer.Exit(EXIT_PROBLEM)
    if not as_json:
        typer.echo(say("flows.checked", count=len(flows.flows)))


def list_flows(path: Path | None, *, as_json: bool) -> None:
    config = settings.load(path)
    found = _flows(config)
    if as_json:
        rows = [
            {
                "name": f.name,
                "title": f.called(language()),
                "steps": len(f.steps),
                "begins": [*beginnings(f, language())],
                "questionnaire": f.questionnaire is not None,
            }
            for f in found.values()
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for flow in found.values():
        about = "; ".join(beginnings(flow, language()))
        typer.echo(
            say(
                "flows.row", name=flow.name, title=flow.called(language()), count=len(flow.steps), about=about
            )
        )


def show(path: Path | None, name: str) -> None:
    """The steps in words."""
    flow = _flow(path, name)
    typer.secho(flow.called(language()), bold=True)
    for text in beginnings(flow, language()):
        typer.echo(f"  {text}")
    for step in outline(flow, language()):
        typer.echo(f"{step.number + 1}. {step.name} · {step.title}" + (f": {step.text}" if step.text else ""))
        for way in step.ways:
            typer.secho(f"     {way.why} → {way.where}", dim=True)


def draw(path: Path | None, name: str, to: Path | None) -> None:
    """The diagram as an SVG file."""
    flow = _flow(path, name)
    file = to or Path(f"{flow.name}.svg")
    try:
        file.write_text(diagram(flow, language()), "utf-8")
    except OSError as error:
        raise fail(ConfigError([problem("flows.unwritable", str(file), reason=error.strerror)])) from None
    typer.echo(say("flows.drawn", file=file))


def send(path: Path | None, name: str, conditions: str, *, yes: bool) -> None:
    """A questionnaire to a segment: counted, shown and, when somebody says yes, sent."""
    flow = _questionnaire(path, name)
    assert flow.questionnaire is not None
    invite = spoken(flow.questionnaire.invite, language())
    outreach.ask(path, flow.name, invite, conditions, yes=yes)


def result(path: Path | None, name: str, *, to: Path | None, as_json: bool) -> None:
    """What came of a questionnaire; *to* is a file for every answer (CSV)."""
    config, flow = settings.load(path), _questionnaire(path, name)
    steps = questions_of(flow, language())

    async def read() -> QuestionnaireResult:
        async with store_beside(config) as source:
            return await results(source, flow.name, steps)

    try:
        came = asyncio.run(read())
        if to is not None:
            titles = {column: say(f"flows.column.{column}") for column in COLUMNS}
            to.write_bytes(answers_csv(came, steps, titles, ZoneInfo(config.hours.timezone)))
    except BotError as error:
        raise fail(error) from None
    except OSError as error:
        raise fail(ConfigError([problem("flows.unwritable", str(to), reason=error.strerror)])) from None
    if as_json:
        typer.echo(json.dumps(_as_json(came), ensure_ascii=False, indent=1))
        return
    facts = {"sent": came.sent, "begun": came.begun, "done": came.done, "share": f"{came.share:.0%}"}
    typer.secho(say("flows.came", title=flow.called(language()), **facts), bold=True)
    for one in came.steps:
        mean = say("flows.mean", mean=f"{one.mean:.1f}") if one.mean is not None else ""
        typer.echo(say("flows.answered", title=one.step.title, count=one.answered, mean=mean))
        for label, count in one.counts:
            typer.echo(f"     {count:>5}  {label}")
        for words in one.words:
            typer.echo(f"     «{words}»")
    if to is not None:
        typer.echo(say("flows.kept", file=to))


def _as_json(came: QuestionnaireResult) -> dict[str, object]:
    return {
        "sent": came.sent,
        "begun": came.begun,
        "done": came.done,
        "share": round(came.share, 4),
        "steps": [
            {
                "name": s.step.name,
                "title": s.step.title,
                "answered": s.answered,
                "skipped": s.skipped,
                "counts": dict(s.counts),
                "mean": s.mean,
                "words": s.words,
            }
            for s in came.steps
        ],
    }


def _questionnaire(path: Path | None, name: str) -> FlowFile:
    flow = _flow(path, name)
    if flow.questionnaire is None:
        raise fail(ConfigError([problem("flows.no_questionnaire", str(flow.file), name=flow.name)]))
    return flow


def _flow(path: Path | None, name: str) -> FlowFile:
    found = _flows(settings.load(path))
    if (flow := found.get(name.removesuffix(".yaml"))) is None:
        raise fail(ConfigError([problem("flows.unknown", name=name, known=", ".join(found))]))
    return flow


def _flows(config: Config) -> dict[str, FlowFile]:
    try:
        found = dict(open_flows(config).flows)
    except BotError as error:
        raise fail(error) from None
    if not found:
        folder = config.path(config.flows.folder)
        raise fail(ConfigError([problem("flows.none", folder=folder)]))
    return found


def _articles(config: Config) -> Knowledge | None:
    """The articles, where there are any: a flow may end with one."""
    return open_knowledge(config) if config.path(config.knowledge.folder).is_dir() else None
