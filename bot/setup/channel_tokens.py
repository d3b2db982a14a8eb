"""The tokens of an owner's channels: which variable holds each, and how a new one is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.config.channels import MaxChannel, TelegramChannel, VkChannel
from bot.config.environment import keep_variable
from bot.config.faults import VARIABLE
from bot.config.loader import Config
from bot.config.values import Setting, write_settings
from bot.text.yaml_source import YamlError, read_yaml_file

Platform = Literal["telegram", "vk", "max"]
TOKEN = {"telegram": "TELEGRAM_BOT_TOKEN", "vk": "VK_GROUP_TOKEN", "max": "MAX_BOT_TOKEN"}
KINDS = {"telegram": TelegramChannel, "vk": VkChannel, "max": MaxChannel}
NO_PROXY = "-"  # what is typed to do without one again


@dataclass(frozen=True, slots=True)
class ChannelTokens:
    """How one platform is reached; *token* is "" where none is kept. *name* is the channel's in config.yaml
    (*known*: it is there), *variable* the one that its token stands in.

    *outside*: the environment of the process sets that variable, and wins over the file `.env`.
    """

    platform: Platform
    name: str
    variable: str
    token: str = field(default="", repr=False)
    group_id: int = 0
    api_base: str = ""
    proxy: str = field(default="", repr=False)
    known: bool = False

    @property
    def outside(self) -> bool:
        return bool(os.environ.get(self.variable))

    @classmethod
    def of(cls, config: Config, platform: Platform) -> ChannelTokens:
        """Those of the first channel of this platform; usual names where there is none yet."""
        for name, channel in config.channels.items():
            if isinstance(channel, KINDS[platform]):
                return cls(
                    platform,
                    name,
                    _variable(config.file, name) or TOKEN[platform],
                    channel.token.get_secret_value() if channel.token else "",
                    channel.group_id if isinstance(channel, VkChannel) else 0,
                    channel.api_base or "",
                    channel.proxy or "",
                    known=True,
                )
        return cls(platform, platform, TOKEN[platform])

    def keep(self, file: Path, *, token: str, group_id: int = 0, proxy: str = "", api_base: str = "") -> None:
        """Keep what was given: the token and a proxy in `.env` beside *file*, the rest in the config.

        Raises `ConfigError`: then the config is as it was, and no token is kept.
        """
        settings = dict(self._settings(group_id))
        if api_base != self.api_base:
            settings[("channels", self.name, "api_base")] = api_base or None
        variable = f"{self.platform.upper()}_PROXY"
        if proxy:
            wanted = None if proxy == NO_PROXY else f"${{{variable}}}"
            settings[("channels", self.name, "proxy")] = wanted
        write_settings(file, settings)
        if proxy and proxy != NO_PROXY:
            keep_variable(file.parent, variable, proxy)
        if token:
            keep_variable(file.parent, self.variable, token)

    def _settings(self, group_id: int) -> Mapping[tuple[str, ...], Setting]:
        """What the config lacks for this channel."""
        place = ("channels", self.name)
        number = {"group_id": group_id} if group_id else {}
        if not self.known:
            return {place: {"type": self.platform, "token": f"${{{self.variable}}}", **number}}
        return {(*place, "group_id"): group_id} if group_id not in (0, self.group_id) else {}


def _variable(file: Path | None, channel: str) -> str:
    try:
        root = read_yaml_file(file) if file else None
    except YamlError:
        return ""
    node = root.find("channels", channel, "token")[0] if root else None
    found = VARIABLE.fullmatch(node.text) if node is not None and node.kind == "text" else None
    return found[1] if found else ""
