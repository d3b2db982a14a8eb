"""Turns as they were kept, read back: what was asked in a conversation and which articles search found for
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from bot.model import Json


class LoggedTurn(Protocol):
    """A turn as it was kept: what was said, decided, and why."""

    @property
    def id(self) -> int: ...

    @property
    def conversation(self) -> int: ...

    @property
    def at(self) -> datetime: ...

    @property
    def dialog(self) -> str: ...

    @property
    def result(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def why(self) -> Json: ...


def talks(turns: Iterable[LoggedTurn]) -> dict[int, list[LoggedTurn]]:
    """The turns of each conversation, in the order given."""
    found: dict[int, list[LoggedTurn]] = {}
    for turn in turns:
        found.setdefault(turn.conversation, []).append(turn)
    return found


def searched(turn: LoggedTurn) -> bool:
    """Whether articles were searched for a text."""
    return "candidates" in turn.why and bool(turn.text.strip())


def found_for(turn: LoggedTurn) -> tuple[tuple[str, str], ...]:
    """Ids and titles of the articles that search found for a turn, the best first."""
    rows = turn.why.get("candidates")
    rows = rows if isinstance(rows, list | tuple) else ()
    return tuple(
        (str(row.get("article", "")), str(row.get("title", ""))) for row in rows if isinstance(row, Mapping)
    )
