"""The parts of the config that say which channels there are and how each is reached."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag, model_validator

from bot.config.email_channel import EmailChannel
from bot.config.handoff import Section
from bot.config.website_channel import WebsiteChannel
from bot.text.problems import told


class TelegramChannel(Section):
    """A Telegram bot."""

    type: Literal["telegram"] = Field(description="telegram")
    token: SecretStr | None = Field(None, description='token from @BotFather, as "${TELEGRAM_BOT_TOKEN}"')
    api_base: str | None = Field(None, description="another Bot API server (your own, or a test server)")
    proxy: str | None = Field(
        None, description="http://, socks5:// address through which Telegram is reached"
    )
    mode: Literal["polling", "webhook"] = Field(
        "polling", description="polling needs no public address; webhook needs webhook_url and secret"
    )
    webhook_url: str | None = Field(
        None, description="public https address that leads to /hooks/NAME of the page"
    )
    secret: SecretStr | None = Field(None, description='webhook secret, as "${TELEGRAM_SECRET}"')
    business: bool = Field(
        False,
        description="answer in the chats of whoever connects the bot to their account (Telegram Business)",
    )

    rich_tables: bool = Field(
        False,
        description="tables of articles as tables; clients from before June 2026 ask to be updated instead",
    )
    private_hints: bool = Field(
        False,
        description="refusals and hints in the operators' group for one operator's eyes alone (July 2026 on)",
    )

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> TelegramChannel:
        if self.mode == "webhook" and not (self.secret and self.webhook_url):
            raise ValueError(told("config.webhook_mode"))
        return self

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return self.token is not None


class CommentSettings(Section):
    """Comments under what the community publishes."""

    watch: tuple[Literal["posts", "photos", "videos", "goods", "discussions"], ...] = Field(
        min_length=1, description="where comments are conversations; reviews are often a discussion"
    )
    answer: bool = Field(True, description="false: no public words by the bot, operators see every question")
    length: int = Field(300, ge=80, le=1000, description="characters of a public answer at most")
    per_post: int = Field(20, ge=1, le=200, description="public words of the bot under one post in an hour")
    admin_key: SecretStr | None = Field(
        None,
        description='key of an administrator for what VK refuses a community, as "${VK_ADMIN_KEY}"',
    )


class VkChannel(Section):
    """A VK community."""

    type: Literal["vk"] = Field(description="vk")
    token: SecretStr | None = Field(None, description='key of the community, as "${VK_GROUP_TOKEN}"')
    group_id: int = Field(gt=0, description="number of the community")
    api_base: str | None = Field(None, description="another API server (a test server)")
    proxy: str | None = Field(None, description="http:// or socks5:// address through which VK is reached")
    mode: Literal["longpoll", "callback"] = Field(
        "longpoll", description="longpoll needs no public address; callback needs secret and confirmation"
    )
    secret: SecretStr | None = Field(None, description='secret of the Callback API, as "${VK_SECRET}"')
    confirmation: SecretStr | None = Field(None, description="string that confirms the Callback API server")
    mark_read: bool = Field(True, description="mark messages as read once they are kept")
    comments: CommentSettings | None = Field(
        None, description="comments under posts, photos, videos, goods and in discussions; off without it"
    )

    @model_validator(mode="after")
    def _callback_is_guarded(self) -> VkChannel:
        if self.mode == "callback" and not (self.secret and self.confirmation):
            raise ValueError(told("config.callback_mode"))
        return self

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return self.token is not None


class MaxChannel(Section):
    """A MAX bot."""

    type: Literal["max"] = Field(description="max")
    token: SecretStr | None = Field(None, description='token from business.max.ru, as "${MAX_BOT_TOKEN}"')
    api_base: str | None = Field(None, description="another API server (a test server)")
    ca_file: str | None = Field(
        None, description="PEM file of root certificates the API is checked with, beside the system's"
    )
    proxy: str | None = Field(None, description="http:// or socks5:// address through which MAX is reached")
    mode: Literal["polling", "webhook"] = Field(
        "polling", description="polling is for trying; webhook, for work, needs webhook_url and secret"
    )
    webhook_url: str | None = Field(
        None, description="public https address that leads to /hooks/NAME of the page"
    )
    secret: SecretStr | None = Field(None, description='webhook secret, as "${MAX_SECRET}"')

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> MaxChannel:
        if self.mode == "webhook" and not (self.secret and self.webhook_url):
            raise ValueError(told("config.webhook_mode"))
        if self.webhook_url and not _is_reached(self.webhook_url):
            raise ValueError(told("max.webhook_url"))
        if self.secret and not re.fullmatch(r"[A-Za-z0-9-]{5,256}", self.secret.get_secret_value()):
            raise ValueError(told("config.max_secret"))
        return self

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return self.token is not None


class OtherChannel(BaseModel):
    """A channel that another package brings (entry point `bot.adapters`); its keys are its own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    type: str = Field(description="name of the adapter's entry point")
    token: SecretStr | None = None

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return self.token is not None


def _is_reached(address: str) -> bool:
    """Whether MAX calls such an address: https, and one of its ports."""
    try:
        parts = urlsplit(address)
        port = parts.port or 443
    except ValueError:
        return False
    reached = port in (80, 443, 8080, 8443) or 16384 <= port <= 32383
    return parts.scheme == "https" and bool(parts.hostname) and reached


def _kind(value: object) -> str:
    """Which section a channel's settings are checked against."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return kind if kind in ("telegram", "vk", "max", "website", "email") else "other"


Channel = Annotated[
    Annotated[TelegramChannel, Tag("telegram")]
    | Annotated[VkChannel, Tag("vk")]
    | Annotated[MaxChannel, Tag("max")]
    | Annotated[WebsiteChannel, Tag("website")]
    | Annotated[EmailChannel, Tag("email")]
    | Annotated[OtherChannel, Tag("other")],
    Discriminator(_kind),
]
