"""The sentence-transformers module of our own encoder: looks words up and sums their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from sentence_transformers.sentence_transformer.modules import InputModule

from bot.knowledge.encoder.rows import Floats, RowTable
from bot.knowledge.encoder.text import keys_of, lemma_of, marked_words, pieces_of

FILE = "words.safetensors"
LONGEST_TEXT = 4_000  # characters; what follows adds nothing to the meaning of a question or passage
UNKNOWN = 0.7  # weight of a word guessed from its pieces


class SupportWords(InputModule):
    """Static rows, lemma aware: a form that is not listed is looked up by its lemma, then guessed from its
    pieces.

    A text of which nothing is known becomes the zero vector.
    """

    save_in_root = False
    config_keys: list[str] = []  # noqa: RUF012 - declared so by the base class

    def __init__(self, table: RowTable) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.table = table
        self.first_piece = len(table.keys)
        self.register_buffer("rows", torch.from_numpy(table.rows), persistent=False)
        self.register_buffer("scales", torch.from_numpy(table.scales), persistent=False)

    def preprocess(  # type: ignore[override]  # texts only
        self, inputs: Sequence[str], prompt: str | None = None, **_: object
    ) -> dict[str, torch.Tensor]:
        words: list[str] = []
        texts: list[int] = []
        for number, text in enumerate(inputs):
            found = marked_words(text[:LONGEST_TEXT])
            words += found
            texts += [number] * len(found)
        places, weights, owners = self._places(words, texts)
        return {
            "places": torch.tensor(places, dtype=torch.long),
            "weights": torch.tensor(weights, dtype=torch.float32),
            "owners": torch.tensor(owners, dtype=torch.long),
            "size": torch.tensor(len(inputs)),
        }

    def forward(self, features: dict[str, torch.Tensor], **_: object) -> dict[str, torch.Tensor]:
        places = features["places"]
        weights = features["weights"] * self.scales[places]
        result = torch.zeros(int(features["size"]), self.rows.shape[1])
        result.index_add_(0, features["owners"], self.rows[places].float() * weights.unsqueeze(1))
        features["sentence_embedding"] = result
        return features

    def vector(self, text: str) -> Floats:
        """What `forward` and a normalisation make of one text, without the way through torch: for questions,
        one at a time.
        """
        places, weights, _ = self._places(words := marked_words(text[:LONGEST_TEXT]), [0] * len(words))
        rows = (
            self.table.rows[places].astype(np.float32)
            * (np.array(weights, np.float32) * self.table.scales[places])[:, None]
        )
        found = rows.sum(0)
        return np.asarray(found / max(float(np.sqrt(found @ found)), 1e-12), np.float32)

    def get_embedding_dimension(self) -> int:
        return int(self.rows.shape[1])

    @property
    def max_seq_length(self) -> int:
        return LONGEST_TEXT

    def save(
        self, output_path: str, *args: object, safe_serialization: bool = True, **kwargs: object
    ) -> None:
        t = self.table
        save_file(
            {"keys": t.keys, "places": t.places, "rows": t.rows, "scales": t.scales},
            str(Path(output_path) / FILE),
        )

    @classmethod
    def load(  # type: ignore[override]  # a local folder only
        cls, model_name_or_path: str, subfolder: str = "", **kwargs: object
    ) -> SupportWords:
        parts: Mapping[str, np.ndarray] = load_file(str(Path(model_name_or_path) / subfolder / FILE))
        return cls(RowTable(parts["keys"], parts["places"], parts["rows"], parts["scales"]))

    def _find(self, words: list[str]) -> np.ndarray:
        """The row of each word, or -1."""
        keys, table = keys_of(words), self.table
        at = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
        return np.where(table.keys[at] == keys, table.places[at], -1)

    def _places(self, words: list[str], texts: list[int]) -> tuple[list[int], list[float], list[int]]:
        found = self._find(words).tolist() if words else []
        missing = [i for i, place in enumerate(found) if place < 0]
        if missing:
            for i, place in zip(
                missing, self._find([lemma_of(words[i]) for i in missing]).tolist(), strict=True
            ):
                found[i] = place
        places, weights, owners = [], [], []
        for word, place, text in zip(words, found, texts, strict=True):
            if place >= 0:
                places.append(place)
                weights.append(1.0)
                owners.append(text)
            elif pieces := pieces_of(word):
                places += [self.first_piece + p for p in pieces]
                weights += [UNKNOWN / len(pieces)] * len(pieces)
                owners += [text] * len(pieces)
        return places, weights, owners
