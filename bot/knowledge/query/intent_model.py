"""The trained weights that tell intents apart."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bot.knowledge.query.intent_features import IntentFeatures, grams_of, pair_of

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Logistic weights: (BUCKETS, acts + 1) for pieces of words, (RULES, acts + 1) for rules; the last column
    is anger.

    `words` (n, acts + 1) are weights of whole words by their meaning, found by the sorted hashes `keys`: they
    know words that no training line had. `known` are hashes of the words it was trained on: only they may
    come out of a wrong layout or transliteration.
    """

    pieces: Floats
    rules: Floats
    keys: npt.NDArray[np.uint32]
    words: npt.NDArray[np.int8]
    scale: Floats
    known: frozenset[int]

    def meaning(self, word: str) -> Floats | None:
        key = np.uint32(hash_of(word))
        at = int(self.keys.searchsorted(key))
        return self.words[at] * self.scale if at < len(self.keys) and self.keys[at] == key else None


def hash_of(word: str) -> int:
    return zlib.crc32(word.encode())


@functools.cache
def bundled_model() -> IntentModel:
    with (files("bot.knowledge") / "data" / "acts.npz").open("rb") as file, np.load(file) as data:
        pieces = data["pieces"].astype(np.float32) * data["scale"]
        return IntentModel(
            pieces,
            data["rules"],
            data["keys"],
            data["words"],
            data["words_scale"],
            frozenset(data["known"].tolist()),
        )


@functools.lru_cache(maxsize=20_000)
def weights_of_word(word: str) -> Floats:
    grams = grams_of(word)
    model = bundled_model()
    weights: Floats = model.pieces[list(grams)].sum(0) / np.float32(math.sqrt(len(grams)))
    meaning = model.meaning(word)
    return weights if meaning is None else weights + meaning


def logits_of(seen: IntentFeatures) -> Floats:
    model = bundled_model()
    total = np.asarray(seen.rules, np.float32) @ model.rules
    if seen.tokens:
        bounded = ("<", *seen.tokens, ">")
        pairs = [pair_of(a, b) for a, b in pairwise(bounded)]
        sums = np.array([weights_of_word(t) for t in seen.tokens]).sum(0) + model.pieces[pairs].sum(0)
        total = total + sums / np.float32(math.sqrt(len(seen.tokens)))
    return np.asarray(total, np.float32)
