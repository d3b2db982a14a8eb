"""The shape of the database, step by step: each released step stays as it is, a change is a new step."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.errors import StorageNewer
from bot.storage.database import SqliteDatabase
from bot.storage.maintenance import backup
from bot.storage.migrations.fifth import STATEMENTS as FIFTH
from bot.storage.migrations.first import STATEMENTS
from bot.storage.migrations.fourth import STATEMENTS as FOURTH
from bot.storage.migrations.second import STATEMENTS as SECOND
from bot.storage.migrations.sixth import STATEMENTS as SIXTH
from bot.storage.migrations.third import STATEMENTS as THIRD
from bot.storage.migrations.third import fill
from bot.text.problems import told

STEPS = {
    "001_first": STATEMENTS,
    "002_teams_waiting": SECOND,
    "003_desk_state": THIRD,
    "004_growth": FOURTH,
    "005_service": FIFTH,
    "006_channels": SIXTH,
}
# What a step does besides its statements, in the same transaction.
FILLS = {"003_desk_state": fill}


def migrations() -> Migrations:
    """Every step, in order, as sqlite-utils keeps them."""
    kept = Migrations("otklik")
    for name, statements in STEPS.items():
        kept(name=name)(_step(statements, FILLS.get(name)))
    return kept


def _step(
    statements: tuple[str, ...], fill: Callable[[sqlite3.Connection], None] | None
) -> Callable[[Database], None]:
    def take(db: Database) -> None:
        for statement in statements:
            db.execute(statement)
        if fill is not None:
            fill(db.conn)

    return take


def bring_up(connection: SqliteDatabase, file: Path | None, now: datetime) -> tuple[str, ...]:
    """Bring the schema up to this version; returns the steps taken. An existing file is copied before it is
    changed.

    Raises `StorageNewer` where a newer version has been at the file.
    """
    db = Database(connection, execute_plugins=False)
    steps = migrations()
    applied = {step.name for step in steps.applied(db)}
    if strange := applied - set(STEPS):
        raise StorageNewer(told("database.newer", file=file or ":memory:", step=max(strange)))
    waiting = tuple(step.name for step in steps.pending(db))
    if waiting and applied and file is not None:
        backup(connection, file.with_name(f"{file.name}.before-{waiting[0]}-{now:%Y%m%d%H%M%S}"))
    steps.apply(db)
    return waiting
