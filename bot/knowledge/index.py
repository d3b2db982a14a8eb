"""The searchable form of articles: each example question and each passage a unit, each channel its postings over them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.knowledge.articles import Article
from bot.knowledge.lexical import (
    Floats,
    Ints,
    Postings,
    Rows,
    Vocabulary,
    bm25_weights,
    cosine_weights,
    count,
    inverse_frequency,
    question_weights,
)
from bot.knowledge.speech import Speech
from bot.knowledge.words import grams, lemma, words_of

_DATA = Path(__file__).parent / "data"
MIX = (0.4, 0.2, 0.4)  # letters, pairs, meanings in the kernel
WHOLE_KERNEL = 1200  # up to so many examples the kernel is whole at once
WARM_KERNEL = 3000  # up to so many it becomes so in the background: 36 MB
PRIOR_WEIGHT = 60.0  # articles that the general frequency of words counts for
Counts = tuple[Ints, Floats]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as numbers: character n-grams, lemmas, lemma pairs (with lemmas), meanings. `words` are canonical, `forms` as written."""

    forms: tuple[str, ...]
    words: tuple[str, ...]
    grams: Counts
    lemmas: Counts
    pairs: Counts
    meanings: Counts


class Reader:
    """Turns texts into numbers and remembers those it has read; numbers never change while it lives."""

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.grams, self.lemmas, self.pairs, self.meanings = Vocabulary(), Vocabulary(), Vocabulary(), Vocabulary()
        self._learning = threading.Lock()
        self._gram_ids: dict[str, list[int]] = {}
        self._read: dict[str, Reading] = {}

    def read(self, text: str) -> Reading:
        """The numbers of a text of the knowledge base."""
        known = self._read.get(text)
        if known is None:
            forms = words_of(text)
            words = self._canonical(forms)
            with self._learning:  # law: a number is given once, whoever reads
                known = self._read[text] = self._learnt(forms, words)
        return known

    def canonical(self, text: str) -> tuple[str, ...]:
        return self._canonical(words_of(text))

    def _canonical(self, forms: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.speech.without_preamble(self.speech.canonical(forms)))

    def ask(self, words: Sequence[str]) -> Reading:
        """The numbers of a question in canonical words; what the base never said is -1, counted each for itself."""
        lemmas, pairs, meanings = self._terms(words)
        numbers = [i for w in words for i in self._gram_ids.get(w) or self.grams.get(grams(w))]
        return Reading(
            tuple(words),
            tuple(words),
            _count_unknown(numbers),
            _count_unknown(self.lemmas.get(lemmas)),
            _count_unknown(self.pairs.get(pairs)),
            _count_unknown(self.meanings.get(meanings)),
        )

    def __getstate__(self) -> tuple[object, ...]:
        return self.speech, self.grams, self.lemmas, self.pairs, self.meanings

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.__init__(state[0])  # type: ignore[misc]
        self.grams, self.lemmas, self.pairs, self.meanings = state[1:]  # type: ignore[assignment]

    def forget_all_but(self, texts: set[str]) -> None:
        if len(self._read) > len(texts) * 1.5 + 1000:
            self._read = {t: r for t, r in self._read.items() if t in texts}

    def _learnt(self, forms: Sequence[str], words: Sequence[str]) -> Reading:
        lemmas, pairs, meanings = self._terms(words)
        numbers = [i for w in words for i in self._gram_ids.get(w) or self._gram_ids.setdefault(w, self.grams.add(grams(w)))]
        known = (self.lemmas.add(lemmas), self.pairs.add(pairs), self.meanings.add(meanings))
        return Reading(tuple(forms), tuple(words), count(numbers), *(count(k) for k in known))

    def _terms(self, words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
        lemmas = [lemma(w) for w in words]
        return lemmas, lemmas + [f"{a} {b}" for a, b in pairwise(lemmas)], self.speech.meanings(lemmas)


def _count_unknown(numbers: Sequence[int]) -> Counts:
    """Like `count`, but each -1 stays a term of its own."""
    known, counts = count([n for n in numbers if n >= 0])
    missing = len(numbers) - int(counts.sum())
    return np.concatenate((known, np.full(missing, -1))), np.concatenate((counts, np.ones(missing, np.float32)))


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


class Channel:
    """One kind of term over one side: its rarity and its postings."""

    def __init__(self, rows: Rows, owners: Ints, vocabulary: Vocabulary, kind: str, *, prior: bool, b: float = 0.5) -> None:
        size = len(vocabulary)
        shares = vocabulary.shares(_frequencies(), size) if prior else None
        self.kind = kind
        self.idf = inverse_frequency(rows, owners, size, shares, PRIOR_WEIGHT if prior else 0.0)
        self.unknown = float(np.log((owners.max() + 2 if len(owners) else 1) + (PRIOR_WEIGHT if prior else 0.0)) - np.log(0.5))
        self.weights = bm25_weights(rows, self.idf, b=b) if kind == "bm25" else cosine_weights(rows, self.idf)
        self.rows: Rows | None = rows
        self.postings = Postings(rows, self.weights, size)

    def scores(self, question: Counts) -> Floats:
        """Scores of all units, 0..1 or nearly: cosine, or the share of the question's own weight that BM25 finds."""
        terms, counts = question
        if self.kind != "bm25":
            return self.postings.scores(terms, question_weights(terms, counts, self.idf, self.unknown))
        return self.postings.scores(terms, counts) / max(1e-6, self.mass(question))

    def slim(self) -> None:
        """Forgets what only building needs."""
        self.rows, self.weights = None, np.zeros(0, np.float32)

    def mass(self, question: Counts) -> float:
        """The weight of all words of the question, those never seen included."""
        terms, counts = question
        known = (terms >= 0) & (terms < len(self.idf))
        return float((self.idf[terms[known]] * counts[known]).sum() + self.unknown * (~known).sum())


class Kernel:
    """How like each other example questions are: letters, pairs and meanings mixed, for a few of them at a time."""

    def __init__(self, parts: Sequence[tuple[float, Channel]]) -> None:
        import scipy.sparse

        blocks = [
            scipy.sparse.csr_matrix((np.sqrt(share) * c.weights, r.terms, r.starts), shape=(len(r.starts) - 1, max(1, len(c.idf))))
            for share, c in parts
            if (r := c.rows) is not None
        ]
        self._rows = scipy.sparse.hstack(blocks, "csr", dtype=np.float32)
        self._whole: Floats | None = self._product() if 0 < self._rows.shape[0] <= WHOLE_KERNEL else None

    def warm(self) -> None:
        """Makes the whole matrix of a base of middling size, so that no question multiplies any more."""
        if self._whole is None and 0 < self._rows.shape[0] <= WARM_KERNEL:
            self._whole = self._product()

    def _product(self) -> Floats:
        return np.asarray((self._rows @ self._rows.T).toarray(), np.float32)

    def among(self, units: Ints) -> Floats:
        """The square matrix of likeness, 1 on its diagonal."""
        if (whole := self._whole) is not None:
            return whole[np.ix_(units, units)]
        some = self._rows[units]
        return np.asarray((some @ some.T).toarray(), np.float32)


class Side:
    """All example questions, or all passages: units of text sorted by the article they belong to."""

    def __init__(self, texts: Sequence[str], owners: Ints, articles: int, reader: Reader, *, long: bool) -> None:
        """*long* texts are passages: for them BM25 fits all channels, for short ones cosine fits letters and pairs."""
        kind, b = ("bm25", 0.75) if long else ("cosine", 0.5)
        self.texts, self.owners = tuple(texts), owners
        readings = [reader.read(t) for t in texts]
        self.words = tuple(" ".join(r.words) for r in readings)
        self.forms: frozenset[str] = frozenset().union(*(r.forms for r in readings))
        self.present, self.first = np.unique(owners, return_index=True)
        self.sizes = np.bincount(owners, minlength=articles)
        self.articles = articles
        self.char = Channel(Rows.of([r.grams for r in readings]), owners, reader.grams, kind, prior=False, b=b)
        self.word = Channel(Rows.of([r.lemmas for r in readings]), owners, reader.lemmas, "bm25", prior=True, b=b)
        self.pair = Channel(Rows.of([r.pairs for r in readings]), owners, reader.pairs, kind, prior=True, b=b)
        meanings = Rows.of([r.meanings for r in readings])
        self.meaning = Channel(meanings, owners, reader.meanings, "bm25", prior=True, b=b)
        self.sense = Channel(meanings, owners, reader.meanings, "cosine", prior=True)
        self.kernel = None if long else Kernel(list(zip(MIX, (self.char, self.pair, self.sense), strict=True)))

    def best(self, scores: Floats) -> Floats:
        """The best unit of each article; 0 where it has none."""
        done = np.zeros(self.articles, np.float32)
        if len(scores):
            done[self.present] = np.maximum.reduceat(scores, self.first)
        return done

    def best_two(self, scores: Floats) -> tuple[Floats, Floats]:
        """The best unit of each article, and the mean of its two best (the best alone where it has one)."""
        first = self.best(scores)
        if not len(scores):
            return first, first
        rest = np.where(scores >= first[self.owners], np.float32(0), scores)
        second = self.best(rest)
        return first, np.where(self.sizes > 1, (first + second) / 2, first).astype(np.float32)


class Bag:
    """All example questions of an article read as one text: what they say together, each word counted once an example."""

    def __init__(self, side: Side, reader: Reader) -> None:
        owners = np.arange(side.articles)
        self.char = Channel(_joined(side.char, side), owners, reader.grams, "cosine", prior=False)
        self.word = Channel(_joined(side.word, side), owners, reader.lemmas, "bm25", prior=True)
        self.meaning = Channel(_joined(side.meaning, side), owners, reader.meanings, "bm25", prior=True)


def _joined(channel: Channel, side: Side) -> Rows:
    """The rows of an article's examples as one row: each term with the number of examples that have it."""
    import scipy.sparse

    rows = channel.rows or Rows.of(())
    width = int(rows.terms.max()) + 1 if len(rows.terms) else 1
    bounds = np.concatenate(([0], np.cumsum(side.sizes)))
    joined = scipy.sparse.csr_matrix((np.ones(len(rows.terms), np.float32), rows.terms, rows.starts[bounds]), shape=(side.articles, width))
    joined.sum_duplicates()
    return Rows(joined.indices.astype(np.int64), joined.data, joined.indptr.astype(np.int64))


class Index:
    """Articles ready to be asked; never changes once built."""

    def __init__(self, articles: Sequence[Article], reader: Reader) -> None:
        self.articles = tuple(articles)
        self.ids = tuple(a.id for a in articles)
        self.place = {a.id: i for i, a in enumerate(articles)}
        self.reader = reader
        self.questions = self._side([(q, i) for i, a in enumerate(articles) for q in question_texts(a)], long=False)
        self.bag = Bag(self.questions, reader)
        self.passages = self._side([(t, i) for i, a in enumerate(articles) for t in passage_texts(a)], long=True)
        self.shape = self._shape()
        for side in (self.questions, self.passages):
            for channel in (side.char, side.word, side.pair, side.meaning, side.sense):
                channel.slim()
        for channel in (self.bag.char, self.bag.word, self.bag.meaning):
            channel.slim()

    def _shape(self) -> Floats:
        """What kind of base it is: how many articles, examples an article, which share has text, how long examples are, what share has no example."""
        examples = np.array([len(a.aliases) for a in self.articles], np.float32)
        texts = self.passages.sizes[: len(self.articles)] > 0
        words = [w.count(" ") + 1 for w in self.questions.words]
        if not len(examples):
            return np.zeros(5, np.float32)
        return np.array(
            (np.log1p(len(examples)), np.log1p(examples.mean()), texts.mean(), np.log1p(np.mean(words or [0])), (examples <= 0).mean()), np.float32
        )

    def _side(self, units: Sequence[tuple[str, int]], *, long: bool) -> Side:
        owners = np.fromiter((i for _, i in units), np.int64, len(units))
        return Side([t for t, _ in units], owners, len(self.articles), self.reader, long=long)


def question_texts(article: Article) -> tuple[str, ...]:
    """What is searched of an article's questions: title and examples, but no title that only repeats how the text begins."""
    start = article.body[: 2 * len(article.title) + 40]
    return article.aliases if article.title not in article.aliases and _is_beginning(article.title, start) else article.questions


@functools.lru_cache(maxsize=16_384)
def _is_beginning(title: str, start: str) -> bool:
    words = " ".join(words_of(title))
    return len(words) > 30 and " ".join(words_of(start)).startswith(words[:-8])


def passage_texts(article: Article) -> tuple[str, ...]:
    """What is searched of a body: each passage with its heading; nothing where the body only repeats the title."""
    texts = tuple(f"{p.heading}\n{p.text}" if p.heading else p.text for p in article.passages)
    return () if len(texts) == 1 and texts[0].strip() == article.title.strip() else texts
