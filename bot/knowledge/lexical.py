"""Search by letters and words: postings over character n-grams and lemmas, one product for all units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

BUDGET = 200_000  # postings that one channel looks at for one question
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


class Vocabulary:
    """Terms and their numbers; it only grows, so numbers kept elsewhere stay true."""

    def __init__(self, terms: Iterable[str] = ()) -> None:
        self.numbers: dict[str, int] = {t: i for i, t in enumerate(terms)}
        self._shares = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, terms: Sequence[str]) -> list[int]:
        numbers = self.numbers
        return [numbers.setdefault(t, len(numbers)) for t in terms]

    def shares(self, known: Mapping[str, float], size: int) -> Floats:
        """What *known* says of the first *size* terms (0 where nothing); only new terms are looked up."""
        done = len(self._shares)
        if done < size:
            fresh = [known.get(t, 0.0) for t in islice(list(self.numbers), done, size)]
            self._shares = np.concatenate((self._shares, np.array(fresh, np.float32)))
        return self._shares[:size]

    def get(self, terms: Sequence[str]) -> list[int]:
        """Numbers of the terms, -1 for those never seen."""
        numbers = self.numbers
        return [numbers.get(t, -1) for t in terms]


@dataclass(frozen=True)
class Rows:
    """Term counts of many texts: row i holds `terms[starts[i]:starts[i + 1]]` with `counts` alike."""

    terms: Ints
    counts: Floats
    starts: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[Ints, Floats]]) -> Rows:
        terms = [t for t, _ in rows]
        lengths = np.fromiter(map(len, terms), np.int64, len(rows))
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        if not rows:
            return cls(np.zeros(0, np.int64), np.zeros(0, np.float32), starts)
        return cls(np.concatenate(terms), np.concatenate([c for _, c in rows]), starts)

    @cached_property
    def row_of(self) -> Ints:
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def by_term(self) -> tuple[Ints32, Ints32]:
        """The order of the entries by term, rows ascending within a term, and the row of each in that order."""
        if not len(self.terms):
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        import scipy.sparse

        size = int(self.terms.max()) + 1
        places = np.arange(len(self.terms), dtype=np.int32)
        turned = scipy.sparse.csr_matrix((places, self.terms.astype(np.int32), self.starts.astype(np.int32)), shape=(len(self.starts) - 1, size)).tocsc()
        return turned.data, turned.indices.astype(np.int32, copy=False)

    def starts_of(self, size: int) -> Ints:
        """Where each of the first *size* terms begins in that order."""
        return np.concatenate(([0], np.cumsum(np.bincount(self.terms, minlength=size)))).astype(np.int64)


def count(numbers: Sequence[int]) -> tuple[Ints, Floats]:
    """Numbers with their counts, sorted."""
    if len(numbers) < 64:  # a dictionary is quicker than an array here
        found = Counter(numbers)
        order = sorted(found)
        return np.array(order, np.int64), np.array([found[n] for n in order], np.float32)
    terms, counts = np.unique(np.asarray(numbers, np.int64), return_counts=True)
    return terms, counts.astype(np.float32)


class Postings:
    """A weighted term-by-unit matrix kept by term: the score of all units for a question is one gathered sum."""

    def __init__(self, rows: Rows, weights: Floats, size: int) -> None:
        order, self.units = rows.by_term
        self.weights = weights[order].astype(np.float32, copy=False)
        self.starts = rows.starts_of(size)
        self.count = len(rows.starts) - 1

    def scores(self, terms: Ints, weights: Floats) -> Floats:
        """The dot product of the question with every unit; terms out of range count for nothing."""
        if not self.count:
            return np.zeros(0, np.float32)
        inside = (terms >= 0) & (terms < len(self.starts) - 1)
        terms, weights = terms[inside], weights[inside]
        first = self.starts[terms]
        lengths = self.starts[terms + 1] - first
        ends = np.cumsum(lengths)
        if len(ends) and ends[-1] > BUDGET:  # in a large base the commonest terms, which tell least, are left out
            rare = np.argsort(lengths, kind="stable")
            rare = rare[: max(1, int(np.searchsorted(np.cumsum(lengths[rare]), BUDGET)))]
            weights, first, lengths = weights[rare], first[rare], lengths[rare]
            ends = np.cumsum(lengths)
        if not len(ends) or not ends[-1]:
            return np.zeros(self.count, np.float32)
        places = np.arange(ends[-1]) + np.repeat(first - (ends - lengths), lengths)
        values = self.weights[places] * np.repeat(weights, lengths)
        return np.bincount(self.units[places], values, self.count).astype(np.float32)


def inverse_frequency(rows: Rows, owners: Ints, size: int, prior: Floats | None = None, prior_weight: float = 0.0) -> Floats:
    """How rare each term is, counted in articles; *prior* (shares of texts) speaks with the weight of that many articles."""
    articles = int(owners.max()) + 1 if len(owners) else 0
    holders = owners.astype(np.int32)[rows.by_term[1]]
    starts = rows.starts_of(size)
    first = np.ones(len(holders) + 1, bool)  # each article counts once a term
    np.not_equal(holders[1:], holders[:-1], out=first[1:-1])
    first[starts] = True
    before = np.concatenate(([0], np.cumsum(first[:-1])))
    df = (before[starts[1:]] - before[starts[:-1]]).astype(np.float32)
    total = np.float32(articles)
    if prior is not None and prior_weight:
        df = df + prior * np.float32(prior_weight)
        total = total + np.float32(prior_weight)
    return np.asarray(np.log((total + 1) / (df + 0.5)).clip(0.05), np.float32)


def cosine_weights(rows: Rows, idf: Floats) -> Floats:
    """Sublinear tf-idf, each row of length one."""
    weights = (1 + np.log(rows.counts)) * idf[rows.terms]
    return _unit_length(rows, weights)


def _unit_length(rows: Rows, weights: Floats) -> Floats:
    norms = np.sqrt(np.bincount(rows.row_of, weights**2, len(rows.starts) - 1)).astype(np.float32)
    return (weights / np.maximum(norms, 1e-9)[rows.row_of]).astype(np.float32)


def bm25_weights(rows: Rows, idf: Floats, k1: float = 1.2, b: float = 0.5) -> Floats:
    """BM25 saturated counts times idf, divided by k1 + 1, so that a full match of a term weighs its idf."""
    lengths = np.bincount(rows.row_of, rows.counts, len(rows.starts) - 1).astype(np.float32)
    mean = max(1.0, float(lengths.mean())) if len(lengths) else 1.0
    room = k1 * (1 - b + b * lengths[rows.row_of] / mean)
    return (idf[rows.terms] * rows.counts / (rows.counts + room)).astype(np.float32)


def question_weights(terms: Ints, counts: Floats, idf: Floats, unknown: float) -> Floats:
    """tf-idf of a question, length one; terms never seen keep their place in the length with the idf *unknown*."""
    known = (terms >= 0) & (terms < len(idf))
    weights = (1 + np.log(counts)) * np.where(known, idf[np.where(known, terms, 0)] if len(idf) else 0.0, unknown)
    return (weights / max(1e-9, float(np.sqrt((weights**2).sum())))).astype(np.float32)
