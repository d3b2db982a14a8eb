"""`bot kb import` and `bot kb export`: the base from and to other programs."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.ask import opened
from bot.cli.drawing import followed, table
from bot.cli.messages import EXIT_USAGE, fail, say
from bot.errors import BotError
from bot.knowledge.articles.exporting import export
from bot.knowledge.articles.importing import read_import, write_import

SHOWN = 20


def bring(source: Path, path: Path | None, *, section: str, status: str, dry: bool) -> None:
    """Write the articles of *source* as files, drafts unless said otherwise; with *dry* only say what would
    be written.
    """
    if status not in ("draft", "published"):
        typer.secho(say("carry.bad_status", status=status), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    config = settings.load(path, anywhere=True)
    folder = config.path(config.knowledge.folder)
    try:
        found = read_import(source)
        if dry:
            table(
                [(a.section or "-", str(len(a.aliases)), a.title) for a in found[:SHOWN]],
                [say(f"column.{c}") for c in ("section", "aliases", "title")],
                [f"{a.section or '-':20} {len(a.aliases):3}  {a.title}" for a in found[:SHOWN]],
                words=(0, 2),
            )
            typer.echo(say("carry.would", count=len(found)))
            return
        brought = write_import(
            followed(found, say("progress.importing"), len(found)), folder, section=section, status=status
        )
    except BotError as error:
        raise fail(error) from None
    for file in brought.written[:SHOWN]:
        typer.echo(file.relative_to(folder.resolve()).as_posix())
    if len(brought.written) > SHOWN:
        typer.echo("…")
    for file in brought.skipped[:SHOWN]:
        typer.secho(say("carry.skipped", path=file.relative_to(folder.resolve()).as_posix()), fg="yellow")
    typer.echo(say("carry.brought", count=len(brought.written), skipped=len(brought.skipped)))


def carry_out(target: Path, path: Path | None) -> None:
    """Write the whole base into one file."""
    knowledge = opened(settings.load(path))
    try:
        count = export(knowledge.articles(), target)
    except BotError as error:
        raise fail(error) from None
    typer.echo(say("carry.exported", count=count, path=target))
