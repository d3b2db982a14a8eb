"""A transaction of PostgreSQL as the queries want it: SQLite's placeholders, rows by name and by place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import psycopg
from psycopg import sql as _sql
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown

from bot.storage.database import Rows, Values

NOTIFIED = "otklik"  # the channel of NOTIFY
_TOKENS = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<index>\s+indexed\s+by\s+\w+)|(?P<place>\?)|(?<!:):(?P<name>[a-z_]\w*)"
    r"|(?P<percent>%)"
)


class Row(tuple[Any, ...]):
    """A row that is read by place or by name."""

    __slots__ = ()
    places: Mapping[str, int] = {}

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        return list(self.places)


@cache
def _row_class(names: tuple[str, ...]) -> type[Row]:
    return type("Row", (Row,), {"__slots__": (), "places": {name: n for n, name in enumerate(names)}})


def row_factory(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    result = cursor.pgresult  # not `description`, which makes an object for each column
    names = [result.fname(n) or b"" for n in range(result.nfields)] if result else []
    return _row_class(tuple(name.decode() for name in names))


class _Text(StrDumperUnknown):
    """PostgreSQL's text holds no NUL."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


class _YesNo(Int8Dumper):
    """Yes and no are 1 and 0 in every table."""

    def dump(self, obj: Any) -> Any:
        return super().dump(int(obj))


def prepared(connection: psycopg.Connection[Any]) -> None:
    """Values as the tables hold them: for each new connection of a pool."""
    connection.row_factory = row_factory
    for kind, dumper in ((int, Int8Dumper), (bool, _YesNo), (str, _Text)):
        connection.adapters.register_dumper(kind, dumper)


@cache
def translated(statement: str) -> _sql.SQL:
    """The statement with psycopg's placeholders, without what is meant for SQLite's planner."""

    def other(match: re.Match[str]) -> str:
        found = match.group(0)
        if match["text"] or match["percent"]:
            return found.replace("%", "%%")
        if match["index"]:
            return ""
        return "%s" if match["place"] else f"%({match['name']})s"

    return _sql.SQL(cast(Any, _TOKENS.sub(other, statement)))


class PostgresDatabase:
    """A `Database` over a connection in a transaction."""

    commits_in_order = False

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.hints: set[str] = set()
        self._connection = connection

    def execute(self, statement: str, values: Values = (), /) -> Rows:
        return cast(Rows, self._connection.execute(translated(statement), values))

    def executemany(self, statement: str, values: Iterable[Values], /) -> object:
        if rows := list(values):
            self._connection.cursor().executemany(translated(statement), rows)
        return None

    def locking(self, alias: str = "") -> str:
        """Not against new rows that refer to a locked one."""
        return f" for no key update of {alias}" if alias else " for no key update"

    def lock_conversations(self, ids: Collection[int]) -> None:
        if ids:
            self.execute(
                "select 1 from conversations where id = any(?) order by id for no key update", (list(ids),)
            )

    def lock_names(self, names: Collection[str]) -> None:
        if names:
            self.execute(
                "select pg_advisory_xact_lock(id) from (select distinct hashtextextended(name, 0) as id from"
                " unnest(cast(? as text[])) as name order by id) as locks",
                (list(names),),
            )

    def hint(self, what: str) -> None:
        self.hints.add(what)
