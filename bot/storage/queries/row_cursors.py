"""Up to which row something was looked at already, so that years are not looked through again: rows that were
counted, and rows whose words were blanked.
"""

from __future__ import annotations

from bot.storage.database import Database

# Rows that are counted, with their key; it grows, and only `uncount` takes rows away.
COUNTED = {"outbox": "id", "customers": "id", "tickets": "number"}
LATELY = 200  # rows may still be on their way to their commit beside newer ones: these are counted each time
_KEEP = """insert into row_cursors(name, upto, number) values(?, ?, ?) on conflict(name) do update set upto =
  excluded.upto, number = excluded.number"""


def upto(db: Database, name: str) -> int:
    """The last row that was looked at; 0 where none was."""
    return _mark(db, name)[0]


def keep(db: Database, name: str, row: int, number: int = 0) -> None:
    db.execute(_KEEP, (name, row, number))


def count(db: Database, table: str) -> int:
    """All rows of the table: those counted before, and those that came since."""
    row, number = _mark(db, f"count:{table}")
    newer = f"select count(*) from {table} where {COUNTED[table]} > ?"
    rows = db.execute(newer, (row,)) if row else db.execute(f"select count(*) from {table}")
    return number + int(rows.fetchone()[0])


def count_ahead(db: Database) -> None:
    """Count what came since the last time, so that `count` has little to do."""
    for table, key in COUNTED.items():
        row, number = _mark(db, f"count:{table}")
        last = int(db.execute(f"select coalesce(max({key}), 0) from {table}").fetchone()[0]) - LATELY
        if last > row:
            more = db.execute(f"select count(*) from {table} where {key} > ? and {key} <= ?", (row, last))
            keep(db, f"count:{table}", last, number + int(more.fetchone()[0]))


def uncount(db: Database, table: str, ids: list[int]) -> None:
    """These rows are gone."""
    row, number = _mark(db, f"count:{table}")
    if counted := sum(id <= row for id in ids):
        keep(db, f"count:{table}", row, number - counted)


def words_again(db: Database, table: str, id: int) -> None:
    """The row has words again: it is blanked once more, where that was behind it."""
    db.execute(
        "insert into purge_later(name, id) select cast(? as text), cast(? as bigint) from row_cursors where"
        " name = ? and upto >= ? on conflict do nothing",
        (table, id, f"purge:{table}", id),
    )


def _mark(db: Database, name: str) -> tuple[int, int]:
    row = db.execute("select upto, number from row_cursors where name = ?", (name,)).fetchone()
    return (0, 0) if row is None else (int(row["upto"]), int(row["number"]))
