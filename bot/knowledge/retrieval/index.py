"""The searchable form of articles: each example question and each passage a unit, each channel its weighted
terms over them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.knowledge.articles.schema import Article
from bot.knowledge.query.analyzer import KINDS, AnalyzedText, TextAnalyzer, TextBlock
from bot.knowledge.query.words import words_of
from bot.knowledge.retrieval.lexical import (
    Array,
    Floats,
    Ints,
    Ints32,
    Postings,
    TermRows,
    Vocabulary,
    bm25_weights,
    cosine_weights,
    inverse_frequency,
)

_DATA = Path(__file__).parents[1] / "data"
MIX = (0.4, 0.2, 0.4)  # letters, pairs, meanings in the kernel
WHOLE_KERNEL = 1200  # up to so many examples the kernel is whole at once
WARM_KERNEL = 3000  # up to so many it becomes so in the background: 36 MB
PRIOR_WEIGHT = 60.0  # articles that the general frequency of words counts for
LAYERS = 12  # units of an article that have a layer of their own; those of longer articles stand behind


@functools.cache
def _frequencies() -> dict[str, float]:
    """Share of customers' texts that a lemma is in, for Russian and English."""
    shares: dict[str, float] = {}
    for name in ("frequency_ru.txt", "frequency_en.txt"):
        path = _DATA / name
        if path.exists():
            for row in path.read_text("utf-8").splitlines():
                word, _, share = row.partition("\t")
                shares[word] = float(share)
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The units of a field as one kind of term sees them: their terms, the article that owns each, and
    `columns`, the place of each among all units of all channels.
    """

    rows: TermRows
    owners: Ints
    columns: Ints32


@dataclass(frozen=True, slots=True)
class Weighting:
    """How terms weigh: by cosine or by BM25 (of length `b`), and whether the general frequency of words is
    taken as a `prior`.

    Where it is `strict`, a term that this field never says is as rare as one that nobody says, however usual
    it is elsewhere.
    """

    cosine: bool
    prior: bool
    b: float = 0.5
    strict: bool = True


class TermWeights:
    """One kind of term over one field: its rarity and its weights."""

    def __init__(self, units: Units, vocabulary: Vocabulary, weighting: Weighting) -> None:
        size, rows, owners = len(vocabulary), units.rows, units.owners
        prior = PRIOR_WEIGHT if weighting.prior else 0.0
        shares = vocabulary.shares(_frequencies(), size) if weighting.prior else None
        self.cosine, self.strict = weighting.cosine, weighting.strict
        self.idf = inverse_frequency(rows, owners, size, shares, prior)
        self.unknown = float(np.log((owners.max() + 2 if len(owners) else 1) + prior) - np.log(0.5))
        if self.strict:
            self.idf[np.bincount(rows.terms, minlength=size) == 0] = self.unknown
        self.weights = (
            cosine_weights(rows, self.idf) if self.cosine else bm25_weights(rows, self.idf, b=weighting.b)
        )
        self.rows, self.columns = rows, units.columns


class ExampleKernel:
    """How like each other example questions are: letters, pairs and meanings mixed, for a few of them at a
    time.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """*arrays* are those of `mix` or of another one's `arrays`.

        Raises ValueError where they are no such matrix.
        """
        import scipy.sparse

        self.arrays = dict(arrays)
        rows = (arrays["weights"], arrays["terms"], arrays["starts"])
        self._rows = scipy.sparse.csr_matrix(
            rows, shape=(len(arrays["starts"]) - 1, int(arrays["columns"][0]))
        )
        self._row = arrays["row"]
        if len(self._row) != self._rows.shape[0]:
            raise ValueError("units differ in number")
        self._whole: Floats | None = self._product() if 0 < self._rows.shape[0] <= WHOLE_KERNEL else None

    @classmethod
    def mix(cls, parts: Sequence[tuple[float, TermWeights]], places: Ints) -> ExampleKernel:
        """*places* are the numbers of the units in the order of the channels' rows."""
        import scipy.sparse

        blocks = []
        for share, channel in parts:
            rows, width = channel.rows, max(1, len(channel.idf))
            weights = np.float32(np.sqrt(share)) * channel.weights
            matrix = (weights, rows.terms, rows.starts.astype(np.int32))
            blocks.append(scipy.sparse.csr_matrix(matrix, shape=(len(rows.starts) - 1, width)))
        joined = scipy.sparse.hstack(blocks, "csr", dtype=np.float32)
        row = np.empty(len(places), np.int32)
        row[places] = np.arange(len(places), dtype=np.int32)
        columns = np.array([joined.shape[1]], np.int64)
        return cls(
            {
                "weights": joined.data,
                "terms": joined.indices,
                "starts": joined.indptr,
                "columns": columns,
                "row": row,
            }
        )

    def check(self) -> None:
        """Raises ValueError where numbers point outside the matrix."""
        self._rows.check_format(full_check=True)

    def warm(self) -> None:
        """Makes the whole matrix of a base of middling size, so that no question multiplies any more."""
        if self._whole is None and 0 < self._rows.shape[0] <= WARM_KERNEL:
            self._whole = self._product()

    def _product(self) -> Floats:
        return np.asarray((self._rows @ self._rows.T).toarray(), np.float32)

    def among(self, units: Ints) -> Floats:
        """The square matrix of likeness, 1 on its diagonal."""
        rows = self._row[units]
        if (whole := self._whole) is not None:
            return whole[rows].take(rows, axis=1)
        some = self._rows[rows]
        return np.asarray((some @ some.T).toarray(), np.float32)


# How a field lays out its units. Three articles of 3, 1 and 4 units, and LAYERS were 2:
#
#   natural order (`natural`, `first`)     article   0  0  0  1  2  2  2  2
#                                          unit      a0 a1 a2 b0 c0 c1 c2 c3
#                                          first     ^0       ^3 ^4          ^8
#
#   by size (`_place`: article -> rank)    c (4 units) -> 0    a (3) -> 1    b (1) -> 2
#
#   as stored (one column of scores a unit)
#
#       column     0    1    2  |  3    4  |  5    6    7
#       unit       c0   a0   b0 |  c1   a1 |  c2   c3   a2
#                  '-- layer --'   '-layer-'  '-- rest ----'
#       layers     (start 0, width 3)  (start 3, width 2)       the j-th units of all articles that have one
#       rest       5 (c), 7 (a)                                 what is beyond LAYERS, article after article
#
#       members    1 4 7 | 2 | 0 3 5 6       column of every unit in natural order (a0 a1 a2, b0, c0 ...)
#       owners     2 0 1 2 0 2 2 0           article of every column: `members` the other way round
#
# A layer is a prefix of the articles by size, so the best unit of every article is found by whole stretches:
#
#       best[0:3] = scores[0:3]
#       best[0:2] = max(best[0:2], scores[3:5])
#       best[0:2] = max(best[0:2], the maximum of each rest)
#       best[_place]              puts the articles back into their own order


class FieldIndex:
    """All example questions, or all passages, as units; how they are laid out is drawn above."""

    def __init__(
        self, words: Sequence[Sequence[str]], texts: Sequence[Sequence[str]], forms: frozenset[str]
    ) -> None:
        """*words* are the canonical words of each of the *texts* of each article, *forms* all words as
        written.
        """
        if [len(w) for w in words] != [len(t) for t in texts]:
            raise ValueError("texts and their words differ in number")
        self.articles = len(words)
        self.sizes = np.fromiter((len(w) for w in words), np.int64, len(words))
        self.first = np.concatenate(([0], np.cumsum(self.sizes)))
        self.count = int(self.first[-1])
        natural = np.repeat(np.arange(self.articles), self.sizes)
        order = np.argsort(-self.sizes, kind="stable")
        self._place = np.empty(self.articles, np.int64)
        self._place[order] = np.arange(self.articles)
        widths = [int((self.sizes > j).sum()) for j in range(min(LAYERS, int(self.sizes.max(initial=0))))]
        starts = np.concatenate(([0], np.cumsum(widths, dtype=np.int64))).astype(np.int64)
        self.layers = tuple((int(s), w) for s, w in zip(starts, widths, strict=False))
        over = np.maximum(self.sizes[order] - LAYERS, 0)
        self.rest = (
            starts[-1] + np.concatenate(([0], np.cumsum(over[over > 0])[:-1])).astype(np.int64)
            if (over > 0).any()
            else np.zeros(0, np.int64)
        )
        rank, place = np.arange(self.count) - self.first[natural], self._place[natural]
        late = rank >= LAYERS
        self.members = starts[np.minimum(rank, len(starts) - 1)] + place
        self.members[late] = self.rest[place[late]] + rank[late] - LAYERS
        self.owners = np.empty(self.count, np.int64)
        self.owners[self.members] = natural
        self.texts: tuple[str, ...] = self._placed([t for found in texts for t in found])
        self.words: tuple[str, ...] = self._placed([w for found in words for w in found])
        self.natural, self.forms = natural, forms

    def _placed(self, texts: Sequence[str]) -> tuple[str, ...]:
        placed = np.empty(self.count, object)
        placed[self.members] = texts
        return tuple(placed.tolist())

    def kept(self) -> SavedField:
        """What the next start makes this field of again."""
        cuts = pairwise(self.first.tolist())
        return SavedField(tuple(tuple(self.words[u] for u in self.members[a:b]) for a, b in cuts), self.forms)

    def best(self, scores: Floats) -> Floats:
        """The best unit of each article in every row: (n, units) -> (n, articles); 0 where an article has
        none.
        """
        done = np.zeros((len(scores), self.articles), np.float32)
        for start, width in self.layers:
            np.maximum(done[:, :width], scores[:, start : start + width], out=done[:, :width])
        if len(self.rest):
            found = np.maximum.reduceat(scores[:, self.rest[0] :], self.rest - self.rest[0], axis=1)
            np.maximum(done[:, : len(self.rest)], found, out=done[:, : len(self.rest)])
        return done[:, self._place]

    def best_two(self, scores: Floats) -> tuple[Floats, Floats]:
        """The best unit of each article, and the mean of its two best that differ (the best alone where it
        has one unit).
        """
        best = np.zeros((len(scores), self.articles), np.float32)
        second = np.zeros_like(best)
        for start, width in self.layers:
            _take_over(best[:, :width], second[:, :width], scores[:, start : start + width])
        if len(self.rest):
            behind, starts = scores[:, self.rest[0] :], self.rest - self.rest[0]
            found = np.maximum.reduceat(behind, starts, axis=1)
            lengths = np.diff(np.append(starts, behind.shape[1]))
            less = np.maximum.reduceat(
                np.where(behind == np.repeat(found, lengths, axis=1), np.float32(0), behind), starts, axis=1
            )
            width = len(starts)
            _take_over(best[:, :width], second[:, :width], found)
            _take_over(best[:, :width], second[:, :width], less)
        mean = np.where(np.sort(self.sizes)[::-1] > 1, (best + second) / 2, best)
        return best[:, self._place], mean[:, self._place]

    def best_units(self, scores: Floats, articles: Ints) -> tuple[Floats, Ints]:
        """For each of some *articles* the score of its best unit and which of its units that is; 0 and 0
        where it has none.
        """
        sizes = self.sizes[articles]
        ends = np.cumsum(sizes)
        found, which = np.zeros(len(articles), np.float32), np.zeros(len(articles), np.int64)
        if not len(ends) or not ends[-1]:
            return found, which
        starts = ends - sizes
        some = scores[self.members[np.arange(ends[-1]) + np.repeat(self.first[articles] - starts, sizes)]]
        having = np.flatnonzero(sizes)
        found[having] = np.maximum.reduceat(some, starts[having])
        hits = np.flatnonzero(some == np.repeat(found, sizes))[::-1]  # the first of equals is written last
        owner = np.repeat(np.arange(len(articles)), sizes)[hits]
        which[owner] = hits - starts[owner]
        return found, which


def _take_over(best: Floats, second: Floats, new: Floats) -> None:
    """Brings *new* scores into the best and the second best; what equals the best is no second."""
    low = np.minimum(best, new)
    low[best == new] = 0
    np.maximum(second, low, out=second)
    np.maximum(best, new, out=best)


@dataclass(frozen=True, slots=True)
class Scores:
    """What every channel says of every unit: questions (char, word, meaning, pair, sense), bag (char, word,
    meaning), passages (char, word, pair, meaning), each (channels, units).
    """

    questions: Floats
    bag: Floats
    passages: Floats


@dataclass(frozen=True, slots=True)
class SavedField:
    """The words of one field, as they are kept between starts: of each text of each article, and all as
    written.
    """

    words: tuple[tuple[str, ...], ...]
    forms: frozenset[str]


@dataclass(frozen=True, slots=True)
class SavedIndex:
    """An index as it is kept between starts; `unknown` is how rare a meaning and a word are that nobody
    says.
    """

    sides: tuple[SavedField, SavedField]
    unknown: tuple[float, float]
    arrays: Mapping[str, Array]


_RARITIES = ("meaning_rarity", "word_rarity", "word_known")


# How an index lays out its scores: one row of numbers a question, in it a stretch for every channel
# (n units of example questions, a articles, p units of passages):
#
#       |<------------- 5 n ------------->|<------ 3 a ------>|<---------- 4 p --------->|
#       | char word meaning pair sense    | char word meaning | char word pair meaning   |
#       |   each: a unit of `questions`   |  each: an article |  each: a unit of passages|


class Index:
    """Articles ready to be asked; never changes once built."""

    def __init__(
        self, articles: Sequence[Article], reader: TextAnalyzer, kept: SavedIndex | None = None
    ) -> None:
        """The index over *articles*: built, or taken over as it was *kept*.

        Raises ValueError where that does not fit.
        """
        self.articles = tuple(articles)
        self.ids = tuple(a.id for a in articles)
        self.place = {a.id: i for i, a in enumerate(articles)}
        self.reader = reader
        self.read = (tuple(question_texts(a) for a in articles), tuple(passage_texts(a) for a in articles))
        if kept is None:
            asked, told = ([reader.read(t) for t in texts] for texts in self.read)
            self.questions, self.passages = _side(asked, self.read[0]), _side(told, self.read[1])
            self._connect(asked, told)
        else:
            sides = [
                FieldIndex(side.words, texts, side.forms)
                for side, texts in zip(kept.sides, self.read, strict=True)
            ]
            self.questions, self.passages = sides
            self._take_over(kept)
        self.shape = self._shape()

    def kept(self) -> SavedIndex:
        """What the next start makes this index of again."""
        arrays = {f"postings.{k}": a for k, a in self.postings.arrays.items()}
        arrays |= {f"kernel.{k}": a for k, a in (self.kernel.arrays if self.kernel else {}).items()}
        arrays |= {k: np.asarray(getattr(self, k)) for k in _RARITIES}
        unknown = (self.meaning_unknown, self.word_unknown)
        return SavedIndex((self.questions.kept(), self.passages.kept()), unknown, arrays)

    def _take_over(self, kept: SavedIndex) -> None:
        parts: dict[str, dict[str, Array]] = {"postings": {}, "kernel": {}}
        for name, array in kept.arrays.items():
            part, _, name = name.rpartition(".")
            parts.setdefault(part, {})[name] = array
        self.postings = Postings(parts["postings"])
        self.kernel = ExampleKernel(parts["kernel"]) if parts["kernel"] else None
        if self.kernel is not None:
            self.kernel.check()
        n, a, p = self.questions.count, len(self.articles), self.passages.count
        if self.postings.matrix.shape[1] != max(1, 5 * n + 3 * a + 4 * p):
            raise ValueError("units differ in number")
        self.postings.matrix.check_format(
            full_check=True
        )  # law: a kept file is not believed beyond its bounds
        self.meaning_rarity, self.word_rarity, self.word_known = (kept.arrays[k] for k in _RARITIES)
        self.meaning_unknown, self.word_unknown = kept.unknown

    def _connect(self, asked: Sequence[TextBlock], told: Sequence[TextBlock]) -> None:
        """Makes the channels: over example questions, over an article's examples as one text, and over
        passages.
        """
        reader, questions, passages = self.reader, self.questions, self.passages
        n, a, p = questions.count, len(self.articles), passages.count
        words = dict(zip(KINDS, (reader.grams, reader.lemmas, reader.pairs, reader.meanings), strict=True))

        def question(kind: str, rows: TermRows, row: int, *, cosine: bool = False) -> TermWeights:
            units = Units(rows, questions.natural, _columns(questions, row * n))
            return TermWeights(units, words[kind], Weighting(cosine, prior=kind != "grams"))

        def bag(kind: str, row: int, *, cosine: bool = False) -> TermWeights:
            columns = np.arange(5 * n + row * a, 5 * n + (row + 1) * a, dtype=np.int32)
            units = Units(_held(asked, kind), np.arange(a), columns)
            return TermWeights(units, words[kind], Weighting(cosine, prior=kind != "grams"))

        def passage(kind: str, row: int) -> TermWeights:
            columns = _columns(passages, 5 * n + 3 * a + row * p)
            units = Units(_rows(told, kind), passages.natural, columns)
            return TermWeights(
                units, words[kind], Weighting(False, prior=kind != "grams", b=0.75, strict=False)
            )

        meanings = _rows(asked, "meanings")
        char, pair = (
            question("grams", _rows(asked, "grams"), 0, cosine=True),
            question("pairs", _rows(asked, "pairs"), 3, cosine=True),
        )
        word, meaning, sense = (
            question("lemmas", _rows(asked, "lemmas"), 1),
            question("meanings", meanings, 2),
            question("meanings", meanings, 4, cosine=True),
        )
        body = passage("lemmas", 1)
        groups = (
            (char, bag("grams", 0, cosine=True), passage("grams", 0)),
            (word, bag("lemmas", 1), body),
            (pair, passage("pairs", 2)),
            (meaning, sense, bag("meanings", 2), passage("meanings", 3)),
        )
        self.postings = Postings.join(groups, 5 * n + 3 * a + 4 * p)
        self.kernel = (
            ExampleKernel.mix(list(zip(MIX, (char, pair, sense), strict=True)), questions.members)
            if n
            else None
        )
        self.meaning_rarity, self.meaning_unknown = meaning.idf, meaning.unknown
        self.word_unknown = max(word.unknown, body.unknown)
        self.word_rarity = np.full(len(body.idf), self.word_unknown, np.float32)
        self.word_known = np.zeros(len(body.idf), bool)
        for channel in (body, word):
            said = np.unique(channel.rows.terms) if channel.strict else np.arange(len(channel.idf))
            self.word_rarity[said] = np.minimum(self.word_rarity[said], channel.idf[said])
            self.word_known[channel.rows.terms] = True

    def scores(self, reading: AnalyzedText) -> Scores:
        """The scores of a question in every channel of words, 0..1 or nearly."""
        n, a, p = self.questions.count, len(self.articles), self.passages.count
        flat = (
            self.postings.scores(reading.kinds)
            if reading.words
            else np.zeros(5 * n + 3 * a + 4 * p, np.float32)
        )
        bag, body = 5 * n, 5 * n + 3 * a
        return Scores(
            flat[:bag].reshape(5, n), flat[bag:body].reshape(3, a), flat[body : body + 4 * p].reshape(4, p)
        )

    def says(self, lemmas: Sequence[str]) -> bool:
        """Whether any of *lemmas* stands anywhere in the base."""
        numbers = self.reader.lemmas.get(lemmas)
        return any(0 <= n < len(self.word_known) and self.word_known[n] for n in numbers)

    def known_share(self, reading: AnalyzedText) -> float:
        """The share of a question's weight whose words stand anywhere in the base."""
        terms = reading.lemmas[0]
        inside = (terms >= 0) & (terms < len(self.word_known))
        places = np.where(inside, terms, 0)
        if not len(self.word_known):
            return 0.0
        weights = np.where(inside, self.word_rarity[places], np.float32(self.word_unknown))
        return float(weights[inside & self.word_known[places]].sum() / max(1e-6, float(weights.sum())))

    def _shape(self) -> Floats:
        """What kind of base it is: how many articles, examples an article, which share has text, how long
        examples are, what share has no example.
        """
        examples = np.array([len(a.aliases) for a in self.articles], np.float32)
        words = [w.count(" ") + 1 for w in self.questions.words]
        if not len(examples):
            return np.zeros(5, np.float32)
        return np.array(
            (
                np.log1p(len(examples)),
                np.log1p(examples.mean()),
                (self.passages.sizes > 0).mean(),
                np.log1p(np.mean(words or [0])),
                (examples <= 0).mean(),
            ),
            np.float32,
        )


def _side(blocks: Sequence[TextBlock], texts: Sequence[Sequence[str]]) -> FieldIndex:
    return FieldIndex([b.words for b in blocks], texts, frozenset().union(*(b.forms for b in blocks)))


def _columns(side: FieldIndex, start: int) -> Ints32:
    return (side.members + start).astype(np.int32)


def _rows(blocks: Sequence[TextBlock], kind: str) -> TermRows:
    terms = [b.terms[KINDS.index(kind)] for b in blocks]
    return TermRows.of([t.numbers for t in terms], [t.counts for t in terms], [t.lengths for t in terms])


def _held(blocks: Sequence[TextBlock], kind: str) -> TermRows:
    """The texts of each block as one row: each term with the number of texts that have it."""
    held = [b.terms[KINDS.index(kind)].held for b in blocks]
    return TermRows.of(
        [t for t, _ in held], [c for _, c in held], [np.array([len(t)], np.int32) for t, _ in held]
    )


def question_texts(article: Article) -> tuple[str, ...]:
    """What is searched of an article's questions: title and examples, but no title that only repeats how the
    text begins, where that text is searched itself.
    """
    start = article.body[: 2 * len(article.title) + 40]
    repeats = article.title not in article.aliases and _is_beginning(article.title, start)
    return article.aliases if repeats and passage_texts(article) else article.questions


@functools.lru_cache(maxsize=16_384)
def _is_beginning(title: str, start: str) -> bool:
    words = " ".join(words_of(title))
    return len(words) > 30 and " ".join(words_of(start)).startswith(words[:-8])


def passage_texts(article: Article) -> tuple[str, ...]:
    """What is searched of a body: each passage with its heading; nothing where the body only repeats the
    title.
    """
    texts = tuple(f"{p.heading}\n{p.text}" if p.heading else p.text for p in article.passages)
    return () if len(texts) == 1 and texts[0].strip() == article.title.strip() else texts
