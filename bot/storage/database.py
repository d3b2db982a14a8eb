"""What the queries are given: a connection inside a transaction, whichever engine keeps the tables.

The queries are SQL that SQLite and PostgreSQL both understand: `?` or `:name` for values, `returning` for new
ids, `on conflict`. Scalar `max`, `min`, `instr` and `json_extract` mean what they mean in SQLite (in
PostgreSQL the first migration makes them); `indexed by` is for SQLite's planner and is left out elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

Values = Sequence[Any] | Mapping[str, Any]


class Rows(Protocol):
    """The result of a statement; a row is read by position or by name."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None: ...


class Database(Protocol):
    """A transaction on the tables."""

    commits_in_order: bool  # whether a higher id was always committed later

    def execute(self, sql: str, values: Values = ..., /) -> Rows: ...

    def executemany(self, sql: str, values: Iterable[Values], /) -> object: ...

    def locking(self, alias: str = "") -> str:
        """What ends a `select` of rows that are then changed by what was read; *alias* is whose rows."""
        ...

    def lock_conversations(self, ids: Collection[int]) -> None:
        """Until the end of the transaction nobody else changes these conversations, or what belongs to them.

        Law: before anything else, and all at once: they are locked in the order of their ids, so that two
        transactions never wait for each other.
        """
        ...

    def lock_names(self, names: Collection[str]) -> None:
        """The same for what has no row of its own: a line of the outbox, a chat that is being met."""
        ...

    def hint(self, what: str) -> None:
        """Tell the other processes at the commit that "turns" or "deliveries" may be ready."""
        ...


class SqliteDatabase(sqlite3.Connection):
    """A connection of SQLite: one writer at a time, so there is nothing to lock and nobody to tell."""

    commits_in_order = True

    def locking(self, alias: str = "") -> str:
        return ""

    def lock_conversations(self, ids: Collection[int]) -> None:
        pass

    def lock_names(self, names: Collection[str]) -> None:
        pass

    def hint(self, what: str) -> None:
        pass


Made = TypeVar("Made")
Work = Callable[[Database], Made]  # a unit of work: what is done in one transaction, and what it returns
