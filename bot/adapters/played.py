"""The channel of mystery customers: nobody is at its other end, so whatever is sent there has arrived."""

from __future__ import annotations

import asyncio

from bot.adapters.base import Accept, File, Files, Health, Limits
from bot.adapters.groupless_adapter import GrouplessAdapter
from bot.errors import Refused
from bot.model import PLAYED, Attachment, Outbound, Sent


class PlayedAdapter(GrouplessAdapter):
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
