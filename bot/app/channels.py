"""The channels of a config: an adapter for each, webhooks among them, and what is asked of them all."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from bot.adapters.base import Adapter, ChatInfo, ConfiguredAdapter, File
from bot.adapters.webhook import WebhookAdapter
from bot.app.entry_points import brought, known_names
from bot.clock import Clock
from bot.config.channels import Channel, OtherChannel, VkChannel
from bot.config.email_channel import EmailChannel
from bot.config.handoff import Webhook
from bot.config.loader import Config
from bot.delivery.webhook_events import PREFIX
from bot.errors import ConfigError, Refused
from bot.model import Peer, Sender
from bot.text.problems import problem


def open_adapters(config: Config, clock: Clock, *, salt: str = "") -> dict[str, Adapter]:
    """An adapter for every channel that has what it needs. Raises `ConfigError` for a kind nobody brings.

    *salt* tells this database from an older one of the same bot: deliveries are numbered anew in each, and VK
    drops a number twice said.
    """
    check_kinds(config)
    made: dict[str, Adapter] = {}
    for name, settings in config.channels.items():
        if settings.enabled:
            made[name] = _adapter(name, settings, clock, _told(config, settings, salt))
    return made


def check_kinds(config: Config) -> None:
    """Raises `ConfigError` for channels of a kind that nobody brings, also where their token is missing:
    with such a typo no token would help.
    """
    unknown = [
        problem("config.adapter_kind", name=name, kind=settings.type, known=known_names("bot.adapters"))
        for name, settings in config.channels.items()
        if isinstance(settings, OtherChannel) and brought("bot.adapters", settings.type) is None
    ]
    if unknown:
        raise ConfigError(unknown)


def hooks_of(config: Config) -> dict[str, Webhook]:
    """The webhooks that are on: those whose address and secret are there."""
    return {name: hook for name, hook in config.webhooks.items() if hook.url and hook.secret}


def open_webhooks(config: Config, clock: Clock) -> dict[str, WebhookAdapter]:
    """The channels through which other systems are told."""
    made = {}
    for name, hook in hooks_of(config).items():
        assert hook.url is not None and hook.secret is not None
        channel = PREFIX + name
        made[channel] = WebhookAdapter(
            channel, clock=clock, url=hook.url, secret=hook.secret.get_secret_value(), private=hook.private
        )
    return made


def _told(config: Config, settings: Channel, salt: str) -> dict[str, str]:
    """What an adapter of ours has to know besides its own keys."""
    if isinstance(settings, VkChannel):
        return {"salt": salt}
    if isinstance(settings, EmailChannel):
        return {"salt": salt, "business": config.business.name, "language": config.business.language}
    return {}


def _adapter(name: str, settings: Channel, clock: Clock, more: Mapping[str, str]) -> Adapter:
    found = brought("bot.adapters", settings.type)
    assert found is not None  # its kind was checked
    values = settings.model_dump(exclude={"type"}, exclude_none=True)
    if isinstance(settings, OtherChannel):
        values |= settings.model_extra or {}
    values |= more
    revealed = {name: _revealed(value) for name, value in values.items()}
    if isinstance(found, ConfiguredAdapter):
        return found.configured(name, revealed, clock)
    return cast(Callable[..., Adapter], found)(name, clock=clock, **revealed)


def _revealed(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _revealed(inner) for name, inner in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class Platforms:
    """The channels, asked about chats and people."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = adapters

    async def membership(self, peer: Peer, user: str) -> str:
        adapter = self._adapters.get(peer.channel)
        return await adapter.membership(peer.chat, user) if adapter else "none"

    async def chat_info(self, peer: Peer) -> ChatInfo | None:
        adapter = self._adapters.get(peer.channel)
        return await adapter.chat_info(peer.chat) if adapter else None

    def topic_url(self, peer: Peer, thread: str) -> str:
        adapter = self._adapters.get(peer.channel)
        return adapter.topic_url(peer.chat, thread) if adapter else ""

    async def profile(self, peer: Peer, user: str) -> Sender | None:
        adapter = self._adapters.get(peer.channel)
        return await adapter.profile(user) if adapter else None


def read_local(ref: str, roots: Sequence[Path]) -> File:
    """A file of the articles (or of the playground's uploads); nothing outside those folders is ever sent."""
    path = Path(ref).resolve()
    if not any(path.is_relative_to(root) for root in roots):
        raise Refused("the file is outside the folder of articles")
    try:
        return File(
            path.read_bytes(), path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
    except OSError as error:
        raise Refused(f"the file cannot be read: {type(error).__name__}") from error
