"""How the encoder reads a word: its key in the table, its dictionary form, and the pieces by which an unknown word is guessed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from bot.knowledge.words import lemma

_CYRILLIC = re.compile(r"[а-я]")
BUCKETS = 1 << 14
LONGEST = 40  # characters of a word that are looked at: a pasted blob must not cost time


def lemma_of(word: str) -> str:
    """The dictionary form of a folded Cyrillic *word*; any other word is its own."""
    return lemma(word) if len(word) <= LONGEST and _CYRILLIC.search(word) else word


def key_of(word: str) -> int:
    """64 bits that stand for *word* in the table, the same on every machine."""
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def keys_of(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    return np.fromiter((key_of(w) for w in words), np.uint64, len(words))


def pieces_of(word: str) -> list[int]:
    """Buckets of the 3- to 5-character pieces of a Cyrillic *word* with its borders marked; none for other scripts."""
    if not _CYRILLIC.search(word):
        return []
    marked = f"<{word[:LONGEST]}>"
    return [zlib.crc32(marked[i : i + n].encode()) % BUCKETS for n in (3, 4, 5) for i in range(len(marked) - n + 1)]
