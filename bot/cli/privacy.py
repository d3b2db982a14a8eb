"""`bot export`, `bot forget`: what is kept about one customer, and nothing of it any more."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.store_reader import own_store, with_store
from bot.config.loader import Config
from bot.errors import BotError, StorageError
from bot.model import Peer
from bot.storage.base import Store
from bot.storage.sqlite.store import SqliteStore, copy_beside_owner


def export(path: Path | None, who: str, to: Path | None) -> None:
    """Everything kept about a customer as JSON, also while the bot runs; exit code 1 where they are not
    known.
    """
    config = settings.load(path)

    async def told() -> None:
        async with _whole_store(config) as store:
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
        asyncio.run(told())
    except OSError as error:
        raise fail(StorageError(str(error))) from None
    except BotError as error:
        raise fail(error) from None


@asynccontextmanager
async def _whole_store(config: Config) -> AsyncIterator[Store]:
    """The store beside a running bot: of a file, whose owner the bot is, a copy."""
    if not config.storage.is_file:
        async with own_store(config) as store:
            yield store
        return
    source = Path(config.storage_path)
    folder = source.parent if source.parent.is_dir() else None
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as place:
        copy_beside_owner(source, Path(place) / source.name)
        copied = SqliteStore.open(Path(place) / source.name)
        try:
            yield copied
        finally:
            await copied.close()


def forget(path: Path | None, who: str, *, yes: bool) -> None:
    """Blank a customer's words, names and addresses in every table; exit code 1 where they are not known."""
    if not yes and not typer.confirm(say("message.forget_sure", who=who)):
        raise typer.Exit(EXIT_PROBLEM)

    async def done(store: Store) -> None:
        if not await store.forget_customer(await find_customer(store, who), command_clock()()):
            raise unknown_customer(who)
        typer.echo(say("message.forgotten", who=who))

    with_store(path, done, busy=say("message.forget_running"))


async def find_customer(store: Store, who: str) -> int:
    """A customer's own number, or channel:chat as operators see it."""
    if who.isdigit():
        return int(who)
    channel, _, chat = who.partition(":")
    found = await store.conversation(Peer(channel, chat))
    return found.customer or 0 if found else 0


def unknown_customer(who: str) -> typer.Exit:
    typer.secho(say("message.no_customer", who=who), fg="red", err=True)
    return typer.Exit(EXIT_PROBLEM)
