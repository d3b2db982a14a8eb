"""The shape of the database, step by step: each released step stays as it is, a change is a new step."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.errors import StorageNewer
from bot.storage.migrations.first import STATEMENTS

migrations = Migrations("otklik")


@migrations(name="001_first")
def first(db: Database) -> None:
    for statement in STATEMENTS:
        db.execute(statement)


def bring_up(connection: sqlite3.Connection, file: Path | None, now: datetime) -> tuple[str, ...]:
    """Bring the schema up to this version; returns the steps taken. An existing file is copied before it is changed.

    Raises `StorageNewer` where a newer version has been at the file.
    """
    db = Database(connection, execute_plugins=False)
    known = {step.name for step in migrations._migrations}
    applied = {step.name for step in migrations.applied(db)}
    if applied - known:
        raise StorageNewer(
            f"базу {file or ':memory:'} изменила более новая версия программы (шаг {max(applied - known)}):"
            " обновите программу или восстановите копию, сделанную до обновления"
        )
    waiting = tuple(step.name for step in migrations.pending(db))
    if waiting and applied and file is not None:
        copy = file.with_name(f"{file.name}.before-{waiting[0]}-{now:%Y%m%d%H%M%S}")
        connection.execute("VACUUM INTO ?", (str(copy),))
    migrations.apply(db)
    return waiting
