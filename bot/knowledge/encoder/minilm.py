"""all-MiniLM-L6-v2: the meaning of English sentences; on customers' questions it is far ahead of a model of a
hundred languages that is as wide.
"""

from __future__ import annotations

from pathlib import Path

from bot.knowledge.encoder.onnx_encoder import LONGEST, TOKENIZER, OnnxEncoder


class MiniLmEncoder(OnnxEncoder):
    """The model in *folder* behind `Encoder`; questions and passages are read alike."""

    def __init__(self, folder: Path, identity: str) -> None:
        from tokenizers import Tokenizer

        super().__init__(folder, identity)
        self._tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def _tokens(self, text: str, *, query: bool) -> list[int]:
        return list(self._tokenizer.encode(text).ids)
