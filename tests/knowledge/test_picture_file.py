"""The size of a picture in pixels, as each kind of file tells it."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.knowledge.articles.picture_file import is_too_large, pixels_of


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "exif": b"Exif\x00\x00" + bytes(900)}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\x00\x00" + bytes(60)}),
    ],
)
def test_every_kind_tells_its_size(kind: str, options: dict[str, object]) -> None:
    written = io.BytesIO()
    Image.new("RGB", (37, 21)).save(written, kind, **options)
    assert pixels_of(written.getvalue()) == (37, 21)
    for cut in (0, 3, 11, 20, 25):
        assert pixels_of(written.getvalue()[:cut]) in (None, (37, 21)), "half a file breaks nothing"


@pytest.mark.parametrize(
    ("size", "large"),
    [((5000, 5000), False), ((5001, 5000), True), ((2000, 99), True), ((0, 0), False), (None, False)],
)
def test_what_is_too_large(size: tuple[int, int] | None, large: bool) -> None:
    assert is_too_large(size) is large


@pytest.mark.parametrize(
    "junk", [b"", b"x", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00" * 3, b"RIFF....WEBPVP9 "]
)
def test_junk_has_no_size(junk: bytes) -> None:
    assert pixels_of(junk) is None
