"""Files on their way into MAX: read, uploaded in two steps, and known by their token for the next time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from maxapi.types.attachments.upload import AttachmentPayload, AttachmentUpload

from bot.adapters.base import File, Files, UploadedFiles
from bot.adapters.max.calls import CarriedAttachments, Json, as_contact, as_location, upload_type
from bot.adapters.max.client import MaxClient
from bot.adapters.rich_text import captions as captions_of
from bot.adapters.rich_text import placeholder
from bot.adapters.sanitize import clean_file_name
from bot.errors import Refused, RetryLater
from bot.model import Attachment, Media, RichText

REMEMBERED = 500
LARGEST = {"image": 50, "video": 250, "audio": 250, "file": 250}  # MB; of a file MAX takes more than we read
_SUFFIXES = {"image": "jpg", "video": "mp4", "audio": "mp3", "file": "bin"}
_PICTURES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


class MaxUploads:
    """Makes MAX's tokens of attachments. A repeat uploads again at worst, which nobody sees."""

    def __init__(self, client: MaxClient, channel: str) -> None:
        self._client, self._channel = client, channel
        self._tokens: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def carry(
        self,
        attachments: Sequence[Attachment],
        files: Files,
        *,
        strict: bool,
        as_files: bool = False,
        fresh: bool = False,
    ) -> CarriedAttachments:
        """The attachments of one message. What cannot travel becomes a note, or `Refused` where *strict*.

        *fresh*: uploaded anew, *as_files*: as plain files besides. Raises `DeliveryError`.
        """
        items: list[Json] = []
        sent: list[Attachment] = []
        notes: list[RichText] = []
        reused = False
        for attachment in attachments:
            if (ready := self._ready(attachment, notes)) is not None:
                items.append(ready)
                continue
            if attachment.media in (Media.STICKER, Media.OTHER, Media.LOCATION):
                notes.append(placeholder(attachment))
                continue
            try:
                item, known = await self._item(attachment, files, as_files=as_files, fresh=fresh)
            except Refused as error:
                if strict:
                    what = attachment.name or attachment.media
                    raise Refused(f"{what}: {error}", code=error.code) from None
                notes.append(placeholder(attachment))
                continue
            items.append(item)
            sent.append(attachment)
            reused = reused or known
        return CarriedAttachments(tuple(items), tuple(notes), reused, captions_of(sent))

    def _ready(self, attachment: Attachment, notes: list[RichText]) -> Json | None:
        """What travels without a file."""
        match attachment.media:
            case Media.LOCATION if (place := as_location(attachment.data)) is not None:
                told = [str(attachment.data[k]) for k in ("title", "address") if attachment.data.get(k)]
                if told:  # MAX shows the place, and not what is there
                    notes.append(RichText(f"📍 {', '.join(told)}"))
                return place
            case Media.CONTACT if attachment.data.get("phone") or attachment.data.get("name"):
                return as_contact(attachment.data)
            case Media.STICKER if attachment.channel == self._channel and attachment.ref:
                return {"type": "sticker", "payload": {"code": attachment.ref}}
        return None

    async def _item(
        self, attachment: Attachment, files: Files, *, as_files: bool, fresh: bool
    ) -> tuple[Json, bool]:
        reuse = not (as_files or fresh)
        kind = "file" if as_files else upload_type(attachment.media, attachment.mime)
        if reuse and attachment.channel == self._channel and attachment.ref:
            return _packed(kind, attachment.ref), True  # MAX's own: its token will do again
        memory = files if isinstance(files, UploadedFiles) else None
        if reuse and memory and (known := await memory.known(attachment, self._channel, kind)):
            return _packed(kind, known), True
        file = await files.read(attachment)
        if not file.content:
            raise Refused("the file is empty", code="file_unfit")
        if len(file.content) > LARGEST[kind] * 1024 * 1024:
            raise Refused(f"the file is larger than {LARGEST[kind]} MB", code="file_large")
        key = (kind, hashlib.sha256(file.content).hexdigest())
        if reuse and key in self._tokens:
            self._tokens.move_to_end(key)
            return _packed(kind, self._tokens[key]), True
        token = await self._upload(kind, _named(attachment, file, kind))
        if memory is not None:
            await memory.remember(file, self._channel, kind, token)
        self._tokens[key] = token
        while len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        return _packed(kind, token), False

    async def _upload(self, kind: str, file: File) -> str:
        """First the address, then the file. Of sound and video the token comes with the address."""
        place = await self._client.call("POST", "/uploads", params={"type": kind})
        if not isinstance(url := place.get("url"), str) or not url:
            raise RetryLater("upload: no address in the answer", after=2.0)
        told = await self._client.upload(url, file)
        token = str(place.get("token") or "") if kind in ("video", "audio") else _token_in(told)
        if not token:
            raise Refused("MAX took no token of the file", code="file_unfit")
        return token


def _token_in(told: Mapping[str, Any]) -> str:
    """A picture's answer has a token for each of its sizes."""
    photos = told.get("photos")
    if isinstance(photos, Mapping):
        told = next((p for p in photos.values() if isinstance(p, Mapping)), {})
    return str(told.get("token") or "")


def _packed(kind: str, token: str) -> Json:
    payload = AttachmentPayload(token=token)
    return AttachmentUpload.model_validate({"type": kind, "payload": payload}).model_dump(mode="json")


def _named(attachment: Attachment, file: File, kind: str) -> File:
    mime = file.mime or attachment.mime
    name = clean_file_name(attachment.name or file.name)
    if kind == "image" and name.rpartition(".")[2].lower() not in (*_PICTURES.values(), "jpeg"):
        name = f"photo.{_PICTURES.get(mime, 'jpg')}"
    elif "." not in name:
        suffix = "ogg" if attachment.media is Media.VOICE else _SUFFIXES[kind]
        name = f"{name or attachment.media.value}.{suffix}"
    return File(file.content, name, mime)
