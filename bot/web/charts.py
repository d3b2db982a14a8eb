"""Pictures of the report as plain geometry: the template draws them as SVG, without a script or a style of
their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.reports.tables import Table, TableRow

WIDTH, HEIGHT, FOOT = 640, 220, 22
CELL, GAP, LEFT, TOP = 22, 3, 30, 18


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day: two parts on one foot."""

    key: str
    x: float
    width: float
    bot_y: float
    bot: float
    person_y: float
    person: float
    label: str
    row: TableRow


@dataclass(frozen=True, slots=True)
class HourCell:
    """An hour of a weekday; `shade` 0..5 is a class of the style sheet."""

    key: str
    x: int
    y: int
    shade: int
    row: TableRow


def bars(table: Table) -> tuple[tuple[DayBar, ...], tuple[tuple[float, int], ...]]:
    """The bars, and the lines across with their numbers."""
    rows = table.rows
    most = max((_cell(r, "bot") + _cell(r, "person") for r in rows), default=0) or 1
    top = _round_up(most)
    step, space = (WIDTH - LEFT) / max(1, len(rows)), HEIGHT - FOOT - 10
    every = max(1, -(-len(rows) // 14))
    made = []
    for n, row in enumerate(rows):
        bot, person = (_cell(row, c) / top * space for c in ("bot", "person"))
        label = f"{int(row.key[8:10])}.{row.key[5:7]}" if n % every == 0 else ""
        made.append(
            DayBar(
                row.key,
                round(LEFT + n * step + step * 0.12, 1),
                round(step * 0.76, 1),
                round(HEIGHT - FOOT - bot, 1),
                round(bot, 1),
                round(HEIGHT - FOOT - bot - person, 1),
                round(person, 1),
                label,
                row,
            )
        )
    lines = tuple((round(HEIGHT - FOOT - space * part, 1), round(top * part)) for part in (0.5, 1.0))
    return tuple(made), lines


def squares(table: Table) -> tuple[HourCell, ...]:
    """The heat map: seven rows of 24 hours."""
    most = max((_cell(r, "visits") for r in table.rows), default=0) or 1
    made = []
    for row in table.rows:
        weekday, hour, seen = int(_cell(row, "weekday")), int(_cell(row, "hour")), _cell(row, "visits")
        shade = 0 if not seen else max(1, min(5, round(5 * seen / most + 0.4)))
        made.append(
            HourCell(row.key, LEFT + hour * (CELL + GAP), TOP + (weekday - 1) * (CELL + GAP), shade, row)
        )
    return tuple(made)


def shares(rows: Sequence[TableRow], column: str) -> tuple[tuple[TableRow, float], ...]:
    """Rows with the length of their bar, the longest 100."""
    most = max((_cell(r, column) for r in rows), default=0) or 1
    return tuple((r, round(100 * _cell(r, column) / most, 1)) for r in rows)


def _cell(row: TableRow, column: str) -> float:
    value = row.cells.get(column)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _round_up(most: float) -> int:
    """The next round number, for the scale."""
    for step in (4, 6, 8, 10, 16, 20, 30, 40, 50, 60, 80):
        if most <= step:
            return step
    size = 10 ** (len(str(int(most))) - 1)
    return int(-(-most // size) * size)
