"""The shape of the database, step by step: each released step stays as it is, a change is a new step."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.errors import StorageNewer
from bot.storage.migrations.first import STATEMENTS

STEPS = {"001_first": STATEMENTS}


def migrations() -> Migrations:
    """Every step, in order, as sqlite-utils keeps them."""
    kept = Migrations("otklik")
    for name, statements in STEPS.items():
        kept(name=name)(partial(_take, statements=statements))
    return kept


def _take(db: Database, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


def bring_up(connection: sqlite3.Connection, file: Path | None, now: datetime) -> tuple[str, ...]:
    """Bring the schema up to this version; returns the steps taken. An existing file is copied before it is changed.

    Raises `StorageNewer` where a newer version has been at the file.
    """
    db = Database(connection, execute_plugins=False)
    steps = migrations()
    applied = {step.name for step in steps.applied(db)}
    if strange := applied - set(STEPS):
        raise StorageNewer(
            f"базу {file or ':memory:'} изменила более новая версия программы (шаг {max(strange)}):"
            " обновите программу или восстановите копию, сделанную до обновления"
        )
    waiting = tuple(step.name for step in steps.pending(db))
    if waiting and applied and file is not None:
        copy = file.with_name(f"{file.name}.before-{waiting[0]}-{now:%Y%m%d%H%M%S}")
        connection.execute("VACUUM INTO ?", (str(copy),))
    steps.apply(db)
    return waiting
