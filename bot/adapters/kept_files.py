"""Files that people hand in through pages: of which kinds, and how an attachment names one in the store."""

from __future__ import annotations

from bot.model import Media

KEPT = "kept:"  # begins the ref of a file that the store keeps
# Suffixes that people send one another; programs and pages are refused.
SUFFIXES = frozenset(
    (
        *("jpg", "jpeg", "png", "webp", "gif", "heic", "pdf", "txt", "csv", "rtf", "doc", "docx", "odt"),
        *("xls", "xlsx", "ods", "ppt", "pptx", "odp", "zip", "mp3", "ogg", "m4a", "wav", "mp4", "mov"),
    )
)
MEDIA = {"mp4": Media.VIDEO, "mov": Media.VIDEO, "mp3": Media.AUDIO, "m4a": Media.AUDIO}


def suffix_of(name: str) -> str:
    """
    >>> suffix_of("Счёт.PDF"), suffix_of("чек")
    ('pdf', '')
    """
    return name.rpartition(".")[2].lower() if "." in name else ""
