"""Everything from one store into another of a different engine: row by row, counted and compared, in one
transaction of the target.

What is moved is what SQLite's schema has; what PostgreSQL keeps besides (who is at work, who holds what) is
of no use elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.errors import StorageError
from bot.text.problems import told

PORTION = 1000  # rows in memory at once
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # stands where PostgreSQL cannot keep the character NUL
JSON_COLUMNS = frozenset(
    ("attachments", "data", "fields", "payload", "state", "told", "why", "words")
)  # texts in which NUL is written as an escape
SEEDED = frozenset(("versions",))  # tables in which a fresh schema has rows already
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table that is moved, with its columns; `key` is its number, where the engine gives them."""

    name: str
    columns: tuple[str, ...]
    key: str = ""


@dataclass(slots=True)
class MovedTable:
    """What was moved of a table: how many rows, their digest, and in how many of them a NUL was replaced.

    The digest does not depend on the order of the rows: engines sort texts differently.
    """

    name: str
    rows: int = 0
    replaced: int = 0
    sum: int = 0

    @property
    def digest(self) -> str:
        return f"{self.sum:064x}"

    def add(self, row: Row) -> None:
        """Count a row."""
        written = json.dumps([int(v) if isinstance(v, bool) else v for v in row], ensure_ascii=False)
        self.rows += 1
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(written.encode()).digest())) % (1 << 256)


class MoveEnd(Protocol):
    """One of the two stores, held for this alone; closed without a commit it is as it was before."""

    place: str  # as people may see it

    def count(self, table: str) -> int: ...

    def portions(self, table: TableShape) -> Iterator[Sequence[Row]]:
        """The rows by number or key, some at a time."""
        ...

    def clear(self, table: str) -> None: ...

    def write(self, table: TableShape, rows: Sequence[Row]) -> None: ...

    def highest(self, tables: Sequence[TableShape]) -> Mapping[str, int]:
        """The highest number that each table with numbers ever gave."""
        ...

    def go_on_from(self, highest: Mapping[str, int], tables: Sequence[TableShape]) -> None:
        """The next number of each table is above these."""
        ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Move:
    """From *source* into *target*, which has no rows yet: the tables of *shapes*, each after those it points
    at.
    """

    source: MoveEnd
    target: MoveEnd
    shapes: Sequence[TableShape]
    tables: list[MovedTable] = field(default_factory=list)

    def refuse_rows(self) -> None:
        """Raises `StorageError` where the target has rows."""
        full = {s.name: n for s in self.shapes if s.name not in SEEDED and (n := self.target.count(s.name))}
        if full:
            rows = ", ".join(f"{name} {number}" for name, number in full.items())
            raise StorageError(told("move.full", place=self.target.place, rows=rows))

    def steps(self) -> int:
        """How many steps `carry_out` has."""
        return 2 * sum(-(-self.source.count(s.name) // PORTION) for s in self.shapes)

    def carry_out(self) -> Iterator[None]:
        """Copy, then read back and compare, then commit; a step for each portion.

        Raises `StorageError` where the two sides differ: then the target is as it was.
        """
        for shape in self.shapes:
            yield from self._copied(shape)
        self.target.go_on_from(self.source.highest(self.shapes), self.shapes)
        for shape, moved in zip(self.shapes, self.tables, strict=True):
            yield from self._compared(shape, moved)
        self.target.commit()

    def _copied(self, shape: TableShape) -> Iterator[None]:
        moved = MovedTable(shape.name)
        self.tables.append(moved)
        self.target.clear(shape.name)
        for portion in self.source.portions(shape):
            kept = [without_nul(shape, row) for row in portion]
            for row, before in zip(kept, portion, strict=True):
                moved.replaced += row != before
                moved.add(row)
            self.target.write(shape, kept)
            yield
        if moved.rows != (number := self.source.count(shape.name)):
            raise StorageError(told("move.counts", table=shape.name, read=moved.rows, there=number))

    def _compared(self, shape: TableShape, moved: MovedTable) -> Iterator[None]:
        arrived = MovedTable(shape.name)
        for portion in self.target.portions(shape):
            for row in portion:
                arrived.add(row)
            yield
        if (arrived.rows, arrived.sum) != (moved.rows, moved.sum):
            raise StorageError(told("move.differs", table=shape.name, before=moved.rows, after=arrived.rows))


def without_nul(shape: TableShape, row: Row) -> Row:
    """The row as PostgreSQL can keep it, and read it in JSON."""
    return tuple(
        _cleaned(name, v) if isinstance(v, str) else v for name, v in zip(shape.columns, row, strict=True)
    )


def _cleaned(column: str, text: str) -> str:
    text = text.replace("\0", REPLACEMENT)
    if column in JSON_COLUMNS and "\\u0000" in text:
        return _ESCAPED_NUL.sub(lambda m: m[1] + REPLACEMENT, text)
    return text
