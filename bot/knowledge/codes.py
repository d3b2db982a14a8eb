"""The codes of what may be wrong with a base of articles: how grave each is, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from bot.errors import Problem
from bot.text.problems import problem_of, told
from bot.text.yaml_source import read_own

_DATA = Path(__file__).parent / "data"


@cache
def read_codes() -> Mapping[str, str]:
    """error or warning, of every code."""
    codes: Mapping[str, str] = read_own(_DATA / "lint.yaml")
    return codes


def found(code: str, file: str, line: int, column: int = 1, detail: str = "") -> Problem:
    """What is found while an article is read, in the reader's language."""
    return worded(code, file, line, column, {"detail": told("lint.quoted", text=detail)})


def worded(code: str, file: str, line: int, column: int, facts: Mapping[str, object]) -> Problem:
    """What *code* means with these facts, in the reader's language."""
    told_now = problem_of(f"lint.{code}", facts, file, line, column, code)
    return replace(told_now, severity="warning") if read_codes()[code] == "warning" else told_now
