"""The channels of search one by one, each behind the `Retriever` protocol: for the playground, benchmarks and
comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bot.knowledge.base import Match
from bot.knowledge.retrieval.features import FEATURES, AnalyzedQuery, Vectors, gather
from bot.knowledge.retrieval.index import Index

COLUMNS = {
    "letters": ("char", "body_char"),
    "words": ("word", "body_word"),
    "pairs": ("pair", "body_pair"),
    "meanings": ("meaning", "body_meaning"),
    "rapidfuzz": ("fuzz_set", "fuzz_sort"),
    "neighbours": ("head",),
    "embeddings": ("semantic", "body_semantic"),
}


def retriever_names(*, with_vectors: bool) -> tuple[str, ...]:
    return tuple(n for n in COLUMNS if with_vectors or n != "embeddings")


class ChannelRetriever:
    """One channel over examples and texts: the better of the two counts."""

    def __init__(
        self, name: str, index: Index, read: Callable[[str], AnalyzedQuery], vectors: Vectors | None
    ) -> None:
        self.name = name
        self._index, self._read, self._vectors = index, read, vectors
        self._columns = [FEATURES.index(c) for c in COLUMNS[name]]

    def find(self, question: str, limit: int) -> Sequence[Match]:
        evidence = gather(self._index, self._read(question), vectors=self._vectors)
        if not len(evidence.articles):
            return ()
        scores = evidence.table[:, self._columns].max(1)
        order = [i for i in np.argsort(-scores, kind="stable")[:limit] if scores[i] > 0]
        return tuple(Match(self._index.ids[evidence.articles[i]], float(scores[i])) for i in order)
