"""`bot db move`: everything from SQLite to PostgreSQL or back, counted and compared."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.drawing import followed, table
from bot.cli.messages import fail, say
from bot.cli.store_reader import own_store
from bot.command_spool import spool_folder
from bot.config.environment import environment_beside
from bot.config.faults import VARIABLE
from bot.config.loader import Config, Storage, substituted
from bot.errors import BotError, StorageError
from bot.storage.move import Move, MovedTable, MoveEnd
from bot.storage.sqlite.move_end import SqliteEnd, made_file
from bot.text.problems import told

SEEN = timedelta(seconds=30)  # who reported since then may be at work


def move(path: Path | None, source: str, target: str) -> None:
    """Move *source* into *target*, which is empty.

    Exit code 1 where that cannot be: then both are as they were.
    """
    config = settings.load(path, anywhere=True)
    try:
        ends = _stored_at(config, source), _stored_at(config, target)
        if ends[0].storage.is_file == ends[1].storage.is_file:
            raise StorageError(told("move.kinds"))
        asyncio.run(_make_ready(*ends))
        moved = _moved(*ends)
    except BotError as error:
        raise fail(error) from None
    _show(moved)
    typer.echo(say("message.moved", source=ends[0].storage_place, target=ends[1].storage_place))


def _stored_at(config: Config, url: str) -> Config:
    """The config with another store."""
    environment = environment_beside(config.base)
    filled = substituted(url, environment)
    if filled is None:
        unset = [name for name in VARIABLE.findall(url) if not environment.get(name)]
        raise StorageError(told("move.variable", variables=", ".join(unset)))
    found = config.model_copy(update={"storage": Storage(url=filled)})
    scheme = str(filled).partition("://")[0]
    if not found.storage.is_file and scheme not in ("postgresql", "postgres"):
        raise StorageError(told("move.kinds"))
    if found.storage.is_file and found.storage_path == ":memory:":
        raise StorageError(told("move.in_memory"))
    return found


async def _make_ready(source: Config, target: Config) -> None:
    """The schema of this version is there on both sides, and nobody works on them."""
    for end in (source, target):
        if not end.storage.is_file:
            async with own_store(end) as store:
                now = await store.clock() or command_clock()()
                if at_work := await store.replicas(now - SEEN):
                    names = ", ".join(r.name for r in at_work)
                    raise StorageError(told("move.in_use", place=end.storage_place, names=names))
    if target.storage.is_file:
        await made_file(Path(target.storage_path), command_clock())
        return
    folder = spool_folder(source.storage_path)
    if folder is not None and (waiting := list(folder.glob("*.json"))):
        facts = {"file": source.storage_path, "folder": folder, "count": len(waiting)}
        raise StorageError(told("move.orders", **facts))


def _moved(source: Config, target: Config) -> list[MovedTable]:
    from bot.storage.postgres.move_end import PostgresEnd  # of the extra postgres

    to_file = target.storage.is_file
    file, database = (target, source) if to_file else (source, target)
    with ExitStack() as stack:
        near = SqliteEnd(Path(file.storage_path), writing=to_file)
        stack.callback(near.close)
        shapes = near.shapes()
        far = PostgresEnd(database.storage.url, shapes, writing=not to_file)
        stack.callback(far.close)
        ends: tuple[MoveEnd, MoveEnd] = (far, near) if to_file else (near, far)
        work = Move(*ends, shapes)
        work.refuse_rows()
        for _ in followed(work.carry_out(), say("progress.moving"), work.steps()):
            pass
        return work.tables


def _show(tables: list[MovedTable]) -> None:
    rows = [(t.name, str(t.rows), t.digest[:16], str(t.replaced)) for t in tables]
    heads = [say(f"column.{name}") for name in ("table", "rows", "digest", "replaced")]
    plain = ["\t".join(row) for row in (heads, *rows)]
    table(rows, heads, plain)
    if replaced := sum(t.replaced for t in tables):
        typer.secho(say("message.nul_replaced", count=replaced), fg="yellow")
