"""How the encoder reads a word: its key in the table, its dictionary form, and the pieces by which an unknown
word is guessed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from bot.knowledge.query.words import lemma, words_of

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_ENGLISH = re.compile(r"[a-z]+")
ENGLISH = "en:"  # marks an English word in the table: in a Russian text the same letters are a name
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


def marked_words(text: str) -> list[str]:
    """The words of *text* as the table knows them: in a text without a Cyrillic letter Latin words are
    English.
    """
    words = words_of(text)
    return words if _CYRILLIC.search(text) else [ENGLISH + w if _ENGLISH.fullmatch(w) else w for w in words]


def pieces_of(word: str) -> list[int]:
    """Buckets of the 3- to 5-character pieces of a Cyrillic word with its borders marked; those of a marked
    English word come after them, other scripts have none.
    """
    if word.startswith(ENGLISH):
        return [BUCKETS + p for p in _pieces(word.removeprefix(ENGLISH))]
    return _pieces(word) if _CYRILLIC.search(word) else []


def _pieces(word: str) -> list[int]:
    marked = f"<{word[:LONGEST]}>"
    return [
        zlib.crc32(marked[i : i + n].encode()) % BUCKETS
        for n in (3, 4, 5)
        for i in range(len(marked) - n + 1)
    ]
