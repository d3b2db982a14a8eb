"""Lays what was trained over the navec vectors: one row for each word form, and a table of pieces for words
nobody listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

from bot.knowledge.encoder.base import Heard
from bot.knowledge.encoder.navec import WordVectors
from bot.knowledge.encoder.text import BUCKETS, keys_of, lemma_of, pieces_of
from bot.knowledge.encoder.text import ENGLISH as MARK
from bot.knowledge.query.words import words_of

Floats = npt.NDArray[np.float32]

FORMS = 80_000  # of navec's 250,000 word forms the most frequent; the others are reached through their lemma
RARITY = 1e-3  # the a of SIF weights a / (a + p)
PIECE_WORDS = 40_000  # the words from which the table of pieces is learnt
PIECE_ROUNDS = 12
PIECE_RIDGE = 0.3
ENGLISH = "encoder_en.npz"
LAYOUT = 2  # grows when rows are built or stored differently, so that old caches are not read


@dataclass(frozen=True, slots=True)
class RowVocabulary:
    """Word forms with what is known of them before training: `base` (n, 300), the number of its lemma, the
    lemma's rarity.
    """

    forms: tuple[str, ...]
    base: Floats
    lemma: npt.NDArray[np.int64]
    lemmas: tuple[str, ...]
    rarity: Floats


@dataclass(frozen=True, slots=True)
class TrainedRows:
    """What training found: `projection` (300, d), and for some lemmas a `shift` (m, d) and an `emphasis`
    (m,), e-fold.
    """

    projection: Floats
    lemmas: tuple[str, ...]
    shift: Floats
    emphasis: Floats
    version: str


@dataclass(frozen=True, slots=True)
class EnglishRows:
    """English words with a row each (n, d)."""

    words: tuple[str, ...]
    rows: Floats
    version: str = ""


@dataclass(frozen=True, slots=True)
class RowTable:
    """Rows ready to be summed: int8 rows with a scale each, found by sorted 64-bit keys; then BUCKETS rows of
    Russian pieces and as many of English.
    """

    keys: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int8]
    scales: Floats


def vocabulary_of(vectors: WordVectors, extra: Iterable[str] = (), forms: int = FORMS) -> RowVocabulary:
    """The most frequent *forms* of navec and all of *extra* that navec or a lemma of theirs can give a vector
    for.

    A form's base is half its own vector and half its lemma's: inflections of one word stay close.
    """
    number: dict[str, int] = {}
    for i, word in enumerate(vectors.words):
        number.setdefault(word.replace("ё", "е"), i)
    known = [
        w
        for i in np.argsort(-vectors.counts, kind="stable")
        if words_of(w := vectors.words[i].replace("ё", "е")) == [w]
    ]
    chosen = dict.fromkeys(known[:forms])
    chosen.update(dict.fromkeys(w for e in extra for w in (e, lemma_of(e))))
    named = [(w, lemma) for w in chosen if (lemma := lemma_of(w)) in number or w in number]
    lemmas = tuple(dict.fromkeys(lemma for _, lemma in named))
    place = {lemma: i for i, lemma in enumerate(lemmas)}
    own = np.array([number.get(w, number.get(lemma, 0)) for w, lemma in named], np.int64)
    parent = np.array([number.get(lemma, number.get(w, 0)) for w, lemma in named], np.int64)
    owner = np.array([place[lemma] for _, lemma in named], np.int64)
    counts = np.zeros(len(lemmas))
    listed = np.array([w in number for w, _ in named])
    np.add.at(counts, owner[listed], vectors.counts[own[listed]])
    rarity = RARITY / (RARITY + counts / vectors.counts.sum())
    base = 0.5 * vectors.rows(own) + 0.5 * vectors.rows(parent)
    return RowVocabulary(tuple(w for w, _ in named), base, owner, lemmas, rarity.astype(np.float32))


def lay(vocabulary: RowVocabulary, trained: TrainedRows) -> Floats:
    """The trained row of each form of *vocabulary*: emphasis · rarity · (base · projection + shift), (n,
    d).
    """
    at = {lemma: i for i, lemma in enumerate(trained.lemmas)}
    where = np.array([at.get(lemma, -1) for lemma in vocabulary.lemmas])
    shift = np.where((where >= 0)[:, None], trained.shift[where], 0)
    weight = vocabulary.rarity * np.exp(np.where(where >= 0, trained.emphasis[where], 0))
    rows = vocabulary.base @ trained.projection + shift[vocabulary.lemma]
    return np.asarray(rows * weight[vocabulary.lemma][:, None], np.float32)


def learn_pieces(words: Sequence[str], rows: Floats, rounds: int = PIECE_ROUNDS) -> Floats:
    """Rows for the buckets such that the mean over a word's pieces is near its row: ridge regression by
    conjugate gradients.

    The words are of one script."""
    pieces = [[p % BUCKETS for p in pieces_of(w)] for w in words]
    lengths = np.array([len(p) for p in pieces])
    columns = np.array([b for p in pieces for b in p], np.int32)
    values = np.repeat(1.0 / np.maximum(lengths, 1), lengths).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    matrix = scipy.sparse.csr_matrix((values, columns, starts), shape=(len(words), BUCKETS))
    matrix.sum_duplicates()
    turned = matrix.T.tocsr()
    ridge = PIECE_RIDGE * float(turned.multiply(turned).sum()) / BUCKETS
    table = np.zeros((BUCKETS, rows.shape[1]), np.float32)
    rest = np.asarray(turned @ rows, np.float32)
    step, size = rest.copy(), (rest * rest).sum(0)
    for _ in range(rounds):
        image = turned @ (matrix @ step) + ridge * step
        length = size / np.maximum((step * image).sum(0), 1e-12)
        table += length * step
        rest -= length * image
        size, old = (rest * rest).sum(0), size
        step = rest + size / np.maximum(old, 1e-12) * step
    return table


def build(
    vectors: WordVectors, trained: TrainedRows, english: EnglishRows, heard: Heard = lambda _: None
) -> RowTable:
    """Rows for everything: takes about half a minute, most of it finding lemmas and learning the pieces."""
    heard(0)
    vocabulary = vocabulary_of(vectors, trained.lemmas)
    heard(0.3)
    rows = lay(vocabulary, trained)
    cyrillic = [i for i, w in enumerate(vocabulary.forms) if len(w) > 3 and pieces_of(w)][:PIECE_WORDS]
    pieces = learn_pieces([vocabulary.forms[i] for i in cyrillic], rows[cyrillic])
    heard(0.6)
    words, foreign = [MARK + w for w in english.words], english.rows
    long = [i for i, w in enumerate(english.words) if len(w) > 3]
    english_pieces = learn_pieces([words[i] for i in long], foreign[long])
    heard(0.9)
    keys = keys_of([*vocabulary.forms, *words])
    order = np.argsort(keys)
    packed, scales = pack(np.concatenate([rows, foreign, pieces, english_pieces]))
    return RowTable(keys[order], order.astype(np.int32), packed, scales)


def pack(rows: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows as int8 with a scale each."""
    scales = np.maximum(np.abs(rows).max(1), 1e-12).astype(np.float32) / 127
    return np.round(rows / scales[:, None]).astype(np.int8), scales


def save_trained(path: Path, trained: TrainedRows) -> None:
    """Writes the part that ships: the projection as float16, the shifts as int8."""
    shift, scales = pack(trained.shift)
    words = np.frombuffer("\n".join(trained.lemmas).encode(), np.uint8)
    np.savez_compressed(
        path,
        projection=trained.projection.astype(np.float16),
        lemmas=words,
        shift=shift,
        scales=scales.astype(np.float16),
        emphasis=trained.emphasis.astype(np.float16),
    )


def save_english(path: Path, words: Sequence[str], rows: Floats) -> None:
    """Writes English words with their rows, as int8."""
    packed, scales = pack(rows)
    np.savez_compressed(
        path,
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        rows=packed,
        scales=scales.astype(np.float16),
    )


def read_english(path: Path) -> EnglishRows:
    """Reads what `save_english` wrote; `version` is a digest of the file."""
    with np.load(path) as data:
        words = tuple(data["words"].tobytes().decode().split("\n"))
        rows = data["rows"].astype(np.float32) * data["scales"].astype(np.float32)[:, None]
    return EnglishRows(words, rows, hashlib.blake2b(path.read_bytes(), digest_size=4).hexdigest())


def read_trained(path: Path) -> TrainedRows:
    """Reads what `save_trained` wrote; `version` is a digest of the file, so that another training has
    another one.
    """
    with np.load(path) as data:
        parts: Mapping[str, npt.NDArray[np.generic]] = {name: data[name] for name in data.files}
    shift = parts["shift"].astype(np.float32) * parts["scales"].astype(np.float32)[:, None]
    lemmas = tuple(parts["lemmas"].tobytes().decode().split("\n"))
    version = hashlib.blake2b(path.read_bytes(), digest_size=4).hexdigest()
    return TrainedRows(
        parts["projection"].astype(np.float32),
        lemmas,
        shift,
        parts["emphasis"].astype(np.float32),
        f"{LAYOUT}-{version}",
    )
