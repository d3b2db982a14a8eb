"""The content of what is attached to deliveries, and what each channel calls a file that it has already."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from bot.adapters.base import Adapter, File, Files
from bot.adapters.kept_files import KEPT
from bot.errors import DeliveryError, Refused, StorageError
from bot.model import Attachment
from bot.observability import get_logger

DIGITS = 32  # of a digest: enough to tell any two files apart


class KeptFiles(Protocol):
    """Where such files and the names are kept (`Store`)."""

    async def kept_file(self, file: str) -> bytes | None: ...

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...


class AttachmentReader(Files):
    """Reads from whoever holds them: the disk, the store or another channel.

    What a channel calls a local file is kept by the file's content: whichever process uploaded it, and
    wherever it lies, it is uploaded once.
    """

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        read_local: Callable[[str], File],
        kept: KeptFiles | None = None,
    ) -> None:
        self._adapters, self._read_local, self._kept = adapters, read_local, kept
        self._digests: dict[tuple[str, int, int], str] = {}  # by path, time and size

    async def read(self, attachment: Attachment) -> File:
        if not attachment.channel and attachment.ref.startswith(KEPT):
            content = await self._kept.kept_file(attachment.ref.removeprefix(KEPT)) if self._kept else None
            if content is None:
                raise Refused("the file is not kept any more", code="file_gone")
            return File(content, attachment.name, attachment.mime)
        if not attachment.channel:
            return await asyncio.to_thread(self._read, attachment.ref)
        if (adapter := self._adapters.get(attachment.channel)) is None:
            raise Refused(f"channel {attachment.channel} is not running")
        return await adapter.read(attachment)

    async def known(self, attachment: Attachment, channel: str, kind: str) -> str:
        if attachment.channel or not attachment.ref or self._kept is None:
            return ""
        try:
            digest = await asyncio.to_thread(self._digest, attachment.ref)
            return await self._kept.setting(_key(digest, channel, kind)) or ""
        except (DeliveryError, OSError, StorageError):
            return ""  # then it is read and uploaded, and what is wrong with it is told there

    async def remember(self, file: File, channel: str, kind: str, ref: str) -> None:
        if not file.digest or not ref or self._kept is None:
            return
        try:
            await self._kept.keep_setting(_key(file.digest, channel, kind), ref)
        except StorageError as error:  # it is uploaded once more, nothing else
            get_logger("outbox").warning("file_name_not_kept", error=str(error))

    def _read(self, ref: str) -> File:
        file = self._read_local(ref)
        return replace(file, digest=hashlib.sha256(file.content).hexdigest()[:DIGITS])

    def _digest(self, ref: str) -> str:
        stat = Path(ref).stat()
        stamp = (ref, stat.st_mtime_ns, stat.st_size)
        if stamp not in self._digests:
            self._digests[stamp] = self._read(ref).digest
        return self._digests[stamp]


def _key(digest: str, channel: str, kind: str) -> str:
    return f"file:{channel}:{kind}:{digest}"
