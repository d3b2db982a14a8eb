"""From features to an order and to two probabilities: small networks whose coefficients ship, fitted by
`training/priors`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.knowledge.retrieval.features import ALL_FEATURES, FEATURES, Evidence
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.lexical import Floats

COEFFICIENTS = Path(__file__).parents[1] / "data" / "coefficients.npz"
FEWEST_ASKED, FEWEST_BARRED = 10, 6  # fewer say nothing of a base
CLIP = 5.0  # standard deviations: nothing counts for more
BARE = 0.3  # log1p of examples an article: below it passages alone are searched, with weights of their own
_BARE_COLUMNS = [
    FEATURES.index(n)
    for n in (
        "body_char",
        "body_word",
        "body_pair",
        "body_meaning",
        "body_semantic",
        "char",
        "word",
        "meaning",
        "bag_char",
        "semantic",
        "fuzz_set",
    )
]
_BARE_SENTENCE = [ALL_FEATURES.index("body_sentence"), ALL_FEATURES.index("sentence")]


@dataclass(frozen=True, slots=True)
class RankingNetwork:
    """A linear layer plus one hidden layer, several of them averaged: shapes (E, D), (E,), (E, D, H), (E, H),
    (E, H).
    """

    mean: Floats
    spread: Floats
    linear: Floats
    bias: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats

    def __call__(self, rows: Floats) -> Floats:
        """One number a row (n, D) -> (n,): the mean over the networks."""
        x = np.clip((rows - self.mean) / self.spread, -CLIP, CLIP)
        deep = np.tanh((x @ self.hidden) + self.hidden_bias[:, None, :])
        each = (x @ self.linear.T).T + self.bias[:, None] + (deep * self.out[:, None, :]).sum(2)
        return np.asarray(each.mean(0), np.float32)


@dataclass(frozen=True, slots=True)
class RankingModel:
    """All coefficients for one kind of search: by words, with our own embeddings, with a sentence encoder."""

    rank: RankingNetwork
    rank_bare: RankingNetwork
    right: RankingNetwork
    covered: RankingNetwork
    right_bare: RankingNetwork
    covered_bare: RankingNetwork

    @property
    def paired(self) -> bool:
        """Whether it was fitted with a sentence encoder beside our own."""
        return len(self.rank_bare.mean) == 3 * (len(_BARE_COLUMNS) + len(_BARE_SENTENCE))


PARTS = ("rank", "rank_bare", "right", "covered", "right_bare", "covered_bare")


@functools.cache
def read_models(path: Path = COEFFICIENTS) -> Mapping[str, RankingModel]:
    """The shipped coefficients by kind: words, own, sentence."""
    with np.load(path, allow_pickle=False) as data:
        kinds = sorted({key.split(".")[0] for key in data.files})
        return {k: RankingModel(*(_network(data, f"{k}.{part}") for part in PARTS)) for k in kinds}


def _network(data: Mapping[str, np.ndarray], name: str) -> RankingNetwork:
    return RankingNetwork(
        **{
            f: np.asarray(data[f"{name}.{f}"], np.float32)
            for f in ("mean", "spread", "linear", "bias", "hidden", "hidden_bias", "out")
        }
    )


def is_bare(index: Index) -> bool:
    """Whether the articles have next to no example questions, so that their texts decide."""
    return bool(index.shape[1] < BARE)


def rank_inputs(index: Index, evidence: Evidence, *, paired: bool = False) -> Floats:
    """What the ranking network sees of each candidate: features, features over the best of the list, its
    examples, the base's shape. *paired*: with the features of a sentence encoder beside ours.
    """
    table = evidence.table
    bare = is_bare(index)
    columns = (
        _BARE_COLUMNS + _BARE_SENTENCE * paired if bare else range(len(ALL_FEATURES if paired else FEATURES))
    )
    table = table[:, list(columns)]
    over = table / np.maximum(table.max(0, initial=0), 1e-6)
    n = len(table)
    if bare:
        return np.concatenate((table, over, table.max(0, initial=0) - table), 1)
    examples = np.log1p(index.questions.sizes[evidence.articles])[:, None]
    return np.concatenate(
        (table, over, examples, np.broadcast_to(index.shape, (n, len(index.shape)))), 1
    ).astype(np.float32)


def rank(index: Index, evidence: Evidence, model: RankingModel) -> Floats:
    """The score of each candidate, in the order of the evidence."""
    if not len(evidence.articles):
        return np.zeros(0, np.float32)
    network = model.rank_bare if is_bare(index) else model.rank
    return network(rank_inputs(index, evidence, paired=model.paired))


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """How a base fares when each of some examples asks for its own article without being there: the share
    found first, the belief that the ranking had in what it found, and how many asked (0: there were too few
    examples to ask). `outside` is the mean score of what comes first when the right article is taken away,
    `barred` how many were asked so: it tells what a near miss looks like in this base.
    """

    accuracy: float = 0.0
    belief: float = 0.0
    asked: int = 0
    outside: float = 0.0
    barred: int = 0

    def inputs(self, top: float) -> tuple[float, float, float, float, float]:
        """As the confidence networks see it, for a question whose first candidate has the score *top*."""
        mine = 0.0, 0.0, 0.0
        if self.asked:
            mine = self.accuracy - self.belief, self.accuracy, float(np.log1p(self.asked))
        return (*mine, *((top - self.outside, float(np.log1p(self.barred))) if self.barred else (0.0, 0.0)))


def check_of(
    index: Index,
    cases: Sequence[tuple[Evidence, int]],
    model: RankingModel,
    barred: Sequence[Evidence] = (),
) -> SelfCheck:
    """The self-check of a base whose examples were asked; each case is the evidence and the number of the
    right article, *barred* is the evidence for questions whose article was taken away.
    """
    found, belief = [], []
    tops = [float(scores.max()) for e in barred if len(scores := rank(index, e, model))]
    for evidence, gold in cases:
        scores = rank(index, evidence, model)
        if len(scores):
            best = int(scores.argmax())
            found.append(int(evidence.articles[best]) == gold)
            belief.append(float(chances(scores)[best]))
    outside = (float(np.mean(tops)), len(tops)) if len(tops) >= FEWEST_BARRED else (0.0, 0)
    if len(found) < FEWEST_ASKED:
        return SelfCheck(0.0, 0.0, 0, *outside)
    return SelfCheck(float(np.mean(found)), float(np.mean(belief)), len(found), *outside)


def chances(scores: Floats) -> Floats:
    """Softmax of the scores: the share of belief that each candidate has."""
    if not len(scores):
        return scores
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float32)


def confidence_inputs(
    index: Index, evidence: Evidence, scores: Floats, check: SelfCheck, *, paired: bool = False
) -> Floats:
    """What the confidence networks see of a ranked question: how far the winner is ahead, in what, and how
    well it is covered at all.
    """
    order = np.argsort(-scores, kind="stable")
    share = chances(scores)
    first = order[0]
    second = share[order[1]] if len(order) > 1 else 0.0
    gap = scores[first] - scores[order[1]] if len(order) > 1 else 15.0
    table = evidence.table if paired else evidence.table[:, : len(FEATURES)]
    others = np.delete(table, first, 0).max(0, initial=0)
    top = table[first]
    entropy = float(-(share * np.log(share + 1e-9)).sum())
    lead = scores[first] - scores[order[:5]].mean()
    head = (
        np.log(share[first] + 1e-4),
        np.log(1 - share[first] + 1e-3),
        np.log(second + 1e-4),
        entropy,
        np.clip(scores[first], -10, 30),
        np.clip(gap, 0, 15),
        np.clip(lead, 0, 15),
        ((top >= others) & (top > 0)).mean(),
        np.log1p(index.questions.sizes[evidence.articles[first]]),
        evidence.known,
        np.log1p(evidence.words),
        evidence.similar,
        *((evidence.similar_sentence, *evidence.contrast) if paired else ()),
        *check.inputs(float(np.clip(scores[first], -10, 30))),
    )
    return np.concatenate(
        (np.array(head, np.float32), top, top - others, np.maximum(top, others), index.shape)
    ).astype(np.float32)


def confidence(
    index: Index, evidence: Evidence, scores: Floats, model: RankingModel, check: SelfCheck
) -> tuple[float, float]:
    """The probability that the first candidate is right, and the probability that anything in the base
    answers.
    """
    if not len(scores):
        return 0.0, 0.0
    inputs = confidence_inputs(index, evidence, scores, check, paired=model.paired)[None]
    bare = is_bare(index)
    right = float((model.right_bare if bare else model.right)(inputs)[0])
    covered = float((model.covered_bare if bare else model.covered)(inputs)[0])
    return 1 / (1 + float(np.exp(-right))), 1 / (1 + float(np.exp(-covered)))
