"""Small real files for the playground: a picture and a second of silence, made on the spot."""

from __future__ import annotations

import io
import struct
import wave
import zlib


def photo(width: int = 160, height: int = 120) -> bytes:
    """A PNG: a cup with a crack, in eight colours' worth of pixels."""
    rows = b"".join(
        b"\0" + b"".join(_pixel(x / width, y / height) for x in range(width)) for y in range(height)
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(rows, 9))
        + _chunk(b"IEND", b"")
    )


def silence(seconds: float = 1.0) -> bytes:
    """A WAV of nothing, where the page needs a voice message."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * int(8000 * seconds))
    return content.getvalue()


def _pixel(x: float, y: float) -> bytes:
    cup = 0.25 < x < 0.65 and 0.3 < y < 0.8
    handle = 0.03 < (x - 0.66) ** 2 * 2 + (y - 0.5) ** 2 < 0.06 and x > 0.64
    crack = cup and abs(x - 0.42 - 0.06 * (((y * 12) % 2) - 1) * (1 if int(y * 6) % 2 else -1)) < 0.012
    if crack:
        return b"\x4a\x2f\x2a"
    if cup or handle:
        return b"\xe0\x8a\x5b" if x < 0.55 else b"\xc9\x74\x48"
    return b"\xd9\xcb\xb8" if y > 0.78 else b"\xf3\xee\xe6"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
