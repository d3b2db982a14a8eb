"""What is known about each article for a question, in numbers: one function, for asking and for training
alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from bot.knowledge.query.analyzer import AnalyzedText
from bot.knowledge.retrieval.index import MIX, FieldIndex, Index, Scores
from bot.knowledge.retrieval.lexical import Floats, Ints

SHORTLIST = 24
_MANY = 4096  # values from which the largest are sought among those above a lower bound only
HEAD_UNITS = 96
HEAD_LAMBDA = 0.3
CHANNELS = (
    "char",
    "char2",
    "word",
    "word2",
    "pair",
    "meaning",
    "meaning2",
    "sense",
    "bag_char",
    "bag_word",
    "bag_meaning",
    "body_char",
    "body_word",
    "body_pair",
    "body_meaning",
    "semantic",
    "semantic2",
    "body_semantic",
)
FEATURES = (*CHANNELS, "head", "fuzz_set", "fuzz_sort", "head_semantic")
# by a sentence encoder that stands beside our own; models fitted without one read FEATURES alone
SENTENCE = ("sentence", "sentence2", "body_sentence", "head_sentence")
ALL_FEATURES = (*FEATURES, *SENTENCE)
_SENTENCE_HAND = np.array([0.8, 0.5, 0.3], np.float32)
_HAND = {
    "char": 0.5,
    "char2": 0.3,
    "word2": 0.5,
    "meaning2": 0.5,
    "sense": 0.3,
    "bag_char": 0.6,
    "bag_word": 0.3,
    "semantic": 0.8,
    "semantic2": 0.6,
    "body_char": 0.4,
    "body_word": 0.5,
    "body_pair": 0.3,
    "body_meaning": 0.2,
    "body_semantic": 0.2,
}
HAND = np.array([_HAND.get(c, 0.0) for c in CHANNELS], np.float32)  # only who comes on the short list
BODY = np.array([c.startswith("body") for c in CHANNELS])
_TWICE, _TWICE_MEAN, _ONCE, _BAG, _BODY = (
    [CHANNELS.index(c) for c in names.split()]
    for names in (
        "char word meaning semantic",
        "char2 word2 meaning2 semantic2",
        "pair sense",
        "bag_char bag_word bag_meaning",
        "body_char body_word body_pair body_meaning body_semantic",
    )
)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of all units and the name of what made them; rows of length one.

    With *split* two encoders stand side by side: columns before it are our own encoder's, the others a
    sentence encoder's, each part of length one.
    """

    questions: Floats
    passages: Floats
    model: str = ""
    split: int = 0


@dataclass(frozen=True, slots=True)
class Contrast:
    """What tells a question to this base from one to nobody: how near a text stands to what the base is
    about, and to texts that no business answers.

    `topic` (d,) is the mean direction of the base's units, `background` (n, d) are the texts; rows of length
    one, of the sentence encoder alone.
    """

    topic: Floats
    background: Floats

    @classmethod
    def of(cls, units: Floats, background: Floats) -> Contrast:
        """Of a base whose *units* (questions and passages) have these vectors."""
        mean = units.mean(0) if len(units) else np.zeros(background.shape[1], np.float32)
        return cls(np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32), background)

    def __call__(self, vector: Floats) -> tuple[float, float]:
        """The cosines of *vector* (d,) to the topic and to the nearest text of the background."""
        nearest = float((self.background @ vector).max()) if len(self.background) else 0.0
        return float(self.topic @ vector), nearest


@dataclass(frozen=True, slots=True)
class AnalyzedQuery:
    """A question ready to be compared: its numbers and, where there is an encoder, its vector and how it
    stands to the `Contrast` of the base.
    """

    text: str
    reading: AnalyzedText
    vector: Floats | None = None
    contrast: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The short list for a question: article numbers, a row of `ALL_FEATURES` for each, the best
    passage of each, and what is known of the question.

    `known` is the share of the question's weight that the base's words cover, `words` how many words it has,
    `similar` how far the nearest example stands out by embedding, in standard deviations of all examples (0
    without embeddings).
    """

    articles: Ints
    table: Floats
    passages: Ints
    known: float
    words: int
    similar: float = 0.0
    similar_sentence: float = 0.0
    contrast: tuple[float, float] = (0.0, 0.0)


def gather(
    index: Index,
    asked: AnalyzedQuery,
    *,
    vectors: Vectors | None = None,
    allowed: npt.NDArray[np.bool_] | None = None,
    also: Ints | None = None,
) -> Evidence:
    """Everything known about the articles that may answer *asked*, for the best `SHORTLIST` of them and for
    those of *also*.
    """
    if asked.vector is None:
        vectors = None
    scores = index.scores(asked.reading)
    semantic, body_semantic = _cosines(index, asked, vectors, sentence=False)
    columns = _article_scores(index, scores, semantic, body_semantic)
    sentence, body_sentence = _cosines(index, asked, vectors, sentence=True)
    paired = vectors is not None and vectors.split
    beside = _sentence_scores(index, sentence, body_sentence) if paired else None
    barred = None if allowed is None or allowed.all() else ~allowed
    hand = HAND[~BODY] @ columns[~BODY] + np.where(columns[0] <= 0, np.float32(2), np.float32(1)) * (
        HAND[BODY] @ columns[BODY]
    )
    if beside is not None:
        hand = hand + _SENTENCE_HAND @ beside
    if barred is not None:
        hand[barred] = -1.0
    chosen = largest(hand, SHORTLIST)
    chosen = chosen[hand[chosen] >= 0]
    if also is not None and len(also):
        chosen = np.concatenate(
            (chosen, [a for a in also if (barred is None or not barred[a]) and a not in chosen])
        ).astype(np.int64)
    table = np.zeros((len(chosen), len(ALL_FEATURES)), np.float32)
    table[:, : len(CHANNELS)] = columns[:, chosen].T
    if beside is not None:
        table[:, len(FEATURES) : len(FEATURES) + 3] = beside[:, chosen].T
    if len(chosen):
        char, _, _, pair, sense = scores.questions
        words = MIX[0] * char + MIX[1] * pair + MIX[2] * sense
        by_words, by_both = _heads(index, words, semantic, _part(vectors, sentence=False), barred)
        table[:, len(CHANNELS)], table[:, len(CHANNELS) + 3] = by_words[chosen], by_both[chosen]
        if paired:
            _, by_sentence = _heads(index, words, sentence, _part(vectors, sentence=True), barred)
            table[:, -1] = by_sentence[chosen]
        table[:, len(CHANNELS) + 1 : len(CHANNELS) + 3] = _fuzz(
            index.questions, asked, 0.5 * char + 0.5 * sense, chosen
        )
    best = index.passages.best_units(scores.passages[0] + scores.passages[1], chosen)[1]
    known = index.known_share(asked.reading)
    similar = _outlying(semantic), _outlying(sentence)
    return Evidence(chosen, table, best, known, len(asked.reading.words), *similar, asked.contrast)


def _outlying(cosines: Floats) -> float:
    """How far the nearest example stands out, in standard deviations of all; 0 without embeddings."""
    if len(cosines) < 2 or not cosines.any():
        return 0.0
    return float((cosines.max() - cosines.mean()) / (cosines.std() + 1e-3))


def _part(vectors: Vectors | None, *, sentence: bool) -> Vectors | None:
    """The vectors of one of the two encoders."""
    if vectors is None or not vectors.split:
        return None if sentence else vectors
    which = slice(vectors.split, None) if sentence else slice(vectors.split)
    return Vectors(vectors.questions[:, which], vectors.passages[:, which], vectors.model)


def _cosines(
    index: Index, asked: AnalyzedQuery, vectors: Vectors | None, *, sentence: bool
) -> tuple[Floats, Floats]:
    """The question against all example questions and passages; zeros without such an encoder."""
    mine = _part(vectors, sentence=sentence)
    if vectors is None or mine is None or asked.vector is None:
        return np.zeros(index.questions.count, np.float32), np.zeros(index.passages.count, np.float32)
    vector = asked.vector
    if vectors.split:
        vector = vector[vectors.split :] if sentence else vector[: vectors.split]
    return np.maximum(mine.questions @ vector, 0), np.maximum(mine.passages @ vector, 0)


def _sentence_scores(index: Index, questions: Floats, passages: Floats) -> Floats:
    """A row of each of `SENTENCE` but the head over all articles."""
    best, second = index.questions.best_two(questions[None])
    return np.concatenate((best, second, index.passages.best(passages[None])))


def _article_scores(index: Index, scores: Scores, semantic: Floats, body_semantic: Floats) -> Floats:
    """A row of each of `CHANNELS` over all articles."""
    columns = np.zeros((len(CHANNELS), len(index.articles)), np.float32)
    twice = np.concatenate((scores.questions[:3], semantic[None]))
    columns[_TWICE], columns[_TWICE_MEAN] = index.questions.best_two(twice)
    columns[_ONCE] = index.questions.best(scores.questions[3:])
    columns[_BAG] = scores.bag
    columns[_BODY] = index.passages.best(np.concatenate((scores.passages, body_semantic[None])))
    return columns


def largest(values: Floats, n: int) -> Ints:
    """The places of the *n* largest, the largest first."""
    if len(values) > _MANY:  # the n-th largest of some is a lower bound for the n-th largest of all
        places = np.flatnonzero(values >= np.partition(values[:_MANY], _MANY - n)[_MANY - n])
        return (
            np.asarray(places[largest(values[places], n)])
            if len(places) < len(values)
            else _sorted_part(values, n)
        )
    return _sorted_part(values, n)


def _sorted_part(values: Floats, n: int) -> Ints:
    part = np.argpartition(-values, n)[:n] if len(values) > n else np.arange(len(values))
    return np.asarray(part[np.argsort(-values[part], kind="stable")])


def _heads(
    index: Index,
    words: Floats,
    semantic: Floats,
    vectors: Vectors | None,
    barred: npt.NDArray[np.bool_] | None,
) -> tuple[Floats, Floats]:
    """Kernel ridge over the example questions nearest to this one, by words and by words with meaning: what
    each example says is weighed against what its neighbours say.
    """
    side = index.questions
    none = np.zeros(side.articles, np.float32)
    if index.kernel is None:
        return none, none
    both = words if vectors is None else 0.5 * words + 0.5 * semantic
    units = largest(
        both if barred is None else np.where(barred[side.owners], np.float32(0), both), HEAD_UNITS
    )
    units = (
        units[both[units] > 0] if barred is None else units[(both[units] > 0) & ~barred[side.owners[units]]]
    )
    if not len(units):
        return none, none
    kernel = index.kernel.among(units)
    by_words = _ridge(kernel, words[units], side, units)
    if vectors is None:
        return by_words, none
    rows = vectors.questions[units]
    return by_words, _ridge(0.5 * kernel + 0.5 * np.maximum(rows @ rows.T, 0), both[units], side, units)


def _ridge(kernel: Floats, near: Floats, side: FieldIndex, units: Ints) -> Floats:
    kernel = kernel * kernel
    kernel.flat[:: len(kernel) + 1] += HEAD_LAMBDA
    share = np.linalg.solve(kernel, near**2)
    return np.bincount(side.owners[units], share, side.articles).astype(np.float32)


def _fuzz(side: FieldIndex, asked: AnalyzedQuery, scores: Floats, chosen: Ints) -> Floats:
    """rapidfuzz on the best example question of each article: token set and token sort ratios, 0..1 (never
    WRatio).
    """
    done = np.zeros((len(chosen), 2), np.float32)
    best, which = side.best_units(scores, chosen)
    places = np.flatnonzero(best > 0)
    if len(places):
        text = " ".join(asked.reading.words)
        choices = [
            side.words[unit] for unit in side.members[side.first[chosen[places]] + which[places]].tolist()
        ]
        done[places, 0] = process.cdist([text], choices, scorer=fuzz.token_set_ratio)[0] / 100
        done[places, 1] = process.cdist([text], choices, scorer=fuzz.token_sort_ratio)[0] / 100
    return done
