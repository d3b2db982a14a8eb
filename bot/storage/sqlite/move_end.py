"""A file of SQLite as one end of a move: held by its lock, so that no bot works on it meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bot.errors import StorageError, StorageNewer
from bot.storage import move as moving
from bot.storage.migrations import STEPS, migrations
from bot.storage.move import Row, TableShape
from bot.storage.sqlite.lockfile import LockFile
from bot.storage.sqlite.store import SqliteStore
from bot.text.problems import told


class SqliteEnd:
    """The file at *place*.

    Raises `StorageBusy` where a bot owns it, `StorageNewer`, `StorageError` where it cannot be read.
    """

    def __init__(self, file: Path, *, writing: bool) -> None:
        if not writing and not file.is_file():
            raise StorageError(told("database.none", file=file))
        self.place = str(file)
        self._lock = LockFile(file)
        try:
            mode = "rw" if writing else "ro"
            self._db = sqlite3.connect(f"{file.as_uri()}?mode={mode}", uri=True, isolation_level=None)
            self._begin(writing)
        except sqlite3.Error as error:
            self._lock.release()
            raise StorageError(told("database.not_opened", file=file, reason=error)) from error
        except StorageError:
            self.close()
            raise

    def _begin(self, writing: bool) -> None:
        if writing:
            self._db.execute("pragma foreign_keys = on")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma cache_size = -8000")
        else:
            self._refuse_other_shapes()
        self._db.execute("begin immediate" if writing else "begin")

    def _refuse_other_shapes(self) -> None:
        """Nothing is changed here, so a file of another version is not brought up."""
        steps = "select name from _sqlite_migrations where migration_set = ?"
        applied = {row[0] for row in self._db.execute(steps, (migrations().name,))}
        if strange := applied - set(STEPS):
            raise StorageNewer(told("database.newer", file=self.place, step=max(strange)))
        if set(STEPS) - applied:
            raise StorageError(told("move.older", file=self.place))

    def shapes(self) -> tuple[TableShape, ...]:
        """Every table of the schema, each after those it points at."""
        names = [
            row[0]
            for row in self._db.execute("select name from sqlite_master where type = 'table' order by name")
            if not row[0].startswith(("sqlite_", "_sqlite_"))
        ]
        waiting = {name: self._points_at(name) for name in names}
        ordered: list[str] = []
        while waiting:
            free = [name for name, others in waiting.items() if not others & set(waiting) - {name}]
            ordered += free
            waiting = {name: others for name, others in waiting.items() if name not in free}
        return tuple(self._shape(name) for name in ordered)

    def _points_at(self, table: str) -> set[str]:
        return {row[2] for row in self._db.execute(f"pragma foreign_key_list({table})")}

    def _shape(self, table: str) -> TableShape:
        columns = self._db.execute(f"pragma table_info({table})").fetchall()
        keys = [row[1] for row in columns if row[5] and row[2].lower() == "integer"]
        numbered = keys[0] if len([row for row in columns if row[5]]) == 1 and keys else ""
        return TableShape(table, tuple(row[1] for row in columns), numbered)

    def count(self, table: str) -> int:
        return int(self._db.execute(f"select count(*) from {table}").fetchone()[0])

    def portions(self, table: TableShape) -> Iterator[Sequence[Row]]:
        cursor = self._db.execute(f"select {', '.join(table.columns)} from {table.name} order by rowid")
        while rows := cursor.fetchmany(moving.PORTION):
            yield rows

    def clear(self, table: str) -> None:
        self._db.execute(f"delete from {table}")

    def write(self, table: TableShape, rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        self._db.executemany(f"insert into {table.name}({', '.join(table.columns)}) values({marks})", rows)

    def highest(self, tables: Sequence[TableShape]) -> Mapping[str, int]:
        given = dict(self._db.execute("select name, seq from sqlite_sequence"))
        return {t.name: max(int(given.get(t.name) or 0), self._maximum(t)) for t in tables if t.key}

    def _maximum(self, table: TableShape) -> int:
        return int(self._db.execute(f"select coalesce(max({table.key}), 0) from {table.name}").fetchone()[0])

    def go_on_from(self, highest: Mapping[str, int], tables: Sequence[TableShape]) -> None:
        growing = "select name from sqlite_master where type = 'table' and sql like '%autoincrement%'"
        for (name,) in self._db.execute(growing).fetchall():
            self._db.execute("delete from sqlite_sequence where name = ?", (name,))
            if highest.get(name):
                self._db.execute("insert into sqlite_sequence values(?, ?)", (name, highest[name]))

    def commit(self) -> None:
        self._db.execute("commit")

    def close(self) -> None:
        self._db.close()
        self._lock.release()


async def made_file(file: Path, now: Callable[[], datetime]) -> Path:
    """The file with the schema of this version. Raises `StorageBusy` where a bot owns it, `StorageError`."""
    store = SqliteStore.open(file, now=now)
    await store.close()
    return file
