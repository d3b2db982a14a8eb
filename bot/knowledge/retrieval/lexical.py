"""Search by letters and words: postings over character n-grams and lemmas, one product for all units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

BUDGET = 200_000  # postings that one channel looks at for one question
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Counts = tuple[Ints, Floats]
Array = npt.NDArray[Any]


class TextSource(Protocol):
    """What postings are made of: a channel's rows with their weights, the column of each row, the rarity of
    its terms.
    """

    @property
    def rows(self) -> TermRows: ...
    @property
    def weights(self) -> Floats: ...
    @property
    def columns(self) -> Ints32: ...
    @property
    def idf(self) -> Floats: ...
    @property
    def unknown(self) -> float: ...
    @property
    def cosine(self) -> bool: ...
    @property
    def strict(self) -> bool: ...


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
class TermRows:
    """Term counts of many texts: row i holds `terms[starts[i]:starts[i + 1]]` with `counts` alike."""

    terms: Ints32
    counts: Floats
    starts: Ints

    @classmethod
    def of(cls, terms: Sequence[Ints32], counts: Sequence[Floats], lengths: Sequence[Ints32]) -> TermRows:
        """The rows of some blocks one after another; *lengths* are those of the rows of each block."""
        if not terms:
            return cls(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(1, np.int64))
        sizes = np.concatenate(lengths)
        starts = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=starts[1:])
        return cls(np.concatenate(terms), np.concatenate(counts), starts)

    @cached_property
    def row_of(self) -> Ints32:
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))

    @cached_property
    def by_term(self) -> tuple[Ints32, Ints32]:
        """The order of the entries by term, rows ascending within a term, and the row of each in that
        order.
        """
        if not len(self.terms):
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        import scipy.sparse

        size = int(self.terms.max()) + 1
        places = np.arange(len(self.terms), dtype=np.int32)
        turned = scipy.sparse.csr_matrix(
            (places, self.terms, self.starts.astype(np.int32)), shape=(len(self.starts) - 1, size)
        ).tocsc()
        return turned.data, turned.indices.astype(np.int32, copy=False)

    def starts_of(self, size: int) -> Ints:
        """Where each of the first *size* terms begins in that order."""
        known = self._counted
        starts = np.zeros(size + 1, np.int64)
        np.cumsum(known, out=starts[1 : len(known) + 1])
        starts[len(known) + 1 :] = starts[len(known)]
        return starts

    @cached_property
    def _counted(self) -> Ints:
        return np.bincount(self.terms)


def count_terms(numbers: Ints) -> Counts:
    """The distinct numbers of a question's terms, sorted, with their counts; each -1 stays a term of its own
    and stands first.
    """
    if not len(numbers):
        return numbers, np.zeros(0, np.float32)
    numbers = np.sort(numbers)
    edges = np.empty(len(numbers) + 1, bool)
    edges[0] = edges[-1] = True
    np.not_equal(numbers[1:], numbers[:-1], out=edges[1:-1])
    edges[:-1] |= numbers < 0
    first = edges.nonzero()[0]
    return numbers[first[:-1]], (first[1:] - first[:-1]).astype(np.float32)


class Postings:
    """The weighted terms of all channels in one matrix, kept by term: one product scores every unit of every
    channel for a question.

    `sizes` and `bases` are, for each channel, how many terms it has and its first row; `cosine`, `loose` and
    `kind` how it counts.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """*arrays* are those of `join` or of another one's `arrays`.

        Raises ValueError where they are no such matrix.
        """
        import scipy.sparse

        self.arrays = dict(arrays)
        self.idf, self._sizes, self._bases = arrays["idf"], arrays["sizes"], arrays["bases"]
        self._cosine, self._loose = arrays["cosine"], arrays["loose"]
        self._kind: list[int] = arrays["kind"].tolist()
        shape = (len(self.idf), int(arrays["columns"][0]))
        self.matrix = scipy.sparse.csr_array(
            (arrays["weights"], arrays["units"], arrays["starts"]), shape=shape
        )
        if (
            not len(self._sizes)
            == len(self._bases)
            == len(self._cosine)
            == len(self._loose)
            == len(self._kind)
        ):
            raise ValueError("channels differ in number")

    @classmethod
    def join(cls, groups: Sequence[Sequence[TextSource]], columns: int) -> Postings:
        """*groups* hold the channels that read the same kind of term; each channel fills the columns from its
        place on.
        """
        channels = [c for group in groups for c in group]
        sizes = np.array([len(c.idf) for c in channels], np.int64)
        bases = np.concatenate(
            ([0], np.cumsum(sizes + 1))
        )  # a channel's rows end with an empty one, for what it never saw
        units = np.empty(sum(len(c.rows.terms) for c in channels), np.int32)
        weights = np.empty(len(units), np.float32)
        starts = np.zeros(int(bases[-1]) + 1, np.int32)
        idf = np.empty(int(bases[-1]), np.float32)
        done = 0
        for channel, base in zip(channels, bases.tolist(), strict=False):
            order, rows = channel.rows.by_term
            end, size = done + len(order), len(channel.idf)
            np.take(channel.columns, rows, out=units[done:end], mode="clip")
            np.take(channel.weights, order, out=weights[done:end], mode="clip")
            starts[base : base + size + 1] = channel.rows.starts_of(size) + done
            starts[base + size + 1] = end
            idf[base : base + size], idf[base + size] = channel.idf, channel.unknown
            done = end
        return cls(
            {
                "weights": weights,
                "units": units,
                "starts": starts,
                "idf": idf,
                "sizes": sizes,
                "bases": bases[:-1].astype(np.int64),
                "columns": np.array([max(1, columns)], np.int64),
                "cosine": np.array([c.cosine for c in channels], bool),
                "loose": np.array([not c.strict for c in channels], bool),
                "kind": np.array([kind for kind, group in enumerate(groups) for _ in group], np.int64),
            }
        )

    def scores(self, kinds: Sequence[Counts]) -> Floats:
        """The scores of all units, channel after channel: cosine, or the share of the question's own weight
        that BM25 finds.

        *kinds* are the question's terms in the order of the groups, none empty.
        """
        lengths = [len(kinds[kind][0]) for kind in self._kind]
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        whose = np.repeat(np.arange(len(lengths)), lengths)
        terms, counts = (np.concatenate([kinds[kind][i] for kind in self._kind]) for i in (0, 1))
        sizes = self._sizes[whose]
        rows = np.where((terms >= 0) & (terms < sizes), terms, sizes) + self._bases[whose]
        postings = self.matrix.indptr[rows + 1] - self.matrix.indptr[rows]
        if (
            len(rows) * self.matrix.shape[1] > BUDGET
            and int((found := np.add.reduceat(postings, starts)).max()) > BUDGET
        ):
            self._leave_out(rows, postings, np.append(starts, len(rows)), np.flatnonzero(found > BUDGET))
        idf = self.idf[np.where(rows < 0, -1 - rows, rows)]
        rare = (1 + np.log(counts)) * idf
        length = np.maximum(np.sqrt(np.add.reduceat(rare * rare, starts)), 1e-9)
        mass = np.maximum(
            np.add.reduceat(idf * np.where(postings + self._loose[whose] > 0, counts, np.float32(1)), starts),
            1e-6,
        )
        weights = np.where(self._cosine[whose], rare / length[whose], counts / mass[whose])
        some = np.flatnonzero((postings > 0) & (rows >= 0))
        return np.asarray(self.matrix[rows[some]].T @ weights[some], np.float32)

    def _leave_out(self, rows: Ints, postings: Ints, bounds: Ints, channels: Ints) -> None:
        """Marks (by a negative number) the commonest terms, which tell least, of channels that have too many
        postings in a large base.
        """
        for channel in channels.tolist():
            part = slice(int(bounds[channel]), int(bounds[channel + 1]))
            order = np.argsort(postings[part], kind="stable")
            late = order[max(1, int(np.searchsorted(np.cumsum(postings[part][order]), BUDGET))) :]
            rows[part][late] = -1 - rows[part][late]


def inverse_frequency(
    rows: TermRows, owners: Ints, size: int, prior: Floats | None = None, prior_weight: float = 0.0
) -> Floats:
    """How rare each term is, counted in articles; *prior* (shares of texts) speaks with the weight of that
    many articles.
    """
    articles = int(owners.max()) + 1 if len(owners) else 0
    holders = owners.astype(np.int32, copy=False)[rows.by_term[1]]
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


def cosine_weights(rows: TermRows, idf: Floats) -> Floats:
    """Sublinear tf-idf, each row of length one."""
    weights = (1 + np.log(rows.counts)) * idf[rows.terms]
    return _unit_length(rows, weights)


def _unit_length(rows: TermRows, weights: Floats) -> Floats:
    norms = np.sqrt(np.bincount(rows.row_of, weights**2, len(rows.starts) - 1)).astype(np.float32)
    return (weights / np.maximum(norms, 1e-9)[rows.row_of]).astype(np.float32)


def bm25_weights(rows: TermRows, idf: Floats, k1: float = 1.2, b: float = 0.5) -> Floats:
    """BM25 saturated counts times idf, divided by k1 + 1, so that a full match of a term weighs its idf."""
    lengths = np.bincount(rows.row_of, rows.counts, len(rows.starts) - 1).astype(np.float32)
    mean = max(1.0, float(lengths.mean())) if len(lengths) else 1.0
    damping = k1 * (1 - b + b * lengths[rows.row_of] / mean)
    return (idf[rows.terms] * rows.counts / (rows.counts + damping)).astype(np.float32)
