"""The codes of what may be wrong with a base of articles: how grave each is, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, cast

from bot.errors import Problem
from bot.text.yaml_source import read_own

_DATA = Path(__file__).parent / "data"


@cache
def read_codes() -> Mapping[str, Mapping[str, object]]:
    """Level and words of every code."""
    codes: Mapping[str, Mapping[str, object]] = read_own(_DATA / "lint.yaml")
    return codes


def found(code: str, file: str, line: int, column: int = 1, detail: str = "") -> Problem:
    """What is found while an article is read, in Russian; `bot kb lint` translates it by its code."""
    told = read_codes()[code]
    text, hint = cast(Sequence[str], told["ru"])
    level = cast(Literal["error", "warning"], told["level"])
    return Problem(text.format(detail=f"«{detail}»"), file, line, column, hint, code, level)
