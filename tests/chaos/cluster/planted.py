"""Bugs of several processes, planted on purpose. None of this is in the product."""

from __future__ import annotations

from collections.abc import Callable

BUGS: dict[str, Callable[[], None]] = {"": lambda: None}


def plant(name: str) -> None:
    BUGS[name]()
