"""`bot report`: the supervisor's figures in the terminal, as JSON, as a spreadsheet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

from bot.app import open_hours
from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.drawing import table
from bot.cli.messages import EXIT_PROBLEM, EXIT_USAGE, fail, language, say
from bot.cli.store_reader import store_beside
from bot.config.loader import Config
from bot.errors import BotError
from bot.knowledge.articles.schema import Article, read_articles
from bot.reports.export import to_csv, to_json, to_xlsx
from bot.reports.metrics import COUNTS
from bot.reports.periods import Period, between, week_before
from bot.reports.report import Report, make_report, read_facts
from bot.reports.slices import BEFORE
from bot.reports.tables import TableRow
from bot.reports.texts import ReportTexts, row_name
from bot.text.problems import told

TABLES = (
    "reasons",
    "operators",
    "topics",
    "categories",
    "tags",
    "channels",
    "articles",
    "ready",
    "after",
)  # that the command shows
LONGEST = 15  # rows of a table in the terminal


@dataclass(frozen=True, slots=True)
class ReportDays:
    """The days that are wanted, as they were typed; or the `week` before this one."""

    first: str
    last: str
    week: bool


@dataclass(frozen=True, slots=True)
class ReportOutput:
    """Where the report goes: files, or the terminal in words or as JSON."""

    as_json: bool
    xlsx: Path | None
    csv: Path | None


def report(path: Path | None, days: ReportDays, output: ReportOutput, *, database: Path | None) -> None:
    """Print the report, or write it. Exit code 2 when the days cannot be read."""
    config = settings.load(path, anywhere=database is not None)
    hours = open_hours(config)
    now = command_clock()()
    try:
        period = (
            week_before(now, hours.zone)
            if days.week
            else between(_day(days.first), _day(days.last), now, hours.zone)
        )
    except ValueError as error:
        typer.secho(say("message.bad_period", error=str(error)), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    try:
        made = asyncio.run(_made(config, period, database))
    except BotError as error:
        raise fail(error) from None
    saying = ReportTexts(language())
    for file, content in ((output.xlsx, to_xlsx), (output.csv, to_csv)):
        if file is not None:
            _write(file, content(made, saying))
            typer.echo(say("message.saved", path=file))
    if output.as_json:
        typer.echo(json.dumps(to_json(made), ensure_ascii=False))
    elif output.xlsx is None and output.csv is None:
        typer.echo(say("message.looked_at", file=database or config.storage_place))
        if not any(made.figures[c.__name__].n for c in COUNTS):
            typer.secho(say("message.empty_report"), fg="yellow")
        _show(made, saying)


def _write(file: Path, content: bytes) -> None:
    """Exit code 1 where the file cannot be written; a folder that is not there is made."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        typer.secho(say("message.not_saved", path=file, reason=error.strerror), fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM) from None


async def _made(config: Config, period: Period, database: Path | None) -> Report:
    """Read beside a running bot."""
    hours = open_hours(config)
    async with store_beside(config, database) as source:
        facts = await read_facts(
            source, hours, period, command_clock()(), answer_within=config.report.answer_within
        )
    return make_report(facts, period, _articles(config))


def _articles(config: Config) -> tuple[Article, ...]:
    """The articles, for their titles; without the folder their ids speak for themselves."""
    folder = config.path(config.knowledge.folder)
    return read_articles(folder)[0] if folder.is_dir() else ()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(told("report.day", value=text)) from None


def _show(made: Report, saying: ReportTexts) -> None:
    """The report for people: each figure with its definition, then the tables."""
    period = made.period
    typer.echo(f"{saying.word('report')} {period.first:%d.%m.%Y} – {period.last:%d.%m.%Y}")
    if made.demo:
        typer.echo(str(saying.word("demo")))
    typer.echo("")
    figures = list(_figures(made, saying))
    plain = [
        f"{name:14} {value:>12}  {change:>12}   {meaning}" if name else " " * 31 + meaning
        for name, value, change, meaning in figures
    ]
    columns = ("", *(say(f"column.{c}") for c in ("value", "change", "meaning")))
    table(figures, columns, plain, words=(0, 3))
    for name in TABLES:
        _show_table(made, name, saying)


def _figures(made: Report, saying: ReportTexts) -> Iterator[tuple[str, str, str, str]]:
    """Name, value, change and definition of each figure, and what it consists of below it."""
    for key in (c.__name__ for c in COUNTS):
        figure = made.figures[key]
        change = saying.change(key, figure, made.before[key]).text
        yield saying.short(key), saying.value(key, figure.value), change, saying.definition(key, made)
        details = [
            f"{saying.word(f'parts.{p}')} {saying.value(p, v)}"
            for p, v in figure.parts.items()
            if v is not None and not p.startswith("rated_")
        ]
        if details:
            yield "", "", "", f"n {figure.n} · " + " · ".join(details)


def _show_table(made: Report, name: str, saying: ReportTexts) -> None:
    found = made.tables.get(name)
    rows = [r for r in found.rows if any(r.cells.values())] if found else []
    if found is None or not rows:
        return
    rows = rows if name == "after" else rows[:LONGEST]
    columns = found.columns
    heads = [str(saying.word(f"tables.{name}.columns.{c}")) for c in columns]
    cells = [
        (row_name(made, name, r.key, r.name, saying), *(_cell(made, name, r, c, saying) for c in columns))
        for r in rows
    ]
    plain = [f"  {c[0][:34]:34}" + "".join(f"{value:>15}" for value in c[1:]) for c in cells]
    typer.echo(f"\n{saying.word(f'tables.{name}.name')}. {saying.word(f'tables.{name}.text')}")
    table(cells, ["", *heads], [f"  {'':34}" + "".join(f"{head:>15}" for head in heads), *plain])


def _cell(made: Report, table: str, row: TableRow, column: str, saying: ReportTexts) -> str:
    """A cell, and in brackets what it was in the period before."""
    value = saying.value(column, row.cells[column])
    if column not in made.tables[table].compared:
        return value
    return f"{value} ({saying.value(column, row.cells[f'{BEFORE}{column}'])})"
