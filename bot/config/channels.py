"""The parts of the config that say which channels there are and how each is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag, model_validator

from bot.config.email_channel import EmailChannel
from bot.config.handoff import Section
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

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> TelegramChannel:
        if self.mode == "webhook" and not (self.secret and self.webhook_url):
            raise ValueError(told("config.webhook_mode"))
        return self


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

    @model_validator(mode="after")
    def _callback_is_guarded(self) -> VkChannel:
        if self.mode == "callback" and not (self.secret and self.confirmation):
            raise ValueError(told("config.callback_mode"))
        return self


class OtherChannel(BaseModel):
    """A channel that another package brings (entry point `bot.adapters`); its keys are its own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    type: str = Field(description="name of the adapter's entry point")
    token: SecretStr | None = None


def _kind(value: object) -> str:
    """Which section a channel's settings are checked against."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return kind if kind in ("telegram", "vk", "email") else "other"


Channel = Annotated[
    Annotated[TelegramChannel, Tag("telegram")]
    | Annotated[VkChannel, Tag("vk")]
    | Annotated[EmailChannel, Tag("email")]
    | Annotated[OtherChannel, Tag("other")],
    Discriminator(_kind),
]
