"""Our own encoder and a sentence encoder side by side: one knows words of trade, the other sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.knowledge.encoder.base import Encoder, Vectors
from bot.knowledge.encoder.sentence_space import SentenceSpace


@dataclass(frozen=True)
class PlacedEncoder:
    """A sentence encoder and the space in which its vectors are compared."""

    encoder: Encoder
    space: SentenceSpace

    @property
    def id(self) -> str:
        return f"{self.encoder.id}-{self.space.version}"

    def encode(self, texts: Sequence[str], *, query: bool) -> Vectors:
        return self.space.place(self.encoder.encode(texts, query=query))


class PairedEncoder:
    """Vectors of both encoders in one row: columns before `split` are our own encoder's."""

    def __init__(self, own: Encoder, sentences: PlacedEncoder, spoken: Mapping[str, PlacedEncoder]) -> None:
        """*sentences* reads every language, *spoken* are those that read one of them better. All are equally
        wide.
        """
        self.own, self._sentences, self._spoken = own, sentences, spoken
        self.languages = tuple(spoken)
        self.backgrounds: Mapping[str, Vectors] = {
            language: s.space.background for language, s in {"": sentences, **spoken}.items()
        }
        self.id = "-".join(["paired", own.id, sentences.id, *(s.id for s in spoken.values())])
        self.split = own.dimensions
        self.dimensions = own.dimensions + sentences.encoder.dimensions

    def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> Vectors:
        """(n, dimensions) float32; each part of a row has length 1, or is zero where it knows nothing."""
        sentences = self._spoken.get(language, self._sentences)
        return np.concatenate((self.own.encode(texts, query=query), sentences.encode(texts, query=query)), 1)
