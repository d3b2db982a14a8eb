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


@functools.cache
def read_space(name: str) -> SentenceSpace:
    """The shipped space of the sentence encoder *name* (`e5`, `minilm`)."""
    with as_file(files("bot.knowledge") / "data" / f"space_{name}.npz") as path:
        with np.load(path, allow_pickle=False) as data:
            background = data["background"].astype(np.float32)
            background /= np.maximum(np.linalg.norm(background, axis=1, keepdims=True), 1e-9)
            center = data["center"].astype(np.float32)
            shift = data["map"].astype(np.float32) if "map" in data else np.eye(len(center), dtype=np.float32)
            return SentenceSpace(center, shift, background, str(data["version"]))
