"""Search by meaning: vectors of all units, kept on disk by content and model, brought to one scale whatever
the model.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
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
    languages: tuple[str, ...]
    backgrounds: Mapping[str, Floats]

    def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> Floats: ...


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


def _key(text: str, language: str) -> bytes:
    marked = f"{language}\0{text}" if language else text
    return hashlib.blake2b(marked.encode("utf-8", "replace"), digest_size=16).digest()


class VectorStore:
    """Vectors by text for one model; in memory, and in a file beside the index where a cache folder is
    given.
    """

    def __init__(self, encoder: TextEncoder, cache: Path | None) -> None:
        self.encoder = encoder
        name = hashlib.sha256(encoder.id.encode()).hexdigest()[:16]
        self.path = cache / f"vectors-{name}.npz" if cache else None
        self._rows: dict[bytes, Floats] = {}
        self._asked: dict[tuple[str, str], Floats] = {}  # the oldest first
        self._lock = threading.Lock()
        self._asking = threading.Lock()  # not the same: articles may be encoded for seconds meanwhile
        self._read()

    def encode(self, texts: Sequence[str], languages: Sequence[str] | str = "") -> Floats:
        """Vectors of texts of the base (n, d), each in its article's language; only those never seen are
        computed.
        """
        spoken = [languages] * len(texts) if isinstance(languages, str) else list(languages)
        keys = [_key(t, self._reads(s)) for t, s in zip(texts, spoken, strict=True)]
        with self._lock:
            missing = {
                k: (t, self._reads(s))
                for k, t, s in zip(keys, texts, spoken, strict=True)
                if k not in self._rows
            }
            for language in sorted({s for _, s in missing.values()}):
                mine = [(k, t) for k, (t, s) in missing.items() if s == language]
                for i in range(0, len(mine), BATCH):
                    part = mine[i : i + BATCH]
                    rows = self.encoder.encode([t for _, t in part], language=language)
                    for (key, _), row in zip(part, rows, strict=True):
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

    def ask(self, text: str, language: str = "") -> Floats:
        """The vector of a question; of those asked last it is known, since a turn may ask more than once."""
        key = self._reads(language), text
        with self._asking:
            found = self._asked.get(key)
        if found is None:
            found = np.asarray(self.encoder.encode([text], query=True, language=key[0])[0], np.float32)
            with self._asking:
                self._asked[key] = found
                if len(self._asked) > LAST_ASKED:
                    del self._asked[next(iter(self._asked))]
        return found

    def ask_own(self, text: str) -> Floats | None:
        """The columns of a question before `split`, which cost next to nothing; None where it has none."""
        if not isinstance(self.encoder, PairedTextEncoder):
            return None
        return np.asarray(self.encoder.own.encode([text], query=True)[0], np.float32)

    def _reads(self, language: str) -> str:
        """The language as far as the encoder tells texts apart by it."""
        return language if language in self.encoder.languages else ""

    def forget_all_but(self, texts: Sequence[str]) -> None:
        """Drops the vectors of texts that are gone."""
        keys = {_key(t, s) for t in texts for s in ("", *self.encoder.languages)}
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
