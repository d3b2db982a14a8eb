"""Pictures and files that an editor drops on an article: what they are is told by their content, and where
they go by us.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from posixpath import relpath

from bot.errors import BotError
from bot.knowledge.articles.attached import MAX_PICTURE
from bot.knowledge.articles.drafts import slug_of
from bot.knowledge.articles.picture_file import is_too_large, pixels_of
from bot.knowledge.articles.writer import FileChange, place_in, rewrite

LARGEST = 20 * 1024 * 1024  # bytes of a file that is no picture
PICTURES = (".png", ".jpg", ".gif", ".webp")
_FOLDERS = ("images", "files")  # in the folder of articles: of pictures, of the rest
_BEGINS = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
)
_VIDEOS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash")


class UnfitFile(BotError):
    """A file that is not kept: `code` is "kind", "large", "pixels" or "empty"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def suffix_of(content: bytes) -> str:
    """What the content is, as a suffix; "" for everything that is not taken."""
    for begin, suffix in _BEGINS:
        if content.startswith(begin):
            return suffix
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    if content.startswith(b"%PDF-"):
        return ".pdf"
    return ".mp4" if content[4:8] == b"ftyp" and content[8:12] in _VIDEOS else ""


def keep_upload(folder: Path, name: str, content: bytes) -> tuple[str, FileChange | None]:
    """Keep a file of the articles under a safe name; where it is in the folder, and what was written (None
    where the very same is there already).

    Raises `UnfitFile`, `ReadOnlyArticles`.
    """
    suffix = suffix_of(content)
    if not content:
        raise UnfitFile("empty")
    if not suffix:
        raise UnfitFile("kind")
    is_picture = suffix in PICTURES
    if len(content) > (MAX_PICTURE if is_picture else LARGEST):
        raise UnfitFile("large")
    if is_picture and is_too_large(pixels_of(content)):
        raise UnfitFile("pixels")
    stem = slug_of(PurePosixPath(name.replace("\\", "/")).stem)
    stem = stem if name.strip() and stem != "statya" else "file"
    base = _FOLDERS[0] if is_picture else _FOLDERS[1]
    for place in (
        f"{base}/{stem}{suffix}",
        f"{base}/{stem}-{hashlib.sha256(content).hexdigest()[:8]}{suffix}",
    ):
        path = place_in(folder, place)
        if path.is_file() and path.read_bytes() == content:
            return place, None
        if not path.exists():
            return place, rewrite(folder, place, None, content)
    raise UnfitFile("kind")  # two different files of one hash


def markdown_of(place: str, article: str, words: str) -> str:
    """How an article shows or offers a file: both by their places in the folder."""
    target = relpath(place, PurePosixPath(article).parent.as_posix())
    said = " ".join(words.replace("[", "(").replace("]", ")").split())
    return (
        f"[{said or PurePosixPath(place).name}]({target})"
        if place.endswith(".pdf")
        else f"![{said}]({target})"
    )
