"""Search by meaning: vectors of all units, kept on disk by content and model, brought to one scale whatever
the model.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from bot.knowledge.retrieval.lexical import Floats
from bot.knowledge.retrieval.private_folder import is_private, make_private

BATCH = 256
LAST_ASKED = 64  # questions whose vectors are remembered


class TextEncoder(Protocol):
    """What is needed of an encoder: see bot.knowledge.encoder.loader."""

    id: str
    split: int

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Floats: ...


@runtime_checkable
class PairedTextEncoder(TextEncoder, Protocol):
    """Two encoders side by side; the columns of `own` come first."""

    own: TextEncoder


def center_of(vectors: Floats) -> Floats | None:
    """The common part of all vectors, which says nothing of any text; None where there are too few to know
    it.
    """
    return np.asarray(vectors.mean(0), np.float32) if len(vectors) >= 8 else None


def centred(vectors: Floats, center: Floats | None, split: int = 0) -> Floats:
    """Vectors without the common part, of length one again: so that the cosines of all models have one
    scale. Columns before *split* are our own encoder's and stay; *center* is as wide as the others.
    """
    if center is None or not len(vectors):
        return vectors
    moved = vectors[:, split:] - center
    moved = np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), np.float32)
    return np.concatenate((vectors[:, :split], moved), 1) if split else moved


class VectorStore:
    """Vectors by text for one model; in memory, and in a file beside the index where a cache folder is
    given.
    """

    def __init__(self, encoder: TextEncoder, cache: Path | None) -> None:
        self.encoder = encoder
        name = hashlib.sha256(encoder.id.encode()).hexdigest()[:16]
        self.path = cache / f"vectors-{name}.npz" if cache else None
        self._rows: dict[bytes, Floats] = {}
        self._asked: dict[str, Floats] = {}  # the oldest first
        self._lock = threading.Lock()
        self._asking = threading.Lock()  # not the same: articles may be encoded for seconds meanwhile
        self._read()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts of the base (n, d); only those never seen are computed."""
        keys = [hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts]
        with self._lock:
            missing = list({k: t for k, t in zip(keys, texts, strict=True) if k not in self._rows}.items())
            for i in range(0, len(missing), BATCH):
                part = missing[i : i + BATCH]
                for (key, _), row in zip(part, self.encoder.encode([t for _, t in part]), strict=True):
                    self._rows[key] = np.asarray(row, np.float32)
            if not keys:
                width = len(next(iter(self._rows.values()))) if self._rows else 1
                return np.zeros((0, width), np.float32)
            found = np.stack([self._rows[k] for k in keys])
            if missing and (
                len(missing) * 50 > len(self._rows) or not (self.path and self.path.exists())
            ):  # a few new ones wait for more
                self._write()
            return found

    def ask(self, text: str) -> Floats:
        """The vector of a question; of those asked last it is known, since a turn may ask more than once."""
        with self._asking:
            found = self._asked.get(text)
        if found is None:
            found = np.asarray(self.encoder.encode([text], query=True)[0], np.float32)
            with self._asking:
                self._asked[text] = found
                if len(self._asked) > LAST_ASKED:
                    del self._asked[next(iter(self._asked))]
        return found

    def ask_own(self, text: str) -> Floats | None:
        """The columns of a question before `split`, which cost next to nothing; None where it has none."""
        if not isinstance(self.encoder, PairedTextEncoder):
            return None
        return np.asarray(self.encoder.own.encode([text], query=True)[0], np.float32)

    def forget_all_but(self, texts: Sequence[str]) -> None:
        """Drops the vectors of texts that are gone."""
        keys = {hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts}
        with self._lock:
            self._rows = {k: v for k, v in self._rows.items() if k in keys}

    def _read(self) -> None:
        if self.path is None or not self.path.exists() or not is_private(self.path):
            return
        try:
            with np.load(self.path, allow_pickle=False) as data:
                keys, rows = data["keys"], data["rows"]
            self._rows = {bytes(k): r for k, r in zip(keys, rows, strict=True)}
        except (OSError, ValueError, KeyError, EOFError):  # a torn or foreign file is only a lost cache
            self._rows = {}

    def _write(self) -> None:
        if self.path is None:
            return
        keys = np.frombuffer(b"".join(self._rows), np.uint8).reshape(-1, 16)
        beside = self.path.with_suffix(".tmp.npz")
        try:
            make_private(self.path.parent)
            np.savez(beside, keys=keys, rows=np.stack(list(self._rows.values())))
            beside.replace(self.path)
        except OSError:
            beside.unlink(missing_ok=True)
