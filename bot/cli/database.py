"""`bot db`: the file or database that everything is kept in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.drawing import busy
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.store_reader import own_store, with_store
from bot.config.loader import Config
from bot.errors import BotError, ConfigError
from bot.storage.base import Store
from bot.storage.sqlite.store import copy_beside_owner
from bot.text.problems import problem


def migrate(path: Path | None) -> None:
    """Bring the store to the current schema; doing it again changes nothing."""

    async def done(store: Store) -> None:
        typer.echo(say("message.migrated", path=settings.load(path).storage_place))

    with_store(path, done)


def backup(path: Path | None, to: Path) -> None:
    """Write a whole copy, also while the bot runs; the target appears only when it is complete."""
    config = settings.load(path)
    postgres = config.storage.url.startswith(("postgresql://", "postgres://"))
    try:
        if config.storage.is_file:
            copy_beside_owner(config.storage_path, to)
        elif postgres:
            from bot.storage.postgres.dump import dump  # of the extra postgres

            with busy(say("progress.copying")):
                dump(config.storage.listen_url or config.storage.url, to)
        else:
            asyncio.run(_kept(config, to))
    except ImportError:
        raise fail(ConfigError([problem("postgres.no_package", scheme="postgresql")])) from None
    except BotError as error:
        raise fail(error) from None
    typer.echo(say("message.saved", path=to))
    if postgres:
        typer.echo(say("message.restore", path=to))


async def _kept(config: Config, to: Path) -> None:
    async with own_store(config) as store:
        await store.backup(to)


def check(path: Path | None, *, as_json: bool) -> None:
    """Print what is wrong with the store; exit code 1 if anything is."""

    async def look(store: Store) -> None:
        wrong = await store.check()
        typer.echo(
            json.dumps(list(wrong), ensure_ascii=False)
            if as_json
            else "\n".join(wrong) or say("message.checked")
        )
        if wrong:
            raise typer.Exit(EXIT_PROBLEM)

    with_store(path, look)
