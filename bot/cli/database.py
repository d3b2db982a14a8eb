"""`bot db`: the file that everything is kept in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.errors import StorageError
from bot.storage.sqlite.store import SqliteStore, copy_beside_owner


def migrate(path: Path | None) -> None:
    """Bring the file to the current schema; doing it again changes nothing."""

    async def done(store: SqliteStore) -> None:
        typer.echo(say("message.migrated", path=settings.load(path).storage_path))

    _with_store(path, done)


def backup(path: Path | None, to: Path) -> None:
    """Write a whole copy, also while the bot runs; the target appears only when it is complete."""
    config = settings.load(path)
    try:
        copy_beside_owner(config.storage_path, to)
    except StorageError as error:
        raise fail(error) from None
    typer.echo(say("message.saved", path=to))


def check(path: Path | None, *, as_json: bool) -> None:
    """Print what is wrong with the file; exit code 1 if anything is."""

    async def look(store: SqliteStore) -> None:
        wrong = await store.check()
        typer.echo(
            json.dumps(list(wrong), ensure_ascii=False)
            if as_json
            else "\n".join(wrong) or say("message.checked")
        )
        if wrong:
            raise typer.Exit(EXIT_PROBLEM)

    _with_store(path, look)


def _with_store(path: Path | None, work: Callable[[SqliteStore], Coroutine[object, object, None]]) -> None:
    config = settings.load(path)

    async def opened() -> None:
        store = SqliteStore.open(config.storage_path)
        try:
            await work(store)
        finally:
            await store.close()

    try:
        asyncio.run(opened())
    except StorageError as error:
        raise fail(error) from None
