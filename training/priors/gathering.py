"""Asks every simulated base its questions and keeps what search would have known: the rows that the
coefficients are fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from bot.knowledge.decision.ranking import is_bare, rank_inputs
from bot.knowledge.decision.self_check import examine
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.synonyms import read_speech
from bot.knowledge.retrieval.features import SHORTLIST, AnalyzedQuery, Evidence, Vectors, gather
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.lexical import Floats
from bot.knowledge.retrieval.semantic import center_of, centred
from training.priors.bases import Base

Encode = Callable[[Sequence[str], bool], Floats]


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


_encoders: list[tuple[Encode, bool] | None] = []
_split: list[int] = [0]


def gather_all(
    bases: Iterable[Base],
    encoders: Sequence[tuple[Encode, bool] | None],
    workers: int = 2,
    *,
    split: int = 0,
) -> list[Exam]:
    """All bases asked; the encoder of a base's fold turns its texts into vectors (None: words alone); True =
    to be centred, from column *split* on.
    """
    _encoders[:] = list(encoders)
    _split[0] = split
    with get_context("fork").Pool(workers) as pool:
        return pool.map(gather_one, list(bases), chunksize=2)


def gather_one(base: Base) -> Exam:
    reader = TextAnalyzer(read_speech())
    index = Index(base.articles, reader)
    chosen = _encoders[base.fold % len(_encoders)]
    vectors, asked, known = None, [None] * len(base.questions), None
    if chosen is not None:
        encode, center = chosen
        split = _split[0]
        every = list(index.questions.texts + index.passages.texts)
        middle = center_of(encode(every, False)[:, split:]) if center else None

        def known(texts: Sequence[str]) -> Floats:
            return centred(encode(list(texts), False), middle, split)

        vectors = Vectors(known(index.questions.texts), known(index.passages.texts), "training", split)
        asked = list(centred(encode([q for q, _ in base.questions], True), middle, split))
    cases = []
    for (text, gold), vector in zip(base.questions, asked, strict=True):
        evidence = gather(
            index, AnalyzedQuery(text, reader.ask(reader.canonical(text)), vector), vectors=vectors
        )
        cases.append(Case(evidence, _place_of(gold, evidence, index)))
    own_index, own = examine(base.articles, reader, known, split=_split[0])
    return Exam(base.name, _Slim(index), tuple(cases), tuple(own), _Slim(own_index))  # type: ignore[arg-type]


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
