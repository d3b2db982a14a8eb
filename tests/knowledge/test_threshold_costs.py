"""What a threshold costs is what a person with pencil and paper would find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.quality.evaluation import Costs, EvaluationCase, JudgedCase, point
from bot.knowledge.quality.threshold_costs import (
    ThresholdCase,
    cost_at,
    cost_table,
    expected_cases,
    measured_cases,
)
from bot.model import Decision

AT = datetime(2026, 11, 20, tzinfo=UTC)
COSTS = Costs(wrong=10, handoff=3, clarify=1)
SET = (
    ThresholdCase(0.9, 0.9, 0.9, 1.0),
    ThresholdCase(0.6, 0.9, 0.6, 0.8),
    ThresholdCase(0.2, 0.1, 0.2, 0.5),
    ThresholdCase(0.4, 0.9, 0.4, 0.7),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as kept."""

    why: Mapping[str, object]
    text: str = "где заказ"
    dialog: str = "faq"
    id: int = 1
    conversation: int = 1
    at: datetime = AT
    result: str = "answered"
    reason: str = ""


def test_expected_shares_and_cost() -> None:
    """At .5 two are answered (1.5 of them right), one is asked, one handed over."""
    found = cost_at(SET, 0.5, 0.35, COSTS)

    assert (found.answered, found.asked, found.handed_over) == (0.5, 0.25, 0.25)
    assert found.right == pytest.approx(1.5 / 4) and found.wrong == pytest.approx(0.5 / 4)
    assert found.cost == pytest.approx((0.5 * 10 + (1 + 0.3) * 3 + 1) / 4)


def test_the_cheapest_and_the_present_one_stand_in_the_table() -> None:
    """Dear mistakes raise the threshold, dear people lower it; where nothing is gained, that of now stays."""
    careful = cost_table(SET, now=0.82, handoff=0.35, costs=Costs(100, 1, 1), measured=False)
    bold = cost_table(SET, now=0.82, handoff=0.35, costs=Costs(1, 10, 10), measured=False)

    assert careful.cheapest.threshold == 0.99 and bold.cheapest.threshold <= 0.4
    assert {0.82, careful.cheapest.threshold} <= {r.threshold for r in careful.rows}
    same = cost_table(SET, now=0.82, handoff=0.35, costs=COSTS, measured=False)
    assert same.cheapest == same.now
    assert careful.now.threshold == 0.82 and not careful.measured and careful.questions == 4


def test_measured_cases_cost_what_the_evaluation_says() -> None:
    """Where articles are known, both tables agree."""
    judged = [
        JudgedCase(EvaluationCase("q", "a"), place, Decision.ANSWER, sure, scope)
        for place, sure, scope in ((1, 0.9, 0.9), (0, 0.8, 0.9), (2, 0.5, 0.9), (0, 0.3, 0.1))
    ]

    for threshold in (0.2, 0.6, 0.85, 0.95):
        old = point(judged, threshold, 0.35, COSTS)
        new = cost_at(measured_cases(judged), threshold, 0.35, COSTS)
        assert new.cost == pytest.approx(old.cost)
        assert (4 * new.answered, 4 * new.wrong) == pytest.approx((old.answered, old.wrong))


def test_customers_questions_are_read_from_what_was_kept() -> None:
    """Confidence, scope and what the options would have held; nothing of operators' talks, of follow-ups or
    of records without numbers.
    """
    rows = [{"article": a, "score": s} for a, s in (("a", 0.5), ("b", 0.3), ("c", 0.1), ("d", 0.1))]
    why: Mapping[str, object] = {"confidence": 0.5, "scope": 0.8, "candidates": rows}
    turns = (
        Turn(why),
        Turn(why, dialog="relay"),
        Turn({**why, "followed": True}),
        Turn({"candidates": rows}),
        Turn({**why, "confidence": "sure"}),
        Turn(why, text=""),
        Turn({}),
    )

    (case,) = expected_cases(turns)
    assert (case.confidence, case.scope, case.right, case.at) == (0.5, 0.8, 0.5, AT)
    assert case.offered == pytest.approx(0.9)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60), st.floats(0, 1))
def test_shares_add_up(numbers: list[tuple[float, float]], threshold: float) -> None:
    """Whatever was asked: every question is answered, asked back or handed over, and no share is negative."""
    cases = [ThresholdCase(c, s, c, max(c, 0.5)) for c, s in numbers]
    found = cost_at(cases, threshold, 0.35, COSTS)

    assert found.answered + found.asked + found.handed_over == pytest.approx(1.0 if cases else 0.0)
    assert found.right + found.wrong == pytest.approx(found.answered)
    assert min(found.right, found.wrong, found.cost) >= -1e-9
