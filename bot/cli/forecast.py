"""`bot forecast`: the coming week by the hour, its error, and the operators it takes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import typer

from bot.app import open_hours
from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.drawing import table
from bot.cli.messages import fail, language, say
from bot.cli.store_reader import store_beside
from bot.config.loader import Config
from bot.errors import BotError
from bot.reports.forecast import Forecast, ForecastError, ServiceGoal, read_forecast
from bot.reports.texts import ReportTexts


def forecast(path: Path | None, *, as_json: bool, database: Path | None) -> None:
    """Print the forecast. Exit code 1 where the storage cannot be read."""
    config = settings.load(path, anywhere=database is not None)
    try:
        made = asyncio.run(_made(config, database))
    except BotError as error:
        raise fail(error) from None
    if as_json:
        typer.echo(json.dumps(_json(made), ensure_ascii=False))
        return
    saying = ReportTexts(language())
    typer.echo(say("message.looked_at", file=database or config.storage_place))
    if not made.hours:
        typer.secho(str(saying.word("forecast.young")).format(weeks=made.weeks), fg="yellow")
        return
    _show(made, saying, config)


async def _made(config: Config, database: Path | None) -> Forecast:
    async with store_beside(config, database) as source:
        rules = config.report
        goal = ServiceGoal(rules.answer_share, rules.answer_within, rules.at_once)
        return await read_forecast(source, open_hours(config), command_clock()(), goal)


def _show(made: Forecast, saying: ReportTexts, config: Config) -> None:
    days, word = made.days(), saying.word
    rows = []
    for hour in range(24):
        cells = [f"{hour:02}:00"]
        for of_day in days.values():
            some = of_day.get(hour, ())
            need = [h.operators for h in some if h.operators is not None]
            shown = f"{sum(h.tickets for h in some):.1f}" if some else "—"
            cells.append(f"{shown} / {max(need)}" if need else shown)
        rows.append(tuple(cells))
    heads = [
        "",
        *(f"{word('weekdays')[day.weekday()]} {day:%d.%m}{'*' * (day in made.holidays)}" for day in days),
    ]
    typer.echo(f"\n{word('forecast.title')}. {word('forecast.cells')}")
    plain = ["  ".join(f"{cell:>12}" for cell in row) for row in [tuple(heads), *rows]]
    table(rows, heads, plain)
    if any(day in made.holidays for day in days):
        typer.echo(f"* {word('forecast.holiday')}")
    for told, name in ((made.tickets, "tickets"), (made.visits, "visits")):
        typer.echo(_error(told, str(word(f"forecast.{name}")), saying))
    key = "forecast.handling" if made.handled else "forecast.assumed"
    typer.echo(
        str(word(key)).format(
            time=saying.show("seconds", made.handling),
            n=made.handled,
            share=saying.show("share", config.report.answer_share),
            within=saying.show("seconds", config.report.answer_within),
            at_once=config.report.at_once,
        )
    )


def _error(told: ForecastError, name: str, saying: ReportTexts) -> str:
    if told.mean is None or told.naive is None:
        return str(saying.word("forecast.no_error")).format(name=name)
    return str(saying.word("forecast.error")).format(
        name=name,
        mean=f"{told.mean:.1f}",
        share=saying.show("share", told.share),
        naive=f"{told.naive:.1f}",
        naive_share=saying.show("share", told.naive_share),
        hours=told.hours,
    )


def _json(made: Forecast) -> dict[str, object]:
    return {
        "made": made.made.isoformat(),
        "zone": str(made.zone),
        "weeks": made.weeks,
        "handling_seconds": made.handling,
        "handled_tickets": made.handled,
        "errors": {
            name: {"hours": e.hours, "mean": e.mean, "share": e.share, "naive": e.naive}
            for name, e in (("tickets", made.tickets), ("visits", made.visits))
        },
        "hours": [
            {
                "start": h.start.astimezone(made.zone).isoformat(),
                "visits": round(h.visits, 2),
                "tickets": round(h.tickets, 2),
                "waiting": round(h.waiting, 2),
                "operators": h.operators,
            }
            for h in made.hours
        ],
    }
