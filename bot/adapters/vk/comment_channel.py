"""The comments of a community beside its messages: an administrator's key, and who may be written to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.adapters.base import Accept
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.comment_check import check_admin
from bot.adapters.vk.comment_sender import CommentSender
from bot.adapters.vk.errors import VkRefusal, VkSilence
from bot.adapters.vk.settings import VkSettings
from bot.errors import Problem
from bot.model import Inbound, InboundKind

PATIENCE = 3.0  # seconds the intake waits to hear who may be written to; then an invitation will do


class CommentChannel:
    """What an adapter needs besides where comments are watched."""

    def __init__(self, client: VkClient, settings: VkSettings) -> None:
        assert settings.comments is not None
        self.places, self._client, self._group = settings.comments.places, client, settings.group_id
        key, address, proxy = settings.comments.admin_key, settings.api_base, settings.proxy
        self._admin = VkClient(key, api_base=address, proxy=proxy, threads=1) if key else None
        self.sender = CommentSender(client, self._admin, settings.group_id)

    def asking(self, accept: Accept) -> Accept:
        """*accept*, with comments told by whether their authors may be written to alone."""

        async def asked(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
            known = await self._writable(inbounds)
            told = [replace(i, data={**i.data, "alone": True}) if i.peer in known else i for i in inbounds]
            await accept(told, cursor=cursor)

        return asked

    async def check(self) -> tuple[Problem, ...]:
        """What comments lack, for doctor."""
        return await check_admin(self._admin, self._group, self.places)

    async def close(self) -> None:
        if self._admin is not None:
            await self._admin.close()

    async def _writable(self, inbounds: Sequence[Inbound]) -> set[object]:
        """The peers of comments whose authors let the community write to them. Never fails."""
        found: set[object] = set()
        peers = dict.fromkeys(
            i.peer for i in inbounds if i.peer.is_public and i.kind is not InboundKind.DELETED
        )
        try:
            async with asyncio.timeout(PATIENCE if peers else None):
                for peer in peers:
                    answer = await self._client.call_aside(
                        "messages.isMessagesFromGroupAllowed", group_id=self._group, user_id=int(peer.chat)
                    )
                    if isinstance(answer, Mapping) and answer.get("is_allowed"):
                        found.add(peer)
        except (VkRefusal, VkSilence, TimeoutError):
            return found
        return found
