"""How many pixels a picture has, told by its first bytes: one that is too large travels as a file only."""

from __future__ import annotations

import struct

MOST_PIXELS = 10_000  # width and height together, of a photo of Telegram
MOST_RATIO = 20  # the longer side to the shorter one
HEAD = 256 * 1024  # bytes in which the size stands, behind whatever a camera has put first
_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})  # markers among those of frames that are none
_ALONE = frozenset({0x01, 0xFF, *range(0xD0, 0xD9)})  # markers without a length


def pixels_of(head: bytes) -> tuple[int, int] | None:
    """Width and height; None where these bytes do not tell.

    >>> pixels_of(b"GIF89a" + bytes([16, 0, 9, 0]))
    (16, 9)
    """
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _pair(struct.unpack(">II", head[16:24]))
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return _pair(struct.unpack("<HH", head[6:10]))
        if head.startswith(b"\xff\xd8"):
            return _of_jpeg(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _of_webp(head)
    except (struct.error, IndexError):
        pass
    return None


def is_too_large(size: tuple[int, int] | None) -> bool:
    """Whether no messenger shows it as a photo."""
    return size is not None and (sum(size) > MOST_PIXELS or max(size) > MOST_RATIO * max(1, min(size)))


def _of_jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", head[at + 2 : at + 4])[0])
    return None


def _of_webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int(struct.unpack("<I", head[21:25])[0])
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


def _pair(found: tuple[int, ...]) -> tuple[int, int]:
    return found[0], found[1]
