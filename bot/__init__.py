"""Отклик: a customer-support bot. These are the public names; everything else may change between releases."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

# before anybody imports numpy: a question's products are small, and threads that share them spend several
# times the processor on waiting for each other (docs/decision.md, Speed)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:  # for type checkers and editors; at run time `__getattr__` imports what is asked for
    from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
    from bot.button_tokens import token as button_token
    from bot.clock import Clock
    from bot.config.loader import Config, read_config
    from bot.dialogs.ask import ask, asked
    from bot.dialogs.base import Dialog
    from bot.dialogs.dialog_timers import FiredTimer, cancel_timer, fired_timer, set_timer
    from bot.dialogs.hand_over import hand_over
    from bot.dialogs.open_question import OpenQuestion
    from bot.dialogs.reminders import remind, take_back
    from bot.dialogs.reply import reply
    from bot.errors import (
        AccountError,
        BadFormat,
        BotError,
        ChatMoved,
        ConfigError,
        DeliveryError,
        PeerGone,
        Problem,
        Refused,
        RetryLater,
        StorageError,
        TopicGone,
        Uncertain,
    )
    from bot.knowledge.articles.schema import Article
    from bot.knowledge.base import Match, Retriever
    from bot.model import (
        Attachment,
        Button,
        Customer,
        HistoryEntry,
        Inbound,
        InboundKind,
        Media,
        Outbound,
        OutboundKind,
        Outcome,
        Peer,
        Result,
        RichText,
        Sender,
        Sent,
        Span,
        Style,
        Turn,
    )
    from bot.storage.base import Store

_MODULES = {
    "bot.adapters.base": "Accept Adapter ChatInfo File Files Health Limits",
    "bot.button_tokens": "token",
    "bot.clock": "Clock",
    "bot.config.loader": "Config read_config",
    "bot.dialogs.ask": "ask asked",
    "bot.dialogs.base": "Dialog",
    "bot.dialogs.dialog_timers": "FiredTimer cancel_timer fired_timer set_timer",
    "bot.dialogs.hand_over": "hand_over",
    "bot.dialogs.open_question": "OpenQuestion",
    "bot.dialogs.reminders": "remind take_back",
    "bot.dialogs.reply": "reply",
    "bot.errors": (
        "AccountError BadFormat BotError ChatMoved ConfigError DeliveryError PeerGone Problem Refused"
        " RetryLater StorageError TopicGone Uncertain"
    ),
    "bot.knowledge.articles.schema": "Article",
    "bot.knowledge.base": "Match Retriever",
    "bot.model": (
        "Attachment Button Customer HistoryEntry Inbound InboundKind Media Outbound OutboundKind Outcome Peer"
        " Result RichText Sender Sent Span Style Turn"
    ),
    "bot.storage.base": "Store",
}
_ALIASES = {"token": "button_token"}
_HOMES = {
    _ALIASES.get(name, name): (module, name) for module, names in _MODULES.items() for name in names.split()
}

__all__ = [
    "Accept",
    "AccountError",
    "Adapter",
    "Article",
    "Attachment",
    "BadFormat",
    "BotError",
    "Button",
    "ChatInfo",
    "ChatMoved",
    "Clock",
    "Config",
    "ConfigError",
    "Customer",
    "DeliveryError",
    "Dialog",
    "File",
    "Files",
    "FiredTimer",
    "Health",
    "HistoryEntry",
    "Inbound",
    "InboundKind",
    "Limits",
    "Match",
    "Media",
    "OpenQuestion",
    "Outbound",
    "OutboundKind",
    "Outcome",
    "Peer",
    "PeerGone",
    "Problem",
    "Refused",
    "Result",
    "Retriever",
    "RetryLater",
    "RichText",
    "Sender",
    "Sent",
    "Span",
    "StorageError",
    "Store",
    "Style",
    "TopicGone",
    "Turn",
    "Uncertain",
    "ask",
    "asked",
    "button_token",
    "cancel_timer",
    "fired_timer",
    "hand_over",
    "read_config",
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
        module, there = _HOMES[name]
        return getattr(import_module(module), there)
    raise AttributeError(f"bot has no public name {name!r}; there are {', '.join(__all__)}")
