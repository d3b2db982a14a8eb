"""The optional assistant, made where the config asks for it; nothing of it is imported or asked otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bot.config.loader import Config
from bot.errors import ConfigError
from bot.text.problems import problem

if TYPE_CHECKING:
    from bot.assistant.guarded_assistant import GuardedAssistant
    from bot.assistant.openai_client import OpenAiChat
    from bot.assistant.store import AssistantStore
    from bot.assistant.task import Assistant
    from bot.dialogs.composed.answer_composer import AnswerComposer


def open_assistant(
    config: Config, store: AssistantStore, clock: Callable[[], datetime], zone: tzinfo
) -> GuardedAssistant | None:
    """The assistant of the config; None where nobody may use it. Raises `ConfigError` without its package."""
    chat = open_chat(config)
    if chat is None:
        return None
    from bot.assistant.guarded_assistant import GuardedAssistant

    return GuardedAssistant(config.assistant, chat, store, clock, zone)


def open_chat(config: Config) -> OpenAiChat | None:
    """What it asks, without its guards. Raises `ConfigError` where the package is not installed."""
    settings = config.assistant
    if not settings.is_on or settings.base_url is None:
        return None
    if find_spec("openai") is None:
        raise ConfigError([problem("config.assistant_no_package", str(config.file or ""))])
    from bot.assistant.openai_client import OpenAiChat

    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return OpenAiChat(settings.base_url, settings.model, key)


def open_composer(config: Config, assistant: Assistant | None) -> AnswerComposer | None:
    """What picks customers' answers out of articles; None unless the owner turned it on."""
    if assistant is None or not config.assistant.customers:
        return None
    from bot.dialogs.composed.answer_composer import AnswerComposer

    # a dialog that thinks for too long calls a person, and nobody wants one because of the assistant
    return AnswerComposer(assistant, min(config.assistant.customer_wait, config.dialogs.timeout / 2))
