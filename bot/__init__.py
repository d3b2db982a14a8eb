"""Отклик: a customer-support bot. These are the public names; everything else may change between releases."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; at run time `__getattr__` imports what is asked for
    from bot.dialogs.ask import ask, asked
    from bot.dialogs.base import Dialog
    from bot.dialogs.dialog_timers import FiredTimer, cancel_timer, fired_timer, set_timer
    from bot.dialogs.hand_over import hand_over
    from bot.dialogs.open_question import OpenQuestion
    from bot.dialogs.reminders import remind, take_back
    from bot.dialogs.reply import reply
    from bot.model import Attachment, Button, Inbound, Outbound, Outcome, Peer, Result, RichText, Turn

_MODULES = {
    "bot.dialogs.ask": ("ask", "asked"),
    "bot.dialogs.base": ("Dialog",),
    "bot.dialogs.dialog_timers": ("FiredTimer", "cancel_timer", "fired_timer", "set_timer"),
    "bot.dialogs.hand_over": ("hand_over",),
    "bot.dialogs.open_question": ("OpenQuestion",),
    "bot.dialogs.reminders": ("remind", "take_back"),
    "bot.dialogs.reply": ("reply",),
    "bot.model": (
        "Attachment", "Button", "Inbound", "Outbound", "Outcome", "Peer", "Result", "RichText", "Turn",
    ),
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Attachment",
    "Button",
    "Dialog",
    "FiredTimer",
    "Inbound",
    "OpenQuestion",
    "Outbound",
    "Outcome",
    "Peer",
    "Result",
    "RichText",
    "Turn",
    "ask",
    "asked",
    "cancel_timer",
    "fired_timer",
    "hand_over",
    "remind",
    "reply",
    "set_timer",
    "take_back",
]


def __getattr__(name: str) -> object:
    """A public name is imported when it is asked for: `import bot` alone stays light, so that `bot --help` is
    quick.
    """
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"bot has no public name {name!r}; there are {', '.join(__all__)}")
