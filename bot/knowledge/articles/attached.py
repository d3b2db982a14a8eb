"""The files of an article that are sent with its answer: as what each travels, and what is sent at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.model import Attachment, Media

MAX_FILE = 50 * 1024 * 1024  # bytes that every channel takes; Telegram's limit for bots
MAX_PICTURE = 10 * 1024 * 1024  # above it Telegram takes a picture as a file only

_PHOTOS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_FILES = (
    *(".pdf", ".svg", ".heic", ".txt", ".csv", ".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".ods"),
    *(".ppt", ".pptx", ".odp", ".zip", ".epub", ".ics", ".vcf", ".dxf", ".mov", ".webm", ".avi", ".mkv"),
)
KINDS: Mapping[str, Media] = {
    **dict.fromkeys(_PHOTOS, Media.PHOTO),
    **dict.fromkeys(_FILES, Media.DOCUMENT),
    **dict.fromkeys((".mp4", ".m4v"), Media.VIDEO),
    **dict.fromkeys((".mp3", ".m4a"), Media.AUDIO),
    ".gif": Media.ANIMATION,
}


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of an article: its path inside the folder, what is said with it, and the address that stands
    for it where it cannot travel.

    It belongs to *passage* of the article, and is sent with its words; `line` is where the article names it.
    """

    path: str
    caption: str = ""
    link: str = ""
    passage: int = 0
    line: int = 1

    def attachment(self, folder: Path) -> Attachment:
        """The file as a message carries it."""
        name = PurePosixPath(self.path).name
        said = (("path", self.path), ("caption", self.caption), ("link", self.link))
        data = {key: value for key, value in said if value}
        return Attachment(media_of(name), (folder / self.path).as_posix(), name=name, data=data)


def media_of(name: str) -> Media:
    """What a file of this name travels as; a document where nothing better is known."""
    return KINDS.get(PurePosixPath(name).suffix.lower(), Media.DOCUMENT)


def is_sendable(name: str) -> bool:
    """Whether a file of this name may go to customers: of a known kind, and not hidden."""
    pure = PurePosixPath(name)
    return pure.suffix.lower() in KINDS and not any(part.startswith(".") for part in pure.parts)


def in_order(files: Sequence[AttachedFile]) -> tuple[AttachedFile, ...]:
    """Each file once, where the article names it first."""
    seen: dict[str, AttachedFile] = {}
    for file in files:
        seen.setdefault(file.path, file)
    return tuple(seen.values())
