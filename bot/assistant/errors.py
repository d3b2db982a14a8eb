"""Why the assistant gave no reply. Whoever asks it catches `AssistantError` and goes on as without it."""

from __future__ import annotations

from typing import Literal

from bot.errors import BotError

AssistantReason = Literal[
    "not_allowed",  # the config does not let it work for these people
    "budget",  # what it may spend in a day is spent
    "customer_budget",  # one customer has used it as often as one may in a day
    "resting",  # it failed several times in a row and is left alone for a while
    "too_long",  # what it was to read is more than it may be sent
    "timeout",
    "connection",
    "server",  # a status of 500 and above, or what is no answer
    "busy",  # 429
    "account",  # 401, 402, 403: the key, or what it is allowed
    "request",  # any other refusal: the model's name, the address
    "empty",
    "cut",  # the reply ended before its end
    "malformed",  # not the JSON that was asked for
    "tools",  # it wanted to call tools; it has none
    "leaked",  # it repeated its instructions, or the marks around the data
]


class AssistantError(BotError):
    """No reply. *reason* is one of few words for events, health and pages.

    Law: nothing of what was sent or received is in it.
    """

    def __init__(self, reason: AssistantReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: AssistantReason = reason
        self.detail = detail


class AssistantUnavailable(AssistantError):
    """It was not asked at all: not allowed, its budget spent, or resting after failures."""


class AssistantFailed(AssistantError):
    """It was asked and gave nothing that can be used."""
