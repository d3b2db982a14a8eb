"""Отклик: a customer-support bot. These are the public names; everything else may change between releases."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Attachment": "bot.model",
    "Button": "bot.model",
    "Dialog": "bot.dialogs.base",
    "Inbound": "bot.model",
    "Outbound": "bot.model",
    "Outcome": "bot.model",
    "Peer": "bot.model",
    "Result": "bot.model",
    "RichText": "bot.model",
    "Turn": "bot.model",
    "remind": "bot.dialogs.reminders",
    "reply": "bot.dialogs.reply",
    "take_back": "bot.dialogs.reminders",
}

__all__ = [
    "Attachment",
    "Button",
    "Dialog",
    "Inbound",
    "Outbound",
    "Outcome",
    "Peer",
    "Result",
    "RichText",
    "Turn",
    "remind",
    "reply",
    "take_back",
]


def __getattr__(name: str) -> object:
    """A public name is imported when it is asked for: `import bot` alone stays light, so that `bot --help` is
    quick.
    """
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"bot has no public name {name!r}; there are {', '.join(__all__)}")
