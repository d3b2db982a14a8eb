"""The part of the config about voice messages: who writes down what is said in them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.config.handoff import LANGUAGE, Section
from bot.text.problems import told


class VoiceSettings(Section):
    """Voice messages and video notes as words, for the bot and for operators."""

    engine: Literal["openai", "local", "platform"] = Field(
        description=(
            "openai = any address that speaks /v1/audio/transcriptions, own or hosted; local = a model on"
            " this machine; platform = only what a platform wrote down itself (VK sometimes does)"
        )
    )
    address: str = Field(
        "", description="openai: the address before /audio/transcriptions, as http://127.0.0.1:8000/v1"
    )
    key: SecretStr | None = Field(None, description='openai: key of the server, as "${VOICE_KEY}"')
    model: str = Field(
        "",
        description="openai: name of the model (default whisper-1); local: folder of a faster-whisper model,"
        " relative to this file",
    )
    language: str = Field(
        "",
        pattern=LANGUAGE,
        description="language that is spoken, as ru; empty = the model finds it out for each message",
    )
    deadline: float = Field(25, gt=0, le=50, description="seconds a message waits for its transcript at most")
    longest: int = Field(180, ge=5, le=1800, description="seconds of sound; longer ones go to a person")
    largest_mb: int = Field(20, ge=1, le=25, description="megabytes; larger ones go to a person")
    an_hour: int = Field(
        30, ge=1, le=1000, description="messages of one customer that are listened to within an hour"
    )
    at_once: int = Field(2, ge=1, le=16, description="messages that one process listens to at the same time")
    confidence: float = Field(
        0.5, ge=0, le=1, description="the bot goes by words of this confidence on; people see all of them"
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(told("config.voice_address"))
        return value

    @model_validator(mode="after")
    def _engine_is_whole(self) -> VoiceSettings:
        if self.engine == "openai" and not self.address:
            raise ValueError(told("config.voice_address"))
        if self.engine == "local" and not self.model:
            raise ValueError(told("config.voice_model"))
        return self
