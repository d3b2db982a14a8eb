"""multilingual-e5-small by onnxruntime: the meaning of whole sentences in a hundred languages, without torch.

Wang et al., "Multilingual E5 Text Embeddings" (2024): questions and passages begin with a word that tells
which they are, a text's vector is the mean over its tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.knowledge.encoder.e5_onnx import MODEL, TOKENIZER

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
LONGEST_TEXT = 4_000  # characters; what follows adds nothing to the meaning of a question or passage
LONGEST = 256  # tokens: time grows with their square
BATCH = 4096  # tokens of one batch, padding included
PADDING, FAR = 1, -1e9  # the number of <pad>; what keeps attention from it
CHECKSUMS = "checksums.json"
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")


class E5Encoder:
    """The model in *folder* behind `Encoder`. Safe to be called from several threads."""

    def __init__(self, folder: Path, identity: str) -> None:
        """Raises ValueError where a file is missing, torn or another one than was written."""
        _verify(folder)
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(LONGEST)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the bot answers meanwhile
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / MODEL), options, providers=["CPUExecutionProvider"]
        )
        self.id = identity
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """(n, dimensions) float32, rows of length 1; a row of zeros for a text without a word."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        clean = [_UNREADABLE.sub(" ", text[:LONGEST_TEXT]).strip() for text in texts]
        which = [n for n, text in enumerate(clean) if text]
        prefix = "query: " if query else "passage: "
        tokens = [e.ids for e in self._tokenizer.encode_batch([prefix + clean[n] for n in which])]
        for batch in _batches([len(t) for t in tokens]):
            found[[which[n] for n in batch]] = self._vectors([tokens[n] for n in batch])
        return found

    def _vectors(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        width = max(map(len, tokens))
        ids: Numbers = np.full((len(tokens), width), PADDING, np.int64)
        for row, numbers in zip(ids, tokens, strict=True):
            row[: len(numbers)] = numbers
        there = np.arange(width)[None] < np.array([len(t) for t in tokens])[:, None]
        states = self._session.run(
            ["tokens"],
            {
                "ids": ids,
                "positions": np.broadcast_to(np.arange(width, dtype=np.int64), ids.shape),
                "mask": np.where(there, 0, FAR).astype(np.float32)[:, None, None],
            },
        )[0]
        means = (states * there[..., None]).sum(1) / there.sum(1, keepdims=True)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def write_checksums(folder: Path) -> None:
    """What `E5Encoder` compares the files of *folder* with."""
    sums = {name: _checksum(folder / name) for name in (MODEL, TOKENIZER)}
    (folder / CHECKSUMS).write_text(json.dumps(sums), "utf-8")


def _verify(folder: Path) -> None:
    try:
        sums = json.loads((folder / CHECKSUMS).read_text("utf-8"))
        wrong = [name for name in (MODEL, TOKENIZER) if _checksum(folder / name) != sums[name]]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder} holds no whole model ({error})") from error
    if wrong:
        raise ValueError(f"{folder / wrong[0]} is not what was written")


def _checksum(file: Path) -> str:
    digest = blake2b(digest_size=16)
    with file.open("rb") as source:
        while part := source.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of texts of about one length together, at most BATCH tokens with the padding."""
    batch: list[int] = []
    for n in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[n] * (len(batch) + 1) > BATCH:
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch
