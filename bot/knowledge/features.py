"""What is known about each article for a question, in numbers: one function, for asking and for training alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from bot.knowledge.index import MIX, Index, Reading, Side
from bot.knowledge.lexical import Floats, Ints

SHORTLIST = 24
HEAD_UNITS = 96
HEAD_LAMBDA = 0.3
CHANNELS = (
    "char", "char2", "word", "word2", "pair", "meaning", "meaning2", "sense", "bag_char", "bag_word", "bag_meaning",
    "body_char", "body_word", "body_pair", "body_meaning", "semantic", "semantic2", "body_semantic",
)  # fmt: skip
FEATURES = (*CHANNELS, "head", "fuzz_set", "fuzz_sort", "head_semantic")
_HAND = {"char": 0.5, "char2": 0.3, "word2": 0.5, "meaning2": 0.5, "sense": 0.3, "bag_char": 0.6, "bag_word": 0.3, "semantic": 0.8, "semantic2": 0.6,
         "body_char": 0.4, "body_word": 0.5, "body_pair": 0.3, "body_meaning": 0.2, "body_semantic": 0.2}  # fmt: skip
HAND = np.array([_HAND.get(c, 0.0) for c in CHANNELS], np.float32)  # only who comes on the short list
BODY = np.array([c.startswith("body") for c in CHANNELS])


@dataclass(frozen=True, slots=True)
class Vectors:
    """Sentence embeddings of all units, rows of length one, and the name of what made them."""

    questions: Floats
    passages: Floats
    model: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question ready to be compared: its numbers and, where there is an encoder, its vector."""

    text: str
    reading: Reading
    vector: Floats | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The short list for a question: article numbers, a row of `FEATURES` for each, the best passage of each, and what is known of the question.

    `known` is the share of the question's weight that the base's words cover, `words` how many words it has, `similar` how far the
    nearest example stands out by embedding, in standard deviations of all examples (0 without embeddings).
    """

    articles: Ints
    table: Floats
    passages: Ints
    known: float
    words: int
    similar: float = 0.0


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of every example question and of every passage, by channel."""

    char: Floats
    word: Floats
    pair: Floats
    meaning: Floats
    sense: Floats
    semantic: Floats
    body_char: Floats
    body_word: Floats
    body_pair: Floats
    body_meaning: Floats
    body_semantic: Floats


def gather(
    index: Index, asked: Asked, *, vectors: Vectors | None = None, allowed: npt.NDArray[np.bool_] | None = None, also: Ints | None = None
) -> Evidence:  # fmt: skip
    """Everything known about the articles that may answer *asked*, for the best `SHORTLIST` of them and for those of *also*."""
    if asked.vector is None:
        vectors = None
    scores = _unit_scores(index, asked, vectors)
    columns = _article_scores(index, asked, scores)
    barred = np.zeros(len(index.articles), bool) if allowed is None else ~allowed
    scale = np.where(BODY[:, None] & (columns[0] <= 0)[None, :], 2.0, 1.0)
    hand = np.where(barred, -1.0, (HAND[:, None] * scale * columns).sum(0))
    chosen = _largest(hand, SHORTLIST)
    chosen = chosen[hand[chosen] >= 0]
    if also is not None and len(also):
        chosen = np.concatenate((chosen, [a for a in also if not barred[a] and a not in chosen])).astype(np.int64)
    table = np.zeros((len(chosen), len(FEATURES)), np.float32)
    table[:, : len(CHANNELS)] = columns[:, chosen].T
    if len(chosen):
        places = np.flatnonzero(~barred[index.questions.owners]) if barred.any() else None
        by_words, by_both = _heads(index.questions, scores, vectors, places)
        table[:, len(CHANNELS)], table[:, len(CHANNELS) + 3] = by_words[chosen], by_both[chosen]
        table[:, len(CHANNELS) + 1 : len(CHANNELS) + 3] = _fuzz(index.questions, asked, 0.5 * scores.char + 0.5 * scores.sense, chosen)
    best = _best_passages(index.passages, scores.body_char + scores.body_word, chosen)
    spread = scores.semantic
    similar = float((spread.max() - spread.mean()) / (spread.std() + 1e-3)) if vectors is not None and len(spread) > 1 else 0.0
    return Evidence(chosen, table, best, known_share(index, asked), len(asked.reading.words), similar)


def _unit_scores(index: Index, asked: Asked, vectors: Vectors | None) -> _Scores:
    reading, questions, passages = asked.reading, index.questions, index.passages
    if vectors is not None and asked.vector is not None:
        semantic = np.maximum(vectors.questions @ asked.vector, 0)
        body_semantic = np.maximum(vectors.passages @ asked.vector, 0)
    else:
        semantic, body_semantic = np.zeros(len(questions.owners), np.float32), np.zeros(len(passages.owners), np.float32)
    return _Scores(
        questions.char.scores(reading.grams),
        questions.word.scores(reading.lemmas),
        questions.pair.scores(reading.pairs),
        questions.meaning.scores(reading.meanings),
        questions.sense.scores(reading.meanings),
        semantic,
        passages.char.scores(reading.grams),
        passages.word.scores(reading.lemmas),
        passages.pair.scores(reading.pairs),
        passages.meaning.scores(reading.meanings),
        body_semantic,
    )


def _article_scores(index: Index, asked: Asked, scores: _Scores) -> Floats:
    questions, passages, bag, reading = index.questions, index.passages, index.bag, asked.reading
    return np.stack(
        (
            *questions.best_two(scores.char),
            *questions.best_two(scores.word),
            questions.best(scores.pair),
            *questions.best_two(scores.meaning),
            questions.best(scores.sense),
            bag.char.scores(reading.grams),
            bag.word.scores(reading.lemmas),
            bag.meaning.scores(reading.meanings),
            passages.best(scores.body_char),
            passages.best(scores.body_word),
            passages.best(scores.body_pair),
            passages.best(scores.body_meaning),
            *questions.best_two(scores.semantic),
            passages.best(scores.body_semantic),
        )
    )


def _largest(values: Floats, n: int) -> Ints:
    if len(values) > n:
        part = np.argpartition(-values, n)[:n]
        return part[np.argsort(-values[part], kind="stable")]
    return np.argsort(-values, kind="stable")


def _heads(side: Side, scores: _Scores, vectors: Vectors | None, places: Ints | None) -> tuple[Floats, Floats]:
    """Kernel ridge over the example questions nearest to this one, by words and by words with meaning: what each example says is
    weighed against what its neighbours say."""
    none = np.zeros(side.articles, np.float32)
    if not len(side.owners) or side.kernel is None:
        return none, none
    words = MIX[0] * scores.char + MIX[1] * scores.pair + MIX[2] * scores.sense
    both = words if vectors is None else 0.5 * words + 0.5 * scores.semantic
    units = _largest(both, HEAD_UNITS) if places is None else places[_largest(both[places], HEAD_UNITS)]
    units = units[both[units] > 0]
    if not len(units):
        return none, none
    kernel = side.kernel.among(units)
    by_words = _ridge(kernel, words[units], side, units)
    if vectors is None:
        return by_words, none
    rows = vectors.questions[units]
    return by_words, _ridge(0.5 * kernel + 0.5 * np.maximum(rows @ rows.T, 0), both[units], side, units)


def _ridge(kernel: Floats, near: Floats, side: Side, units: Ints) -> Floats:
    kernel = kernel**2
    kernel[np.diag_indices_from(kernel)] += HEAD_LAMBDA
    share = np.linalg.solve(kernel, near**2)
    return np.bincount(side.owners[units], share, side.articles).astype(np.float32)


def _best_units(side: Side, scores: Floats) -> tuple[Floats, Ints]:
    """The best score of each article and the unit that has it."""
    best = side.best(scores)
    hits = np.flatnonzero(scores >= best[side.owners])[::-1]
    top = np.zeros(side.articles, np.int64)
    top[side.owners[hits]] = hits
    return best, top


def _fuzz(side: Side, asked: Asked, scores: Floats, chosen: Ints) -> Floats:
    """rapidfuzz on the best example question of each article: token set and token sort ratios, 0..1 (never WRatio)."""
    done = np.zeros((len(chosen), 2), np.float32)
    best, top = _best_units(side, scores)
    places = [i for i, a in enumerate(chosen) if best[a] > 0]
    if places:
        text = " ".join(asked.reading.words)
        choices = [side.words[top[chosen[i]]] for i in places]
        done[places, 0] = process.cdist([text], choices, scorer=fuzz.token_set_ratio)[0] / 100
        done[places, 1] = process.cdist([text], choices, scorer=fuzz.token_sort_ratio)[0] / 100
    return done


def _best_passages(side: Side, scores: Floats, chosen: Ints) -> Ints:
    """For each chosen article the number of its passage that fits best, counted within the article."""
    if not len(scores):
        return np.zeros(len(chosen), np.int64)
    best, top = _best_units(side, scores)
    first = np.zeros(side.articles, np.int64)
    first[side.present] = side.first
    return np.where(best[chosen] > 0, top[chosen] - first[chosen], 0)


def known_share(index: Index, asked: Asked) -> float:
    """The share of the question's weight whose words stand anywhere in the base."""
    terms = asked.reading.lemmas[0]
    known = np.zeros(len(terms), bool)
    weights = np.full(len(terms), max(index.questions.word.unknown, index.passages.word.unknown))
    for side in (index.questions, index.passages):
        inside = (terms >= 0) & (terms < len(side.word.idf))
        weights[inside] = np.minimum(weights[inside], side.word.idf[terms[inside]])
        starts, found = side.word.postings.starts, terms[inside]
        known[inside] |= starts[found + 1] > starts[found]
    return float(weights[known].sum() / max(1e-6, float(weights.sum())))
