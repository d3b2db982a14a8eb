"""The commands by name; what a command needs is imported when it runs, so that `bot --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import typer
from rapidfuzz import process
from typer.core import TyperGroup

from bot.cli.speech import EXIT_USAGE, say


class NearestGroup(TyperGroup):
    """A group that names the nearest command when it does not know one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            near = process.extractOne(name, self.list_commands(ctx), score_cutoff=50)
            typer.secho(say("message.nearest", name=name, near=near[0]) if near else say("message.unknown", name=name), fg="red", err=True)
            raise typer.Exit(EXIT_USAGE)
        return super().resolve_command(ctx, args)


def group(help: str) -> typer.Typer:
    return typer.Typer(cls=NearestGroup, help=help, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


app = group(say("app"))
kb = group(say("command.kb"))
db = group(say("command.db"))
config_ = group(say("command.config"))
app.add_typer(kb, name="kb")
app.add_typer(db, name="db")
app.add_typer(config_, name="config")

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help=say("option.config"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("option.json"))]
Port = Annotated[int | None, typer.Option("--port", help=say("option.port"))]


@app.callback()
def common(lang: Annotated[str, typer.Option("--lang", help=say("option.lang"))] = "ru") -> None:
    pass


@app.command(help=say("command.run"))
def run(
    config: ConfigFile = None,
    no_web: Annotated[bool, typer.Option("--no-web", help=say("option.no_web"))] = False,
    port: Port = None,
) -> None:
    from bot.cli import running

    running.run_channels(config, web=not no_web, port=port)


@app.command(help=say("command.play"))
def play(config: ConfigFile = None, port: Port = None, no_open: Annotated[bool, typer.Option("--no-open", help=say("option.no_open"))] = False) -> None:
    from bot.cli import running

    running.run_playground(config, port=port, browser=not no_open)


@app.command(help=say("command.chat"))
def chat(config: ConfigFile = None) -> None:
    from bot.cli import running

    running.run_terminal(config)


@app.command(help=say("command.ask"))
def ask(
    text: Annotated[str | None, typer.Argument(help=say("option.text"))] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
    batch: Annotated[Path | None, typer.Option("--batch", help=say("option.batch"))] = None,
    language: Annotated[str, typer.Option("--language", help=say("option.language"))] = "",
) -> None:
    from bot.cli import asking

    asking.ask(text, config, as_json=as_json, batch=batch, language=language)


@app.command(help=say("command.doctor"))
def doctor(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import doctoring

    doctoring.examine(config, as_json=as_json)


@kb.command("ask", help=say("command.kb_ask"))
def kb_ask(text: Annotated[str, typer.Argument(help=say("option.text"))], config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import asking

    asking.explain(text, config, as_json=as_json)


@kb.command("list", help=say("command.kb_list"))
def kb_list(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import asking

    asking.list_articles(config, as_json=as_json)


@db.command("migrate", help=say("command.db_migrate"))
def db_migrate(config: ConfigFile = None) -> None:
    from bot.cli import database

    database.migrate(config)


@db.command("backup", help=say("command.db_backup"))
def db_backup(to: Annotated[Path, typer.Argument(help=say("option.backup_to"))], config: ConfigFile = None) -> None:
    from bot.cli import database

    database.backup(config, to)


@db.command("check", help=say("command.db_check"))
def db_check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import database

    database.check(config, as_json=as_json)


@config_.command("check", help=say("command.config_check"))
def config_check(config: ConfigFile = None) -> None:
    from bot.cli import settings

    settings.load(config)
    typer.echo(say("message.checked"))


@config_.command("reference", help=say("command.config_reference"))
def config_reference() -> None:
    from bot.cli import reference

    typer.echo(reference.config_reference(), nl=False)


def main() -> None:
    """The entry point `bot`."""
    app()
