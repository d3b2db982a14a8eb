"""From which confidence a base answers at once: chosen by what the base's examination shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DEFAULT = 0.82  # of a base that says too little of itself
LOWEST, HIGHEST = 0.70, 0.95
WANTED = 0.93  # share of answers that are to be right
FOREIGN = 0.3  # share of questions that nothing in the base answers, of which the examination knows no number
FEWEST = 20  # examined questions, below which DEFAULT stands
USUAL = 60.0  # examined questions that DEFAULT counts for beside what they say
PRIOR = 100.0  # answers that calibration counts for beside what the examination saw


@dataclass(frozen=True, slots=True)
class AnswerThreshold:
    """The confidence from which is answered, the share of answers expected to be right at it, and how many
    examined questions it rests on (0: it is the usual one).
    """

    value: float = DEFAULT
    precision: float = WANTED
    asked: int = 0


def choose_threshold(
    inside: Sequence[tuple[float, bool]], outside: Sequence[float], *, wanted: float = WANTED
) -> AnswerThreshold:
    """The lowest threshold at which *wanted* of the answers are expected to be right.

    *inside*: confidence, and whether the first article was right, for questions that the base answers;
    *outside*: confidence for questions whose article was taken away. What was seen is shrunk towards what
    confidence itself promises, as if that had been seen in PRIOR answers, and the threshold towards DEFAULT.
    """
    if len(inside) + len(outside) < FEWEST or not inside:
        return AnswerThreshold()
    sure = np.array([c for c, _ in inside] + list(outside))
    right = np.array([r for _, r in inside] + [False] * len(outside), np.float64)
    weight = np.array(
        [(1 - FOREIGN) / len(inside)] * len(inside) + [FOREIGN / max(1, len(outside))] * len(outside)
    ) * len(sure)
    found = HIGHEST
    for value in np.arange(round(100 * LOWEST), round(100 * HIGHEST) + 1) / 100:
        if _precision(value, sure, right, weight) >= wanted:
            found = float(value)
            break
    value = DEFAULT + (found - DEFAULT) * len(sure) / (len(sure) + USUAL)
    return AnswerThreshold(round(value, 3), _precision(value, sure, right, weight), len(sure))


def _precision(value: float, sure: Floats, right: Floats, weight: Floats) -> float:
    """The share of answers from *value* on that are expected to be right; 1 where there would be none."""
    above = sure >= value
    if not above.any():
        return 1.0
    seen = float(weight[above].sum())
    promised = float((weight * sure)[above].sum()) / seen
    return (float((weight * right)[above].sum()) + PRIOR * promised) / (seen + PRIOR)
