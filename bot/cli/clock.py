"""What time it is for a command: the wall clock, or the one that who calls it has set."""

from __future__ import annotations

from contextvars import ContextVar

from bot.clock import Clock

COMMAND_CLOCK: ContextVar[Clock | None] = ContextVar("command_clock", default=None)


def command_clock() -> Clock:
    """The `Clock` set in `COMMAND_CLOCK` (tests play days of their own), else the wall clock."""
    return COMMAND_CLOCK.get() or Clock()
