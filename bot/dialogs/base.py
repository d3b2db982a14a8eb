"""What a dialog is: it reads a turn and returns what to do, or None for "not mine, ask the next"."""

from __future__ import annotations

from typing import Protocol

from bot.model import Outcome, Turn


class Dialog(Protocol):
    """A plain async function is enough. It may read the world with its own client; it may not speak, store or
    start tasks.

    Returning None passes the turn on. Raising or hanging (see `dialogs.timeout` in the config) hands over to
    a person. It may be asked again about the same turn (after a crash, or when an operator stepped in
    meanwhile).
    """

    async def __call__(self, turn: Turn) -> Outcome | None: ...
