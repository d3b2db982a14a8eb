"""`bot export`, `bot forget`: what is kept about one customer, and nothing of it any more."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import typer

from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.errors import StorageBusy, StorageError
from bot.model import Peer
from bot.storage.sqlite.store import SqliteStore, copy_beside_owner


def export(path: Path | None, who: str, to: Path | None) -> None:
    """Everything kept about a customer as JSON, also while the bot runs (of a copy); exit code 1 where they
    are not known.
    """
    source = Path(settings.load(path).storage_path)

    async def told(store: SqliteStore) -> None:
        found = await store.export_customer(await find_customer(store, who))
        if not found:
            raise unknown_customer(who)
        text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
        if to is None:
            typer.echo(text)
            return
        to.touch(mode=0o600)
        to.write_text(text + "\n", encoding="utf-8")
        typer.echo(say("message.saved", path=to))

    try:
        with tempfile.TemporaryDirectory(
            dir=source.parent if source.parent.is_dir() else None, prefix=".export-"
        ) as place:
            copy_beside_owner(source, Path(place) / source.name)
            asyncio.run(_with(Path(place) / source.name, told))
    except (StorageError, OSError) as error:
        raise fail(StorageError(str(error))) from None


def forget(path: Path | None, who: str, *, yes: bool) -> None:
    """Blank a customer's words, names and addresses in every table; exit code 1 where they are not known."""
    if not yes and not typer.confirm(say("message.forget_sure", who=who)):
        raise typer.Exit(EXIT_PROBLEM)

    async def done(store: SqliteStore) -> None:
        if not await store.forget_customer(await find_customer(store, who), command_clock()()):
            raise unknown_customer(who)
        typer.echo(say("message.forgotten", who=who))

    with_store(path, done, busy=say("message.forget_running"))


async def find_customer(store: SqliteStore, who: str) -> int:
    """A customer's own number, or channel:chat as operators see it."""
    if who.isdigit():
        return int(who)
    channel, _, chat = who.partition(":")
    found = await store.conversation(Peer(channel, chat))
    return found.customer or 0 if found else 0


def unknown_customer(who: str) -> typer.Exit:
    typer.secho(say("message.no_customer", who=who), fg="red", err=True)
    return typer.Exit(EXIT_PROBLEM)


def with_store(path: Path | None, work: Any, *, busy: str = "") -> None:
    """Do *work* with the store that no bot holds; *busy* says what to do where one does."""
    config = settings.load(path)

    try:
        asyncio.run(_with(config.storage_path, work))
    except StorageBusy as error:
        raise fail(StorageError(f"{error}\n→ {busy}" if busy else str(error))) from None
    except (StorageError, sqlite3.Error) as error:
        raise fail(error if isinstance(error, StorageError) else StorageError(str(error))) from None


async def _with(file: str | Path, work: Any) -> None:
    store = SqliteStore.open(file)
    try:
        done: Coroutine[Any, Any, None] = work(store)
        await done
    finally:
        await store.close()
