"""Words that a misspelt one may mean: a few bits for each word say at once which are too far to be
compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

Bits = npt.NDArray[np.uint64]


class SpellingIndex:
    """Words by length, in the order given; those in Latin letters apart."""

    def __init__(self, words: Iterable[str]) -> None:
        pools: dict[tuple[bool, int], list[str]] = {}
        for word in words:
            pools.setdefault((word.isascii(), len(word)), []).append(word)
        self._pools: dict[tuple[bool, int], tuple[list[str], Bits]] = {
            k: (found, _marks(found)) for k, found in pools.items()
        }

    def near(self, word: str, slips: int) -> list[tuple[str, int, int]]:
        """Words of like script at most *slips* away: each with its distance and the difference in length, at
        most five of a length.
        """
        found: list[tuple[str, int, int]] = []
        mark = _marks([word])[0]
        for size in range(len(word) - slips, len(word) + slips + 1):
            words, marks = self._pools.get((word.isascii(), size), _EMPTY)
            choices = [words[i] for i in np.flatnonzero(np.bitwise_count(marks ^ mark) <= 2 * slips).tolist()]
            found += [
                (w, int(d), abs(size - len(word)))
                for w, d, _ in process.extract(
                    word, choices, scorer=OSA.distance, score_cutoff=slips, limit=5
                )
            ]
        return found


def _marks(words: Sequence[str]) -> Bits:
    """64 bits a word (all of one length): which letters it has, and which more than once.

    One slip changes at most two of them.
    """
    letters = np.array(words).view(np.uint32).reshape(len(words), -1)
    bits = np.left_shift(np.uint64(1), (letters % 32).astype(np.uint64))
    once, twice = np.zeros(len(words), np.uint64), np.zeros(len(words), np.uint64)
    for column in bits.T:
        twice |= once & column
        once |= column
    return once | (twice << np.uint64(32))


_EMPTY: tuple[list[str], Bits] = ([], np.zeros(0, np.uint64))
