"""What every channel answers that has no groups: sites, mailboxes, webhooks, channels of this process."""

from __future__ import annotations

from typing import Literal

from bot.adapters.base import Adapter, ChatInfo
from bot.errors import PeerGone, Problem
from bot.model import Sender


class GrouplessAdapter(Adapter):
    """An adapter of a place without groups, members and profiles. Say what the channel has of its own."""

    async def chat_info(self, chat: str) -> ChatInfo:
        raise PeerGone("there are no groups")

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        return "none"

    async def profile(self, user: str) -> Sender | None:
        return None

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        return None

    async def check(self) -> tuple[Problem, ...]:
        return ()

    def is_group(self, chat: str) -> bool:
        return False

    async def close(self) -> None:
        return None
