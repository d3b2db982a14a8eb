"""How tables that people bring name their columns, read from data/tables.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.text.yaml_source import read_own


@dataclass(frozen=True, slots=True)
class TableNames:
    """*columns*: our key of an article by the name of a column; *question* and *gold*: the columns of `bot
    eval`, the surest first; *no*: what stands in a cell for "no".
    """

    columns: Mapping[str, str]
    question: tuple[str, ...]
    gold: tuple[str, ...]
    no: frozenset[str]


@cache
def table_names() -> TableNames:
    told = read_own(Path(__file__).parent / "data" / "tables.yaml")
    columns = {name: key for key, names in told["columns"].items() for name in names}
    return TableNames(columns, tuple(told["question"]), tuple(told["gold"]), frozenset(told["no"]))
