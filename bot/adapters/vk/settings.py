"""How one VK community is reached: the keys of its channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class WatchedComments:
    """Where comments are conversations, and an administrator's key for what VK refuses a community's."""

    places: frozenset[str]
    admin_key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, keys: Mapping[str, Any]) -> WatchedComments:
        """From the section `comments` of the channel."""
        return cls(frozenset(keys["watch"]), keys.get("admin_key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class VkSettings:
    """*salt* names the store, so that a fresh one never repeats the random ids of an older one; *wait* is how
    many seconds one poll waits.
    """

    token: str = field(repr=False)
    group_id: int
    api_base: str | None = None
    proxy: str | None = field(default=None, repr=False)
    mode: Literal["longpoll", "callback"] = "longpoll"
    secret: str | None = field(default=None, repr=False)
    confirmation: str | None = field(default=None, repr=False)
    mark_read: bool = True
    salt: str = ""
    wait: int = 10
    comments: WatchedComments | None = None
