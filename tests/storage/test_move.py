"""A move carries every row over, compares both sides before it is committed, and leaves the source alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.errors import StorageBusy, StorageError
from bot.storage import move as moving
from bot.storage.database import SqliteDatabase
from bot.storage.migrations import bring_up
from bot.storage.move import Move, Row, TableShape, without_nul
from bot.storage.sqlite.move_end import SqliteEnd, made_file
from bot.storage.sqlite.store import SqliteStore
from bot.testing.harness import NOON

RELEASED = sorted(Path(__file__).with_name("released").glob("*.sql"))


def lived_in(file: Path, dump: Path | None = None) -> Path:
    """A database with a life in it, of this version or as *dump* left it."""
    with sqlite3.connect(file, factory=SqliteDatabase) as db:
        db.executescript((dump or RELEASED[-1]).read_text("utf-8"))
        if dump is None:
            db.row_factory = sqlite3.Row
            bring_up(db, None, NOON)
    db.close()
    return file


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqliteEnd]:
    end = SqliteEnd(lived_in(tmp_path / "from.db"), writing=False)
    yield end
    end.close()


@pytest.fixture
async def target(tmp_path: Path) -> Path:
    return await made_file(tmp_path / "to.db", lambda: NOON)


def rows(file: Path, table: str) -> list[Row]:
    with sqlite3.connect(file) as db:
        found = db.execute(f"select * from {table} order by rowid").fetchall()
    db.close()
    return found


def test_every_row_arrives_and_the_source_stays(
    source: SqliteEnd, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions; the numbers go on behind the highest that was ever given."""
    monkeypatch.setattr(moving, "PORTION", 2)
    before = (tmp_path / "from.db").read_bytes()
    end = SqliteEnd(target, writing=True)
    work = Move(source, end, source.shapes())
    work.refuse_rows()
    assert sum(1 for _ in work.carry_out()) > len(work.shapes)
    end.close()

    assert {"customers", "outbox", "turns", "events", "desk_groups"} <= {t.name for t in work.tables}
    for table in work.tables:
        assert rows(target, table.name) == rows(tmp_path / "from.db", table.name)
        assert table.rows == len(rows(target, table.name))
    numbers = {str(name): number for name, number in rows(target, "sqlite_sequence")}
    assert numbers == source.highest([s for s in source.shapes() if s.name in numbers])
    assert (tmp_path / "from.db").read_bytes() == before


def test_what_was_broken_off_is_done_again(source: SqliteEnd, target: Path) -> None:
    """It was one transaction, so the target is as empty as before."""
    end = SqliteEnd(target, writing=True)
    half = Move(source, end, source.shapes()).carry_out()
    for _ in range(5):
        next(half)
    end.close()
    assert rows(target, "customers") == []

    end = SqliteEnd(target, writing=True)
    work = Move(source, end, source.shapes())
    work.refuse_rows()
    list(work.carry_out())
    end.close()
    assert rows(target, "customers")


def test_nothing_is_mixed(source: SqliteEnd, target: Path) -> None:
    """A target with rows is refused, and told with them."""
    with sqlite3.connect(target) as db:
        db.execute("insert into settings values('salt', 'x')")
    db.close()
    end = SqliteEnd(target, writing=True)
    with pytest.raises(StorageError, match=r"settings 1.*createdb"):
        Move(source, end, source.shapes()).refuse_rows()
    end.close()


class ForgetfulEnd(SqliteEnd):
    """Changes what it is given, as no end must."""

    def write(self, table: TableShape, rows: Sequence[Row]) -> None:
        changed = [(*row[:-1], "?") for row in rows] if table.name == "events" else rows
        super().write(table, changed)


def test_a_difference_undoes_the_move(source: SqliteEnd, target: Path) -> None:
    end = ForgetfulEnd(target, writing=True)
    with pytest.raises(StorageError, match="events"):
        list(Move(source, end, source.shapes()).carry_out())
    end.close()
    assert rows(target, "customers") == []


async def test_a_file_that_a_bot_works_with_is_refused(tmp_path: Path) -> None:
    """As a source and as a target; and one that is not there."""
    store = SqliteStore.open(lived_in(tmp_path / "bot.db"))
    for writing in (False, True):
        with pytest.raises(StorageBusy):
            SqliteEnd(tmp_path / "bot.db", writing=writing)
    await store.close()
    with pytest.raises(StorageError, match=r"nowhere\.db"):
        SqliteEnd(tmp_path / "nowhere.db", writing=False)


def test_a_file_of_an_older_version_is_not_changed_in_passing(tmp_path: Path) -> None:
    file = lived_in(tmp_path / "old.db", RELEASED[1])
    with pytest.raises(StorageError, match="bot db migrate"):
        SqliteEnd(file, writing=False)
    with sqlite3.connect(file) as db:
        db.execute(
            "insert into _sqlite_migrations select 99, migration_set, '999_new', '' from"
            " _sqlite_migrations limit 1"
        )
    db.close()
    with pytest.raises(StorageError, match="999_new"):
        SqliteEnd(file, writing=False)


def test_a_nul_is_replaced_where_it_is_one() -> None:
    """As a character, and as JSON's escape of it; a backslash that somebody typed stays."""
    shape = TableShape("history", ("id", "text", "data"))
    row = (1, "a\0b \\u0000", '{"a": "x\\u0000y", "b": "\\\\u0000", "c": "\\\\\\u0000"}')
    assert without_nul(shape, row) == (
        1,
        "a\ufffdb \\u0000",
        '{"a": "x\ufffdy", "b": "\\\\u0000", "c": "\\\\\ufffd"}',
    )
    assert without_nul(shape, (None, "", "{}")) == (None, "", "{}")
