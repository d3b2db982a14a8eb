"""The part of the config about the optional assistant."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.config.handoff import Section
from bot.text.problems import told


class AssistantBudgetSettings(Section):
    """What it may spend in a day of the business; 0 = no limit."""

    calls: int = Field(300, ge=0, description="calls a day")
    tokens: int = Field(300_000, ge=0, description="tokens a day, read and written together")
    customer_calls: int = Field(15, ge=0, description="calls for the questions of one customer a day")


class AssistantSettings(Section):
    """A language model that words what the articles say. Off until somebody is allowed to use it."""

    base_url: str | None = Field(
        None, description="address of an OpenAI-compatible server, as http://127.0.0.1:11434/v1"
    )
    model: str = Field("", max_length=200, description="name of the model there")
    api_key: SecretStr | None = Field(
        None, description='key, as "${ASSISTANT_KEY}"; servers of your own often need none'
    )
    timeout: float = Field(30, gt=0, le=120, description="seconds that operators and editors wait at most")
    customer_wait: float = Field(
        6, gt=0, le=15, description="seconds that a customer waits at most; then the article is said as it is"
    )
    operators: bool = Field(False, description="drafts, summaries and translations for operators")
    editors: bool = Field(False, description="drafts of articles for editors")
    customers: bool = Field(
        False, description="answers to customers, composed of sentences of the article and checked against it"
    )
    budget: AssistantBudgetSettings = Field(
        default_factory=AssistantBudgetSettings, description="what it may spend in a day"
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(told("config.assistant_address"))
        return value.rstrip("/")

    @model_validator(mode="after")
    def _knows_whom_to_ask(self) -> AssistantSettings:
        if self.is_on and not (self.base_url and self.model):
            raise ValueError(told("config.assistant_incomplete"))
        return self

    @property
    def is_on(self) -> bool:
        """Whether anybody may use it."""
        return self.operators or self.editors or self.customers

    @property
    def audiences(self) -> tuple[str, ...]:
        """Those for whom it may work."""
        return tuple(a for a in ("operators", "editors", "customers") if getattr(self, a))

    def allows(self, audience: Literal["operators", "editors", "customers"]) -> bool:
        """Whether it may work for them."""
        return bool(getattr(self, audience))
