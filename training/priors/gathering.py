"""Asks every simulated base its questions and keeps what search would have known: the rows that the
coefficients are fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import cast

import numpy as np

from bot.knowledge.decision.ranking import is_bare, rank_inputs
from bot.knowledge.decision.self_check import examine
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.synonyms import read_speech
from bot.knowledge.retrieval.features import SHORTLIST, AnalyzedQuery, Contrast, Evidence, Vectors, gather
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.lexical import Floats
from bot.knowledge.retrieval.semantic import center_of, centred
from training.priors.bases import Base

Encode = Callable[[Sequence[str], bool], Floats]


@dataclass(frozen=True)
class Encoding:
    """What turns a base's texts into vectors, and how they are compared: from column *split* on the common
    part of the base is taken away where *center* says so; *background* are texts that no business answers.
    """

    encode: Encode
    center: bool = False
    split: int = 0
    background: Floats | None = None


@dataclass(frozen=True)
class Case:
    """One question as search saw it.

    `gold` is its place on the short list, -1 out of scope, -2 not on the list.
    """

    evidence: Evidence
    gold: int


@dataclass(frozen=True)
class Exam:
    """A base with its cases; `index` is cut down to what the networks read."""

    name: str
    index: Index
    cases: tuple[Case, ...]
    own: tuple[tuple[Evidence, int], ...] = ()
    own_index: Index | None = None
    barred: tuple[Evidence, ...] = ()

    @property
    def family(self) -> str:
        return "".join(c for c in self.name.split("-")[0] if not c.isdigit())


class _Sizes:
    """How many examples each article has."""

    def __init__(self, sizes: np.ndarray) -> None:
        self.sizes = sizes


class _Slim:
    """What the networks read of an index."""

    def __init__(self, index: Index) -> None:
        self.shape, self.questions = index.shape, _Sizes(index.questions.sizes)


_encodings: list[Encoding | None] = []


def gather_all(bases: Iterable[Base], encodings: Sequence[Encoding | None], workers: int = 2) -> list[Exam]:
    """All bases asked; the encoding of a base's fold turns its texts into vectors (None: words alone)."""
    _encodings[:] = list(encodings)
    with get_context("fork").Pool(workers) as pool:
        return pool.map(gather_one, list(bases), chunksize=2)


def gather_one(base: Base) -> Exam:
    reader = TextAnalyzer(read_speech())
    index = Index(base.articles, reader)
    chosen = _encodings[base.fold % len(_encodings)]
    vectors, asked, known, contrast, split = None, [None] * len(base.questions), None, None, 0
    if chosen is not None:
        encode, split = chosen.encode, chosen.split
        every = encode(list(index.questions.texts + index.passages.texts), False)
        middle = center_of(every[:, split:]) if chosen.center else None

        def known(texts: Sequence[str]) -> Floats:
            return centred(encode(list(texts), False), middle, split)

        vectors = Vectors(known(index.questions.texts), known(index.passages.texts), "training", split)
        asked = list(centred(encode([q for q, _ in base.questions], True), middle, split))
        if chosen.background is not None:
            contrast = Contrast.of(every[:, split:], chosen.background)
    cases = []
    for (text, gold), vector in zip(base.questions, asked, strict=True):
        against = contrast(vector[split:]) if contrast and vector is not None else (0.0, 0.0)
        query = AnalyzedQuery(text, reader.ask(reader.canonical(text)), vector, against)
        evidence = gather(index, query, vectors=vectors)
        cases.append(Case(evidence, _place_of(gold, evidence, index)))
    own = examine(base.articles, reader, known, split=split, contrast=contrast)
    slim, own_slim = cast(Index, _Slim(index)), cast(Index, _Slim(own.index))
    return Exam(base.name, slim, tuple(cases), tuple(own.cases), own_slim, tuple(own.barred))


def _place_of(gold: str | None, evidence: Evidence, index: Index) -> int:
    """Where the right article stands among those found: -1 where there is none, -2 where it was missed."""
    if gold is None:
        return -1
    found = np.flatnonzero(evidence.articles == index.place[gold])
    return int(found[0]) if len(found) else -2


def rank_rows(
    exams: Sequence[Exam], *, bare: bool, paired: bool = False
) -> tuple[Floats, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (N, SHORTLIST, D), mask, gold places and exam numbers of all cases whose base is (not) bare."""
    rows, masks, golds, numbers = [], [], [], []
    for number, exam in enumerate(exams):
        if is_bare(exam.index) != bare:
            continue
        for case in exam.cases:
            found = rank_inputs(exam.index, case.evidence, paired=paired)
            padded = np.zeros((SHORTLIST, found.shape[1]), np.float32)
            padded[: len(found)] = found
            rows.append(padded)
            masks.append(np.arange(SHORTLIST) < len(found))
            golds.append(case.gold)
            numbers.append(number)
    return np.array(rows), np.array(masks), np.array(golds), np.array(numbers)
