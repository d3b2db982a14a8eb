"""multilingual-e5-small: the meaning of whole sentences in a hundred languages.

Wang et al., "Multilingual E5 Text Embeddings" (2024): questions and passages begin with a word that tells
which they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.knowledge.encoder.e5_tokenizer import BEGIN, END, PADDING
from bot.knowledge.encoder.onnx_encoder import LONGEST, TOKENIZER, OnnxEncoder


class E5Encoder(OnnxEncoder):
    """The model in *folder* behind `Encoder`."""

    padding = PADDING

    def __init__(self, folder: Path, identity: str) -> None:
        from sentencepiece import SentencePieceProcessor

        super().__init__(folder, identity)
        self._tokenizer: Any = SentencePieceProcessor(model_file=str(folder / TOKENIZER))

    def _tokens(self, text: str, *, query: bool) -> list[int]:
        found = self._tokenizer.encode(("query: " if query else "passage: ") + text)
        return [BEGIN, *found[: LONGEST - 2], END]
