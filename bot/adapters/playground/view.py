"""What the playground's channel shows, and the files it keeps for that: a view for people, not the truth."""

from __future__ import annotations

import asyncio
import mimetypes
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from bot.adapters.base import File, Files
from bot.adapters.sanitize import clean_file_name
from bot.button_tokens import token
from bot.errors import Refused
from bot.model import Attachment, Json, Media, RichText, Rows, Sender

RING = 500  # messages kept in view per chat or thread
LARGEST = 20 * 1024 * 1024  # bytes of one upload
UPLOADS = 300  # files kept; the oldest go first
PHOTOS = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
)  # what a browser may show; everything else is only downloaded

Author = Literal["customer", "operator", "bot", "system"]
_REF = re.compile(r"[0-9a-z]+(-[0-9]+)?")


@dataclass(slots=True)
class ShownMessage:
    """One message as the page shows it. `ticks` is what became of the customer's own: kept, read, failed."""

    id: str
    author: Author
    at: datetime
    name: str = ""
    user: str = ""
    text: RichText = field(default_factory=RichText)
    buttons: Rows = ()
    nonce: int = 0
    attachments: tuple[Attachment, ...] = ()
    ticks: Literal["", "kept", "read", "failed"] = ""
    reaction: str = ""
    quotes: str = ""
    pressed: str = ""
    edited: bool = False
    deleted: bool = False
    pinned: bool = False
    one_time: bool = False
    press: str = ""  # the label of a button somebody pressed: not a message, but part of what happened

    def as_json(self, channel: str) -> Json:
        """The message as the page reads it; text stays text, styles are offsets in characters."""
        seen = not self.deleted
        return {
            "id": self.id,
            "row": self.nonce,
            "author": self.author,
            "at": self.at.isoformat(),
            "name": self.name,
            "user": self.user,
            "text": self.text.text if seen else "",
            "spans": [
                {"style": s.style.value, "offset": s.offset, "length": s.length, "url": s.url}
                for s in self.text.spans
                if seen
            ],
            "buttons": self._buttons_json() if seen else [],
            "attachments": [attachment_json(channel, a) for a in self.attachments if seen],
            "ticks": self.ticks,
            "reaction": self.reaction,
            "quotes": self.quotes,
            "pressed": self.pressed,
            "edited": self.edited,
            "deleted": self.deleted,
            "pinned": self.pinned,
            "one_time": self.one_time,
            "press": self.press,
        }

    def _buttons_json(self) -> list[list[Json]]:
        return [
            [
                {
                    "label": b.label,
                    "style": b.style,
                    "url": b.url,
                    "token": "" if b.url else token(self.nonce, r, c),
                }
                for c, b in enumerate(row)
            ]
            for r, row in enumerate(self.buttons)
        ]


@dataclass(slots=True)
class ChatView:
    """A chat, or one thread of the group: its title, and its newest messages by id."""

    title: str = ""
    closed: bool = False
    gone: bool = False
    shown: dict[str, ShownMessage] = field(default_factory=dict)

    def add(self, message: ShownMessage) -> None:
        self.shown[message.id] = message
        while len(self.shown) > RING:
            del self.shown[next(iter(self.shown))]


class PlaygroundUploads:
    """A folder of what was uploaded and sent, under names of our own; customers' file names never reach the
    disk.
    """

    def __init__(self, folder: Path, channel: str) -> None:
        self._folder, self._channel = folder, channel

    def keep(self, name: str, mime: str, content: bytes, *, voice: bool = False) -> Attachment:
        """Keeps an upload. Raises `Refused` where it is larger than the limit."""
        if len(content) > LARGEST:
            raise Refused(f"larger than {LARGEST // 1024 // 1024} MB", code="file_large")
        ref = secrets.token_hex(8)
        self._write(ref, content)
        media = Media.VOICE if voice else Media.PHOTO if mime in PHOTOS else Media.DOCUMENT
        return Attachment(
            media, ref, self._channel, clean_file_name(name) or "file", mime, len(content), 3 if voice else 0
        )

    def read(self, attachment: Attachment) -> File:
        """Raises `Refused` where the file is not kept any more."""
        path = self._folder / attachment.ref
        if not _REF.fullmatch(attachment.ref) or not path.is_file():
            raise Refused("the file is not kept any more", code="file_gone")
        return File(path.read_bytes(), attachment.name, attachment.mime)

    async def fetch(self, attachment: Attachment, ref: str, files: Files) -> Attachment:
        """The attachment as kept here; what cannot be had stays as a placeholder without a file."""
        if attachment.channel == self._channel or not attachment.ref:
            return attachment
        try:
            file = await files.read(attachment)
        except Refused:
            return self.kept(attachment, "", 0)
        await asyncio.to_thread(self._write, ref, file.content)
        name, mime = file.name or attachment.name, file.mime or attachment.mime
        return self.kept(
            Attachment(
                attachment.media, attachment.ref, "", name, mime, 0, attachment.duration, attachment.data
            ),
            ref,
            len(file.content),
        )

    def kept(self, attachment: Attachment, ref: str, size: int = 0) -> Attachment:
        """The same attachment under *ref* here, if there is such a file."""
        there = bool(ref) and (self._folder / ref).is_file()
        name = clean_file_name(attachment.name or Path(attachment.ref).name)
        mime = attachment.mime or mimetypes.guess_type(name)[0] or ""
        ref = ref if there else ""
        return Attachment(
            attachment.media,
            ref,
            self._channel,
            name,
            mime,
            size or attachment.size,
            attachment.duration,
            attachment.data,
        )

    def _write(self, ref: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / ref).write_bytes(content)
        kept = sorted((p for p in self._folder.iterdir() if p.is_file()), key=lambda p: p.stat().st_mtime_ns)
        for old in kept[:-UPLOADS]:
            old.unlink(missing_ok=True)


def person_json(person: Sender) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "last_name": person.last_name,
        "username": person.username,
        "gender": person.gender,
    }


def attachment_json(channel: str, attachment: Attachment) -> Json:
    """`file` is where the page finds the content, "" where only a placeholder can be shown.

    A file of an article that was not sent yet is shown from its folder.
    """
    if not attachment.channel and (path := str(attachment.data.get("path") or "")):
        mime = mimetypes.guess_type(path)[0] or ""
        attachment = replace(attachment, ref=quote(path), channel="kb", mime=mime)
        channel = "kb"
    kept = bool(attachment.ref) and attachment.channel == channel
    return {
        "media": attachment.media.value,
        "name": attachment.name,
        "mime": attachment.mime,
        "size": attachment.size,
        "duration": attachment.duration,
        "data": dict(attachment.data),
        "file": f"{channel}/{attachment.ref}" if kept else "",
        "picture": kept and attachment.mime in PHOTOS,
    }
