"""How one VK community is reached: the keys of its channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


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
