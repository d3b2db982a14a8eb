"""Where a sentence encoder's vectors are brought to before they are compared: the common part of all texts is
taken away, and what tells customers' questions apart is stressed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SentenceSpace:
    """`center` (d,) is the mean of many texts, `map` (d, d) what they are multiplied with after it is taken
    away, `background` (n, d) texts that no business answers, already placed. Fitted by
    `training.priors.space`; `version` changes with it.
    """

    center: Floats
    map: Floats
    background: Floats
    version: str

    def place(self, rows: Floats) -> Floats:
        """(n, d) of the encoder -> (n, d) to be compared, of length one; rows of zeros stay."""
        known = np.abs(rows).sum(1, keepdims=True) > 0
        moved = np.where(known, (rows - self.center) @ self.map, 0)
        length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        return np.asarray(moved / length, np.float32)


def no_space(dimensions: int) -> SentenceSpace:
    """That of a model for which none was fitted: vectors stay as they are."""
    nothing = np.zeros((1, dimensions), np.float32)
    return SentenceSpace(nothing[0], np.eye(dimensions, dtype=np.float32), nothing[:0], "none")


@functools.cache
def read_space(name: str) -> SentenceSpace:
    """The shipped space of the sentence encoder *name* (`e5`, `minilm`)."""
    file = files("bot.knowledge") / "data" / f"space_{name}.npz"
    with as_file(file) as path, np.load(path, allow_pickle=False) as data:
        center, matrix, background = (data[key].astype(np.float32) for key in ("center", "map", "background"))
        background /= np.maximum(np.linalg.norm(background, axis=1, keepdims=True), 1e-9)
        return SentenceSpace(center, matrix, background, str(data["version"]))
