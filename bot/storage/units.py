"""Units of work on their way between an event loop and the threads that carry them out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.storage.database import Work


@dataclass(slots=True)
class Unit:
    """A unit of work with what became of it, and who waits for that."""

    work: Work[Any]
    alone: bool = False  # runs outside any transaction (VACUUM, checkpoint)
    loop: asyncio.AbstractEventLoop | None = None
    future: asyncio.Future[Any] | None = None
    undo: Callable[[Any], None] | None = None  # called with the result when nobody waits for it any more
    result: Any = None
    error: BaseException | None = None


def waited_for(
    work: Work[Any], *, alone: bool = False, undo: Callable[[Any], None] | None = None
) -> tuple[Unit, asyncio.Future[Any]]:
    """A unit whose future the running event loop waits for."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    return Unit(work, alone, loop, future, undo), future


def tell(units: Iterable[Unit], as_error: Callable[[BaseException], BaseException]) -> None:
    """Resolve the futures of finished units: one wake-up for each loop, however many units were its."""
    loops: dict[asyncio.AbstractEventLoop, list[Unit]] = {}
    for unit in units:
        if unit.loop is not None:
            loops.setdefault(unit.loop, []).append(unit)
    for loop, its in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, its, as_error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass


def _resolve(units: list[Unit], as_error: Callable[[BaseException], BaseException]) -> None:
    for unit in units:
        future = unit.future
        assert future is not None
        if future.done():
            if unit.undo is not None and unit.error is None:
                unit.undo(unit.result)
        elif unit.error is None:
            future.set_result(unit.result)
        else:
            future.set_exception(as_error(unit.error))
