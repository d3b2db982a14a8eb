"""Our own encoder as a module of sentence-transformers, for training and for other programs; the bot itself
serves by `WordRows`, without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import InputModule

from bot.knowledge.encoder.rows import RowTable
from bot.knowledge.encoder.word_rows import LONGEST_TEXT, UNKNOWN, WordRows

__all__ = ["UNKNOWN", "SupportWords"]


class SupportWords(InputModule):
    """What `WordRows` does, before its rows are normalised."""

    save_in_root = False
    config_keys: list[str] = []  # noqa: RUF012 - declared so by the base class

    def __init__(self, table: RowTable) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.words = WordRows(table)
        self.register_buffer("rows", torch.from_numpy(table.rows), persistent=False)
        self.register_buffer("scales", torch.from_numpy(table.scales), persistent=False)

    def preprocess(  # type: ignore[override]  # texts only
        self, inputs: Sequence[str], prompt: str | None = None, **_: object
    ) -> dict[str, torch.Tensor]:
        found = self.words.places(inputs)
        lengths = np.diff([0, *found.ends])
        return {
            "places": torch.from_numpy(found.rows),
            "weights": torch.from_numpy(found.weights),
            "owners": torch.from_numpy(np.repeat(np.arange(len(inputs)), lengths)),
            "size": torch.tensor(len(inputs)),
        }

    def forward(self, features: dict[str, torch.Tensor], **_: object) -> dict[str, torch.Tensor]:
        places = features["places"]
        weights = features["weights"] * self.scales[places]
        result = torch.zeros(int(features["size"]), self.rows.shape[1])
        result.index_add_(0, features["owners"], self.rows[places].float() * weights.unsqueeze(1))
        features["sentence_embedding"] = result
        return features

    def get_embedding_dimension(self) -> int:
        return self.words.dimensions

    @property
    def max_seq_length(self) -> int:
        return LONGEST_TEXT

    def save(
        self, output_path: str, *args: object, safe_serialization: bool = True, **kwargs: object
    ) -> None:
        self.words.save(Path(output_path))

    @classmethod
    def load(  # type: ignore[override]  # a local folder only
        cls, model_name_or_path: str, subfolder: str = "", **kwargs: object
    ) -> SupportWords:
        return cls(WordRows.read(Path(model_name_or_path) / subfolder).table)
