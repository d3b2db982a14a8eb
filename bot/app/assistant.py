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
    from bot.assistant.store import AssistantStore


def open_assistant(
    config: Config, store: AssistantStore, clock: Callable[[], datetime], zone: tzinfo
) -> GuardedAssistant | None:
    """The assistant of the config; None where nobody may use it. Raises `ConfigError` without its package."""
    settings = config.assistant
    if not settings.is_on or settings.base_url is None:
        return None
    if find_spec("openai") is None:
        raise ConfigError([problem("config.assistant_no_package", str(config.file or ""))])
    from bot.assistant.guarded_assistant import GuardedAssistant
    from bot.assistant.openai_client import OpenAiChat

    key = settings.api_key.get_secret_value() if settings.api_key else ""
    chat = OpenAiChat(settings.base_url, settings.model, key)
    return GuardedAssistant(settings, chat, store, clock, zone)
