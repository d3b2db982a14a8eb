"""The content of what is attached to deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bot.adapters.base import Adapter, File
from bot.errors import Refused
from bot.model import Attachment


class AttachmentReader:
    """Reads from whoever holds them: the disk or another channel."""

    def __init__(self, adapters: Mapping[str, Adapter], read_local: Callable[[str], File]) -> None:
        self._adapters, self._read_local = adapters, read_local

    async def read(self, attachment: Attachment) -> File:
        if not attachment.channel:
            return await asyncio.to_thread(self._read_local, attachment.ref)
        if (adapter := self._adapters.get(attachment.channel)) is None:
            raise Refused(f"channel {attachment.channel} is not running")
        return await adapter.read(attachment)
