"""A database of PostgreSQL as one end of a move: its tables are locked until the end, so that a bot that
starts meanwhile waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from bot.errors import StorageError
from bot.storage import move as moving
from bot.storage.move import Row, TableShape
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.event_cursors import EVENTS_OF, by_number
from bot.storage.postgres.problems import explained
from bot.text.problems import told
from bot.text.url import shown_url

LAST_GIVEN = """select last_value from pg_sequences
    where format('%%I.%%I', schemaname, sequencename)::regclass = pg_get_serial_sequence(%s, %s)::regclass"""
GO_ON = """select setval(found, greatest(%s, 1), %s)
    from (select pg_get_serial_sequence(%s, %s)::regclass) as s(found) where found is not null"""


class PostgresEnd:
    """The database at *url*, whose schema is that of this version.

    Raises `StorageError` where it cannot be reached.
    """

    def __init__(self, url: str, tables: Sequence[TableShape], *, writing: bool) -> None:
        self.place, self._url = shown_url(url), url
        with self._telling():
            self._db = psycopg.connect(url, connect_timeout=10)
        try:
            self._refuse_other_shapes(tables)
            self._begin(tables, "exclusive" if writing else "share")
        except StorageError:
            self.close()
            raise

    def _begin(self, tables: Sequence[TableShape], mode: LiteralString) -> None:
        """Law: the tables are locked before anything is read: what is read is as of the first query."""
        names = sql.SQL(", ").join(sql.Identifier(t.name) for t in tables)
        with self._telling():
            self._db.rollback()
            self._db.execute("set transaction isolation level repeatable read")
            self._db.execute(sql.SQL("lock table {} in {} mode").format(names, sql.SQL(mode)))

    def _refuse_other_shapes(self, tables: Sequence[TableShape]) -> None:
        """Both engines have the same tables and columns: where one is missing, this is another version."""
        with self._telling():
            there = set(
                self._db.execute(
                    "select table_name, column_name from information_schema.columns"
                    " where table_schema = current_schema()"
                )
            )
        wanted = {(t.name, column) for t in tables for column in t.columns}
        self._order = {table: column for table, column in there if column == "rowid"}
        if missing := sorted(".".join(pair) for pair in wanted - there):
            raise StorageError(told("move.other_shape", place=self.place, missing=", ".join(missing)))

    def count(self, table: str) -> int:
        with self._telling():
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
            row = self._db.execute(query).fetchone()
        return int(row[0]) if row else 0

    def portions(self, table: TableShape) -> Iterator[Sequence[Row]]:
        order = self._order.get(table.name) or table.key
        query = sql.SQL("select {} from {}").format(_columns(table), sql.Identifier(table.name))
        if order:
            query += sql.SQL(" order by {}").format(sql.Identifier(order))
        with self._telling(), self._db.cursor(name=f"move_{table.name}") as cursor:
            cursor.itersize = moving.PORTION
            cursor.execute(query)
            while rows := cursor.fetchmany(moving.PORTION):
                yield [self._read(table, row) for row in rows]

    def _read(self, table: TableShape, row: Row) -> Row:
        """Where the events stand, by their numbers: transactions mean nothing elsewhere."""
        if table.name != "cursors" or not str(row[0]).startswith(EVENTS_OF):
            return row
        with self._telling():
            number = by_number(PostgresDatabase(self._db)).get(str(row[0]))
        return row if number is None else (row[0], number, *row[2:])

    def clear(self, table: str) -> None:
        with self._telling():
            self._db.execute(sql.SQL("delete from {}").format(sql.Identifier(table)))

    def write(self, table: TableShape, rows: Sequence[Row]) -> None:
        order = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), _columns(table))
        with self._telling(), self._db.cursor() as cursor, cursor.copy(order) as copy:
            for row in rows:
                copy.write_row(row)

    def highest(self, tables: Sequence[TableShape]) -> Mapping[str, int]:
        return {t.name: max(self._maximum(t), self._given(t)) for t in tables if t.key}

    def _maximum(self, table: TableShape) -> int:
        query = sql.SQL("select coalesce(max({}), 0) from {}")
        with self._telling():
            row = self._db.execute(query.format(sql.Identifier(table.key), sql.Identifier(table.name)))
            found = row.fetchone()
        return int(found[0]) if found else 0

    def _given(self, table: TableShape) -> int:
        """The highest number that the table's sequence gave; 0 where it has none."""
        with self._telling():
            row = self._db.execute(LAST_GIVEN, (table.name, table.key)).fetchone()
        return int(row[0] or 0) if row else 0

    def go_on_from(self, highest: Mapping[str, int], tables: Sequence[TableShape]) -> None:
        with self._telling():
            for table in tables:
                if table.key:
                    number = highest.get(table.name, 0)
                    self._db.execute(GO_ON, (number, number > 0, table.name, table.key))

    def commit(self) -> None:
        with self._telling():
            self._db.commit()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise explained(error, self._url) from error


def _columns(table: TableShape) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in table.columns)
