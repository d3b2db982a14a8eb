"""Who listens to voice messages, made from the config. Nothing of it is imported where nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.config.loader import Config
from bot.config.voice import VoiceSettings
from bot.errors import ConfigError
from bot.text.problems import problem

if TYPE_CHECKING:
    from bot.adapters.base import Files
    from bot.app.service_parts import ServiceParts
    from bot.transcription import Transcriber
    from bot.transcription.voice_reader import VoiceReader


def open_transcriber(config: Config, settings: VoiceSettings) -> Transcriber | None:
    """The engine; None where only platforms write down. Raises `ConfigError` where it cannot be used."""
    if settings.engine == "openai":
        from bot.transcription.openai_address import OpenAiAddress

        key = settings.key.get_secret_value() if settings.key else ""
        model = settings.model or "whisper-1"
        return OpenAiAddress(settings.address, key=key, model=model, language=settings.language)
    if settings.engine == "local":
        from bot.transcription.local_model import LocalModel, is_installed

        if not is_installed():
            raise ConfigError([problem("config.voice_missing")])
        folder = config.path(settings.model)
        if not (folder / "model.bin").is_file():
            raise ConfigError([problem("config.voice_no_model", folder=folder.as_posix())])
        return LocalModel(folder, language=settings.language)
    return None


def open_voice(parts: ServiceParts, files: Files) -> VoiceReader | None:
    """What listens to customers; None where the config wants nobody to. Raises `ConfigError`."""
    settings = parts.config.voice
    if settings is None:
        return None
    from bot.transcription.voice_reader import VoiceLimits, VoiceReader

    limits = VoiceLimits(
        seconds=settings.longest,
        size=settings.largest_mb * 1024 * 1024,
        an_hour=settings.an_hour,
        at_once=settings.at_once,
        deadline=settings.deadline,
        least=settings.confidence,
    )
    transcriber = open_transcriber(parts.config, settings)
    return VoiceReader(parts.store, parts.clock, files, transcriber, limits=limits)
