"""What the coefficients are worth on a source they have not seen: `python -m training.priors.left_out`.

Each source of bases is left out in turn, networks are fitted on the others (the sentence encoder's matrix,
too), and the source's bases are asked. The recipe is chosen by the means of this table, never by one row.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bot.knowledge.decision.ranking import RankingModel, check_of, confidence, rank
from training.priors.encodings import Encoders, family_of
from training.priors.fit import PAIRED, arguments, encoders_of, exams_of, fit_model
from training.priors.gathering import Exam, gather_all

ANSWER, HANDOFF = 0.82, 0.35  # thresholds of a base that says nothing of itself
MOST = 24  # bases of a source that are asked
BINS = 10
COLUMNS = ("R@1", "R@3", "answered", "precision", "ECE", "scope AUC", "foreign answered", "handed over")


@dataclass(frozen=True)
class Verdict:
    """One question: the place of the right article (-1: nothing answers it, otherwise from 0; 99: not found),
    and both probabilities.
    """

    place: int
    confidence: float
    scope: float


def verdicts(exams: Sequence[Exam], model: RankingModel) -> list[Verdict]:
    """What *model* says to every question of *exams*."""
    found = []
    for exam in exams:
        check = check_of(exam.own_index or exam.index, exam.own, model, exam.barred)
        for case in exam.cases:
            scores = rank(exam.index, case.evidence, model)
            right, covered = confidence(exam.index, case.evidence, scores, model, check)
            place = case.gold
            if place >= 0:
                place = int((scores > scores[place]).sum())
            found.append(Verdict(99 if place == -2 else place, right, covered))
    return found


def figures(found: Sequence[Verdict]) -> tuple[float, ...]:
    """As COLUMNS name them."""
    place, sure, scope = (
        np.array([getattr(v, name) for v in found]) for name in ("place", "confidence", "scope")
    )
    inside, right = place >= 0, place == 0
    answered = (sure >= ANSWER) & (scope >= HANDOFF)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    error = sum(abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)) / len(found)
    foreign = ~inside
    return (
        right[inside].mean(),
        (place[inside] < 3).mean(),
        answered[inside].mean(),
        right[answered].mean() if answered.any() else float("nan"),
        error,
        auc(scope[inside], scope[foreign]),
        answered[foreign].mean() if foreign.any() else float("nan"),
        (scope < HANDOFF)[foreign].mean() if foreign.any() else float("nan"),
    )


def auc(inside: np.ndarray, outside: np.ndarray) -> float:
    """How often something of *inside* is greater than something of *outside*; NaN where one is empty."""
    if not len(inside) or not len(outside):
        return float("nan")
    ranks = np.concatenate((inside, outside)).argsort().argsort()[: len(inside)] + 1
    return float((ranks.sum() - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside)))


def asked_without(encoders: Encoders, kind: str, source: str) -> list[Exam]:
    """Bases of *source* asked with a matrix that has not seen it; kept like the others."""
    kept = encoders.keep / f"{kind}-without-{source}.pickle"
    if kept.exists():
        found: list[Exam] = pickle.loads(kept.read_bytes())
        return found
    bases, encodings = encoders.of(kind, source)
    mine = [b for b in bases if family_of(b.name) == source][:MOST]
    exams = gather_all(mine, encodings)
    kept.write_bytes(pickle.dumps(exams))
    return exams


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--kinds", default=",".join(PAIRED))
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoders = encoders_of(args)
    print(f"{'kind':10}{'source':12}" + "".join(f"{c:>13}" for c in COLUMNS))
    for kind in args.kinds.split(","):
        exams, rows = exams_of(encoders, kind), []
        for source in sorted({e.family for e in exams}):
            start = time.perf_counter()
            others = [e for e in exams if e.family != source]
            model = fit_model(others, paired=kind in PAIRED)
            rows.append(figures(verdicts(asked_without(encoders, kind, source), model)))
            shown = "".join(f"{v:13.3f}" for v in rows[-1])
            print(f"{kind:10}{source:12}{shown}   {time.perf_counter() - start:.0f} s", flush=True)
        print(f"{kind:10}{'mean':12}" + "".join(f"{v:13.3f}" for v in np.nanmean(rows, 0)), flush=True)


if __name__ == "__main__":
    main()
