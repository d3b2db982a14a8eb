"""Files on their way into VK: read, uploaded, and known by name for the next time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.base import File, Files, UploadedFiles
from bot.adapters.rich_text import captions as captions_of
from bot.adapters.rich_text import placeholder
from bot.adapters.sanitize import clean_file_name
from bot.adapters.vk.calls import UploadedAttachments
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import VkRefusal, VkSilence
from bot.errors import Refused
from bot.model import Attachment, Media, RichText

MOST = 10  # attachments of one message
REMEMBERED = 500
_WORDS_ONLY = frozenset({Media.STICKER, Media.CONTACT, Media.OTHER})
_REUSABLE = ("photo", "doc", "video")  # of our own channel; voice must be uploaded again
_BAD_FILE = frozenset({22, 100, 105, 114, 118, 121, 129})  # of saving: this file will not do
_PHOTO_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


class _Unfit(Refused):
    """VK takes no such file."""

    code = "file_unfit"


class VkUploads:
    """Makes VK's names of attachments. A repeat uploads again at worst, which nobody sees."""

    def __init__(self, client: VkClient, channel: str) -> None:
        self._client, self._channel = client, channel
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def carry(
        self, attachments: Sequence[Attachment], peer: int, files: Files, *, strict: bool, reuse: bool = True
    ) -> UploadedAttachments:
        """The attachments of one message. What cannot travel becomes a note, or `Refused` where *strict*.

        Without *reuse* everything is uploaded afresh. Raises `RetryLater`, `VkRefusal`, `VkSilence`.
        """
        names: list[str] = []
        captions: list[Attachment] = []
        notes: list[RichText] = []
        place: tuple[float, float] | None = None
        reused = False
        for attachment in attachments:
            if (
                attachment.media is Media.LOCATION
                and place is None
                and (place := _place(attachment)) is not None
            ):
                if title := ", ".join(
                    str(attachment.data[n]) for n in ("title", "address") if attachment.data.get(n)
                ):
                    notes.append(
                        RichText(f"📍 {title}")
                    )  # VK shows the place on a map, and not what is there
                continue
            if attachment.media in _WORDS_ONLY or attachment.media is Media.LOCATION or len(names) == MOST:
                notes.append(placeholder(attachment))
                continue
            if reuse and attachment.channel == self._channel and attachment.ref.startswith(_REUSABLE):
                names.append(attachment.ref)
                reused = True
                continue
            try:
                name, known = await self._name(attachment, peer, files, reuse=reuse)
            except Refused as error:
                if strict:
                    raise Refused(
                        f"{attachment.name or attachment.media}: {error}", code=error.code
                    ) from None
                notes.append(placeholder(attachment))
                continue
            names.append(name)
            captions.append(attachment)
            reused = reused or known
        return UploadedAttachments(tuple(names), place, tuple(notes), reused, captions_of(captions))

    async def _name(
        self, attachment: Attachment, peer: int, files: Files, *, reuse: bool
    ) -> tuple[str, bool]:
        way = {Media.PHOTO: "photo", Media.VOICE: "audio_message"}.get(attachment.media, "doc")
        memory = files if isinstance(files, UploadedFiles) else None
        if reuse and memory and (kept := await memory.known(attachment, self._channel, way)):
            return kept, True
        file = await files.read(attachment)
        if not file.content:
            raise _Unfit("the file is empty")
        key = (way, hashlib.sha256(file.content).hexdigest())
        if reuse and key in self._names:
            self._names.move_to_end(key)
            return self._names[key], True
        read, file = file, _named(attachment, file, way)
        try:
            name = await self._upload(way, peer, file)
        except _Unfit:
            if way == "doc":
                raise
            name = await self._upload(
                "doc", peer, file
            )  # a picture too long or a sound that is no voice still travels as a file
        if memory is not None:
            await memory.remember(read, self._channel, way, name)
        self._names[key] = name
        while len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        return name, False

    async def _upload(self, way: str, peer: int, file: File) -> str:
        try:
            return await (self._photo(peer, file) if way == "photo" else self._document(way, peer, file))
        except VkRefusal as error:
            if error.code in _BAD_FILE:
                raise _Unfit(str(error)) from None
            raise

    async def _photo(self, peer: int, file: File) -> str:
        server = await self._client.call("photos.getMessagesUploadServer", peer_id=peer)
        told = await self._client.upload(_address(server), "photo", file)
        if str(told.get("photo") or "[]") == "[]":
            raise _Unfit("not a picture VK can read")
        saved = await self._client.call(
            "photos.saveMessagesPhoto", photo=told["photo"], server=told.get("server"), hash=told.get("hash")
        )
        return _attachment_name("photo", saved[0] if isinstance(saved, list) and saved else None)

    async def _document(self, way: str, peer: int, file: File) -> str:
        server = await self._client.call("docs.getMessagesUploadServer", type=way, peer_id=peer)
        told = await self._client.upload(_address(server), "file", file)
        if not told.get("file"):
            problem = str(told.get("error") or "")
            if problem == "ERR_UPLOAD_BAD_SERVER" or not problem:
                raise VkSilence("upload: no file in the answer")
            raise _Unfit(f"VK: {problem[:60]}")
        saved = await self._client.call("docs.save", file=told["file"], title=file.name or None)
        kind = str(saved.get("type") or "doc") if isinstance(saved, Mapping) else "doc"
        return _attachment_name(kind, saved.get(kind) if isinstance(saved, Mapping) else None)


def _address(server: object) -> str:
    url = server.get("upload_url") if isinstance(server, Mapping) else None
    if not isinstance(url, str):
        raise VkSilence("upload: no address in the answer")
    return url


def _attachment_name(kind: str, saved: Any) -> str:
    if not isinstance(saved, Mapping) or saved.get("id") is None:
        raise VkSilence("upload: nothing was saved")
    name = f"{kind}{saved.get('owner_id')}_{saved['id']}"
    return f"{name}_{saved['access_key']}" if saved.get("access_key") else name


def _named(attachment: Attachment, file: File, way: str) -> File:
    """VK goes by the suffix of the name."""
    mime = file.mime or attachment.mime
    name = clean_file_name(attachment.name or file.name)
    if way == "photo" and name.rpartition(".")[2].lower() not in _PHOTO_SUFFIXES.values():
        name = f"photo.{_PHOTO_SUFFIXES.get(mime, 'jpg')}"
    elif way == "audio_message" and "." not in name:
        name = "voice.ogg"
    elif "." not in name:
        suffix = {
            Media.VIDEO: "mp4",
            Media.VIDEO_NOTE: "mp4",
            Media.ANIMATION: "gif" if mime == "image/gif" else "mp4",
        }.get(attachment.media, "bin")
        name = f"{name or attachment.media.value}.{suffix}"
    return File(file.content, name, mime)


def _place(attachment: Attachment) -> tuple[float, float] | None:
    try:
        return float(str(attachment.data["latitude"])), float(str(attachment.data["longitude"]))
    except (KeyError, ValueError):
        return None
