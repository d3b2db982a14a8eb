"""The assistant joined to the operators' side: made only where the config lets it work for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.clock import Clock
from bot.config.loader import Config
from bot.model import ASSISTANT

if TYPE_CHECKING:
    from bot.app.service_parts import ServiceParts
    from bot.delivery.assistant_channel import AssistantChannel
    from bot.handoff.desk import Desk
    from bot.inbox import Inbox


def open_assistant_channel(config: Config, clock: Clock) -> dict[str, AssistantChannel]:
    """The channel by which operators' requests reach it."""
    if not config.assistant.operators:
        return {}
    from bot.delivery.assistant_channel import AssistantChannel

    return {ASSISTANT: AssistantChannel(clock)}


def join_assistant(parts: ServiceParts, desk: Desk, inbox: Inbox) -> None:
    """From now on requests are carried out, and replies are handed in."""
    channel = parts.adapters.get(ASSISTANT)
    if channel is None or parts.assistant is None:
        return
    from bot.delivery.assistant_channel import AssistantChannel
    from bot.delivery.operator_assistant import OperatorAssistant
    from bot.delivery.sentence_support import SentenceSupport

    assert isinstance(channel, AssistantChannel)
    supports = SentenceSupport(parts.texts.options("desk.assistant.courtesies"))
    seconds = parts.config.assistant.timeout
    work = OperatorAssistant(desk.context, parts.assistant, parts.clock, supports, seconds)
    channel.begin(work, inbox.accept)
