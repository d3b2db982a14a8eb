"""Reads the navec word vectors out of the natasha wheel without importing it (its code needs an abandoned
package).
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "natasha/data/emb/navec_news_v1_1B_250K_300d_100q.tar"


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Product-quantised vectors of words: `indexes` (words, parts) choose among `codes` (parts, centroids,
    width).
    """

    words: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    indexes: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.float32]

    def rows(self, which: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors of the words numbered *which*, (n, 300) float32."""
        parts = self.codes[np.arange(self.codes.shape[0]), self.indexes[which]]
        return np.ascontiguousarray(parts.reshape(len(which), -1))


def find_navec() -> Path | None:
    """The data file of an installed natasha, or None. Nothing of natasha is imported."""
    try:
        path = Path(str(distribution("natasha").locate_file(FILE)))
        if path.is_file():
            return path
    except PackageNotFoundError:
        pass
    return next((p for folder in sys.path if folder and (p := Path(folder) / FILE).is_file()), None)


def read_navec(path: Path) -> WordVectors:
    """Reads the tar (protocol 1).

    Raises ValueError for another protocol, KeyError or OSError for a broken file.
    """
    with tarfile.open(path) as tar:
        meta, vocabulary, quantised = (_member(tar, name) for name in ("meta.json", "vocab.bin", "pq.bin"))
    if (protocol := json.loads(meta)["protocol"]) != 1:
        raise ValueError(f"navec protocol {protocol}, expected 1")
    plain = gzip.decompress(vocabulary)
    size = int(np.frombuffer(plain[:4], np.uint32)[0])
    counts = np.frombuffer(plain[4 : 4 + 4 * size], np.uint32).astype(np.int64)
    words = tuple(plain[4 + 4 * size :].decode("utf-8").splitlines())
    vectors, _, parts, centroids = (int(n) for n in np.frombuffer(quantised[:16], np.uint32))
    end = 16 + vectors * parts
    indexes = np.frombuffer(quantised[16:end], np.uint8).reshape(vectors, parts)
    codes = np.frombuffer(quantised[end:], np.float32).reshape(parts, centroids, -1)
    if not len(words) == len(counts) == vectors:
        raise ValueError("the word list and the vectors have different lengths")
    return WordVectors(words, counts, indexes, codes)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()
