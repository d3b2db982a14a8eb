"""The channel of mystery customers: nobody is at its other end, so whatever is sent there has arrived."""

from __future__ import annotations

import asyncio
from typing import Literal

from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
from bot.errors import PeerGone, Problem, Refused
from bot.model import PLAYED, Attachment, Outbound, Sender, Sent


class PlayedAdapter(Adapter):
    """*platform_name* is what operators read on the card: the name of a channel of real customers."""

    kind = "played"

    def __init__(self, platform_name: str) -> None:
        self.name, self.platform_name = PLAYED, platform_name
        self.limits = Limits(per_second=0, peer_per_second=0, group_per_minute=0)
        self.health = Health("working", awaited=False)

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        await asyncio.Event().wait()

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        return Sent(str(nonce))

    async def read(self, attachment: Attachment) -> File:
        raise Refused("a played customer sends no files")

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
