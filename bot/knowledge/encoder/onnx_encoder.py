"""A sentence encoder written as int8 ONNX, run by onnxruntime, without torch."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.knowledge.encoder.base import Vectors
from bot.knowledge.encoder.bert_onnx import MODEL, NUMBERS

Numbers = npt.NDArray[np.int64]
TOKENIZER = "tokenizer.model"
LONGEST_TEXT = 4_000  # characters; what follows adds nothing to the meaning of a question or passage
LONGEST = 256  # tokens: time grows with their square
BATCH = 2048  # tokens of one batch, padding included
FAR = -1e9  # what keeps attention from padding
FILES = (MODEL, NUMBERS, TOKENIZER)
CHECKSUMS = "checksums.json"
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")


class OnnxEncoder(ABC):
    """The model in *folder* behind `Encoder`: a text's vector is the mean over its tokens. Safe to be called
    from several threads.
    """

    split = 0
    languages: tuple[str, ...] = ()
    backgrounds: Mapping[str, Vectors] = MappingProxyType({})
    padding = 0  # the number of the token that fills up a batch

    def __init__(self, folder: Path, identity: str) -> None:
        """Raises ValueError where a file is missing, torn or another one than was written, and ImportError
        where a library is missing.
        """
        import onnxruntime

        _verify(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the bot answers meanwhile
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / MODEL), options, providers=["CPUExecutionProvider"]
        )
        self._giving_back = onnxruntime.RunOptions()  # what a batch took goes back to the system
        self._giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self.id = identity
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> Vectors:
        """(n, dimensions) float32, rows of length 1; a row of zeros for a text without a word."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        tokens = [self.tokens(text, query=query) for text in texts]
        which = [n for n, numbers in enumerate(tokens) if numbers]
        for batch in _batches([len(tokens[n]) for n in which]):
            found[[which[n] for n in batch]] = self._vectors([tokens[which[n]] for n in batch])
        return found

    def tokens(self, text: str, *, query: bool) -> list[int]:
        """The numbers of the tokens of *text*, at most LONGEST; none for a text without a word."""
        clean = _UNREADABLE.sub(" ", text[:LONGEST_TEXT]).strip()
        return self._tokens(clean, query=query) if clean else []

    @abstractmethod
    def _tokens(self, text: str, *, query: bool) -> list[int]:
        """The numbers of the tokens of a readable text between those of its beginning and its end."""

    def _vectors(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        width = max(map(len, tokens))
        ids: Numbers = np.full((len(tokens), width), self.padding, np.int64)
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
            self._giving_back if len(tokens) > 1 else None,
        )[0]
        means = (states * there[..., None]).sum(1) / there.sum(1, keepdims=True)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def is_whole(folder: Path) -> bool:
    """Whether *folder* holds what was written, without opening it: a session takes a third of a second."""
    try:
        _verify(folder)
    except ValueError:
        return False
    return True


def write_checksums(folder: Path) -> None:
    """What `OnnxEncoder` compares the files of *folder* with."""
    _write(folder, {name: _checksum(folder / name) for name in FILES})


def _verify(folder: Path) -> None:
    """The sums themselves are only counted where a file's size or time differs from when they last were."""
    try:
        kept = json.loads((folder / CHECKSUMS).read_text("utf-8"))
        changed = [name for name in FILES if _marks(folder / name) != kept[name]["marks"]]
        wrong = [name for name in changed if _checksum(folder / name) != kept[name]["sum"]]
        sums = {name: kept[name]["sum"] for name in FILES}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder} holds no whole model ({error})") from error
    if wrong:
        raise ValueError(f"{folder / wrong[0]} is not what was written")
    if changed:  # copied or restored: the next start need not count again
        with suppress(OSError):
            _write(folder, sums)


def _write(folder: Path, sums: Mapping[str, str]) -> None:
    found = {name: {"sum": told, "marks": _marks(folder / name)} for name, told in sums.items()}
    beside = folder / f"{CHECKSUMS}.tmp"
    beside.write_text(json.dumps(found, indent=1), "utf-8")
    beside.replace(folder / CHECKSUMS)


def _marks(file: Path) -> list[int]:
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


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
