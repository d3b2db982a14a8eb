"""Our own encoder at work: looks words up in the table of rows and sums them, with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from bot.knowledge.encoder.rows import Floats, RowTable
from bot.knowledge.encoder.text import keys_of, lemma_of, marked_words, pieces_of

FILE = "words.safetensors"
LONGEST_TEXT = 4_000  # characters; what follows adds nothing to the meaning of a question or passage
UNKNOWN = 0.7  # weight of a word guessed from its pieces


@dataclass(frozen=True, slots=True)
class WordPlaces:
    """Which rows the words of some texts take, with which weight, and where those of each text end."""

    rows: npt.NDArray[np.int64]
    weights: Floats
    ends: Sequence[int]


class WordRows:
    """Static rows, lemma aware: a form that is not listed is looked up by its lemma, then guessed from its
    pieces. A text of which nothing is known becomes the zero vector.
    """

    def __init__(self, table: RowTable) -> None:
        self.table = table
        self.dimensions = int(table.rows.shape[1])
        self._first_piece = len(table.keys)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """(n, dimensions) float32, rows of length 1 or 0."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        places = self.places(texts)
        weights = places.weights * self.table.scales[places.rows]
        start = 0
        for row, end in zip(found, places.ends, strict=True):
            if end > start:
                row[:] = weights[start:end] @ self.table.rows[places.rows[start:end]].astype(np.float32)
                row /= max(float(np.sqrt(row @ row)), 1e-12)
            start = end
        return found

    def places(self, texts: Sequence[str]) -> WordPlaces:
        """Where the words of *texts* stand in the table."""
        read = [marked_words(text[:LONGEST_TEXT]) for text in texts]
        words = [word for found in read for word in found]
        known = iter(self._known(words))
        rows: list[int] = []
        weights: list[float] = []
        ends = []
        for found in read:
            for word in found:
                place = next(known)
                if place >= 0:
                    rows.append(place)
                    weights.append(1.0)
                elif pieces := pieces_of(word):
                    rows += [self._first_piece + p for p in pieces]
                    weights += [UNKNOWN / len(pieces)] * len(pieces)
            ends.append(len(rows))
        return WordPlaces(np.array(rows, np.int64), np.array(weights, np.float32), ends)

    def save(self, folder: Path) -> None:
        """Raises OSError."""
        t = self.table
        save_file({"keys": t.keys, "places": t.places, "rows": t.rows, "scales": t.scales}, folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> WordRows:
        """Raises OSError, KeyError or SafetensorError where the file is missing or torn."""
        parts = load_file(folder / FILE)
        return cls(RowTable(parts["keys"], parts["places"], parts["rows"], parts["scales"]))

    def _known(self, words: Sequence[str]) -> list[int]:
        """The row of each word or of its lemma, or -1."""
        found = self._find(words)
        if missing := [i for i, place in enumerate(found) if place < 0]:
            for i, place in zip(missing, self._find([lemma_of(words[i]) for i in missing]), strict=True):
                found[i] = place
        return found

    def _find(self, words: Sequence[str]) -> list[int]:
        if not words:
            return []
        keys, table = keys_of(words), self.table
        at = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
        found: list[int] = np.where(table.keys[at] == keys, table.places[at], -1).tolist()
        return found
