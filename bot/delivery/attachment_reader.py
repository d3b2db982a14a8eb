"""The content of what is attached to deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bot.adapters.base import Adapter, File
from bot.errors import Refused
from bot.model import Attachment


async def _nothing(name: str) -> bytes | None:
    return None


KEPT = "kept:"  # begins the ref of a file that the store keeps


class AttachmentReader:
    """Reads from whoever holds them: the disk, the store (*kept*) or another channel."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        read_local: Callable[[str], File],
        kept: Callable[[str], Awaitable[bytes | None]] = _nothing,
    ) -> None:
        self._adapters, self._read_local, self._kept = adapters, read_local, kept

    async def read(self, attachment: Attachment) -> File:
        """Raises `Refused` where it is gone for good, `RetryLater` where it may come later."""
        if not attachment.channel and attachment.ref.startswith(KEPT):
            if (content := await self._kept(attachment.ref.removeprefix(KEPT))) is None:
                raise Refused("the file is not kept any more", code="file_gone")
            return File(content, attachment.name, attachment.mime)
        if not attachment.channel:
            return await asyncio.to_thread(self._read_local, attachment.ref)
        if (adapter := self._adapters.get(attachment.channel)) is None:
            raise Refused(f"channel {attachment.channel} is not running")
        return await adapter.read(attachment)
