"""`bot flows check | list | show | draw`: the flows of the owner's folder."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from bot.app import open_flows, open_knowledge
from bot.cli import settings
from bot.cli.messages import EXIT_PROBLEM, fail, language, say, show_problems
from bot.config.loader import Config
from bot.dialogs.flows.flow_diagram import diagram
from bot.dialogs.flows.flow_file import FlowFile
from bot.dialogs.flows.flow_outline import beginnings, outline
from bot.dialogs.flows.flow_reader import FlowFolder
from bot.errors import BotError, ConfigError
from bot.knowledge.search import Knowledge
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
