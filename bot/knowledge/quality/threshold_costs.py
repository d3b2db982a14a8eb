"""What each answer threshold would cost: measured on questions whose article is known, or expected from the
bot's own confidence in the questions that customers asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.knowledge.quality.evaluation import STEPS, Costs, JudgedCase
from bot.knowledge.quality.turn_log import LoggedTurn, searched

FEWEST = 50  # questions from which a table says anything
EQUAL = 0.005  # a threshold that is cheaper by less is no reason to move
OFFERED = 3  # options of a clarification
_ALL = tuple(round(n / 100, 2) for n in range(5, 100))


@dataclass(frozen=True, slots=True)
class ThresholdCase:
    """A question as a threshold meets it: how sure the bot was of its article and of its topic, how likely
    the article is `right`, and how likely the right one is `offered` among the options; 0 or 1 where known.
    """

    confidence: float
    scope: float
    right: float
    offered: float
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ThresholdCost:
    """What would happen with this threshold, in shares of all questions, and the cost of one on average.

    `right` and `wrong` are of all questions, too: together they are `answered`.
    """

    threshold: float
    answered: float
    right: float
    wrong: float
    asked: float
    handed_over: float
    cost: float


@dataclass(frozen=True, slots=True)
class CostTable:
    """Thresholds side by side: that of `now` and the cheapest stand among the `rows`.

    `measured` tells whether it was counted on known articles or expected from confidence.
    """

    questions: int
    measured: bool
    rows: tuple[ThresholdCost, ...]
    now: ThresholdCost
    cheapest: ThresholdCost


def measured_cases(judged: Iterable[JudgedCase]) -> tuple[ThresholdCase, ...]:
    """Questions with their known articles."""
    return tuple(
        ThresholdCase(j.confidence, j.scope, float(j.right), float(1 <= j.place <= OFFERED)) for j in judged
    )


def expected_cases(turns: Iterable[LoggedTurn]) -> tuple[ThresholdCase, ...]:
    """The customers' questions as the bot judged them when they were asked; what an operator had in hand, and
    what went on with an older topic, is left out.
    """
    return tuple(
        case
        for turn in turns
        if searched(turn) and turn.dialog != "relay" and not turn.why.get("followed")
        for case in (_expected(turn.why, turn.at),)
        if case is not None
    )


def _expected(why: Mapping[str, object], at: datetime) -> ThresholdCase | None:
    confidence, scope, rows = why.get("confidence"), why.get("scope"), why.get("candidates")
    if not isinstance(confidence, int | float) or not isinstance(scope, int | float):
        return None
    scores = [
        float(row.get("score") or 0.0)
        for row in (rows if isinstance(rows, list | tuple) else ())
        if isinstance(row, Mapping)
    ]
    offered = max(float(confidence), min(1.0, sum(scores[:OFFERED])))
    return ThresholdCase(float(confidence), float(scope), float(confidence), offered, at)


def cost_at(cases: Sequence[ThresholdCase], threshold: float, handoff: float, costs: Costs) -> ThresholdCost:
    """What this threshold would do. A clarification that does not offer the right article ends with a
    person.
    """
    covered = [c for c in cases if c.scope >= handoff]
    answered = [c for c in covered if c.confidence >= threshold]
    asked = [c for c in covered if c.confidence < threshold]
    right = sum(c.right for c in answered)
    wrong = len(answered) - right
    handed = len(cases) - len(covered)
    in_vain = sum(1 - c.offered for c in asked)
    total = wrong * costs.wrong + (handed + in_vain) * costs.handoff + len(asked) * costs.clarify
    n = max(1, len(cases))
    return ThresholdCost(
        threshold, len(answered) / n, right / n, wrong / n, len(asked) / n, handed / n, total / n
    )


def cost_table(
    cases: Sequence[ThresholdCase], *, now: float, handoff: float, costs: Costs, measured: bool
) -> CostTable:
    """The thresholds side by side; of equally cheap ones that of now is the cheapest, else the higher."""
    present = cost_at(cases, round(now, 2), handoff, costs)
    cheapest = min(
        (cost_at(cases, t, handoff, costs) for t in _ALL), key=lambda c: (round(c.cost, 6), -c.threshold)
    )
    if present.cost <= cheapest.cost * (1 + EQUAL):
        cheapest = present
    shown = sorted({*STEPS[3:], round(now, 2), cheapest.threshold})
    return CostTable(
        len(cases),
        measured,
        tuple(cost_at(cases, t, handoff, costs) for t in shown),
        present,
        cheapest,
    )
