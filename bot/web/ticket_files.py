"""Files on a ticket's page: those that are attached to an answer, and those that were sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web

from bot.adapters.kept_files import KEPT, MEDIA, SUFFIXES, suffix_of
from bot.adapters.sanitize import clean_file_name
from bot.errors import Refused, RetryLater
from bot.model import Attachment, Media
from bot.web.services import WebServices

LARGEST = 10 * 1024 * 1024  # bytes of one file
MOST = 10  # files of one answer
LINES = 1000  # of a conversation in which a file is looked for
# What a file begins with that is shown as a picture: what a name claims does not count.
_SOUNDS = ((b"OggS", "audio/ogg"), (b"ID3", "audio/mpeg"), (b"\xff\xfb", "audio/mpeg"))
_PICTURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
_KEY = re.compile(r"[\w-]{1,60}")


class BadFile(Exception):
    """A file that is not sent; `why` is a word of `order_file_*`, `name` the file's."""

    def __init__(self, why: str, name: str) -> None:
        super().__init__(why)
        self.why, self.name = why, name


def mark_of(attachment: Attachment) -> str:
    """The name of a file in the address of its page: nobody guesses it, and it tells nothing."""
    return hashlib.sha256(f"{attachment.channel} {attachment.ref}".encode()).hexdigest()[:20]


class TicketFiles:
    """GET /conversation/{id}/file/{mark}, and what comes with the panel's form."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    async def keep(self, fields: Sequence[object], conversation: int, key: str) -> tuple[Attachment, ...]:
        """The form's files, kept where the outbox of any process reads them; the same *key* keeps them once.

        Raises `BadFile` before anything is kept.
        """
        files = [f for f in fields if isinstance(f, web.FileField) and f.filename]
        if len(files) > MOST:
            raise BadFile("many", "")
        made = [_checked(f.filename, f.file.read(LARGEST + 1)) for f in files]
        now, kept = self._services.clock(), []
        for n, (attachment, content) in enumerate(made):
            name = f"{conversation}-{key if _KEY.fullmatch(key) else hashlib.sha256(content).hexdigest()}-{n}"
            await self._services.store.keep_file(name, conversation, content, now)
            kept.append(
                Attachment(attachment.media, KEPT + name, "", attachment.name, attachment.mime, len(content))
            )
        return tuple(kept)

    async def show(self, request: web.Request) -> web.Response:
        """What was sent in this conversation: pictures and voice messages are shown, everything
        else is only downloaded.
        """
        written, mark = request.match_info["id"], request.match_info["mark"]
        reader = self._services.files
        lines = (
            await self._services.store.history(int(written), limit=LINES)
            if reader is not None and written.isdecimal() and len(written) < 10
            else ()
        )
        found = next((a for line in lines for a in line.attachments if mark_of(a) == mark), None)
        if found is None or reader is None:
            raise web.HTTPNotFound(text="no such file")
        try:
            file = await reader.read(found)
        except (Refused, RetryLater) as error:
            raise web.HTTPNotFound(text=str(error)) from error
        shown = _picture(file.content) or _sound(file.content)
        name = quote(clean_file_name(found.name or file.name) or "file")
        headers = {
            "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
            "Cache-Control": "private, max-age=3600",
        }
        mime = shown or "application/octet-stream"
        return web.Response(body=file.content, content_type=mime, headers=headers)


def _checked(written: str, content: bytes) -> tuple[Attachment, bytes]:
    name = clean_file_name(written) or "file"
    suffix = suffix_of(name)
    if suffix not in SUFFIXES:
        raise BadFile("kind", name)
    if not content:
        raise BadFile("empty", name)
    if len(content) > LARGEST:
        raise BadFile("large", name)
    picture = _picture(content)
    media = Media.PHOTO if picture else MEDIA.get(suffix, Media.DOCUMENT)
    return Attachment(media, name=name, mime=picture), content


def _sound(content: bytes) -> str:
    """The type of a voice message or video note, as messengers record them; "" = something else."""
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return "audio/wav"
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return next((mime for start, mime in _SOUNDS if content.startswith(start)), "")


def _picture(content: bytes) -> str:
    """Its type, where a browser and both messengers show it as a picture; "" = no picture."""
    return next((mime for start, mime in _PICTURES if content.startswith(start)), "")
