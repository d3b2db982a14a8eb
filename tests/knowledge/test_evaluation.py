"""What is measured is what a person with pencil and paper would find."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.knowledge.quality.evaluation import (
    Costs,
    EvaluationCase,
    JudgedCase,
    advise,
    judge_cases,
    measure,
    point,
    read_cases,
)
from bot.model import Answer, Candidate, Decision, Intent


def judged(
    place: int,
    confidence: float,
    *,
    scope: float = 0.9,
    decision: Decision = Decision.CLARIFY,
    article: str = "a",
) -> JudgedCase:
    return JudgedCase(EvaluationCase("q", article), place, decision, confidence, scope)


ANSWER, HANDOFF = Decision.ANSWER, Decision.HANDOFF
SET = (
    judged(1, 0.95, decision=ANSWER),
    judged(1, 0.95, decision=ANSWER),
    judged(2, 0.85, decision=ANSWER),
    judged(3, 0.55),
    judged(0, 0.35),
    judged(1, 0.35, scope=0.1, decision=HANDOFF),
    judged(0, 0.15, scope=0.1, decision=HANDOFF, article=""),
    judged(0, 0.95, decision=ANSWER, article=""),
)


def test_the_figures_are_those_of_pencil_and_paper() -> None:
    """Recall over known questions, precision over answers, coverage of known questions, strangers apart."""
    report = measure(SET, handoff=0.4)

    assert (report.questions, report.in_scope, report.strangers) == (8, 6, 2)
    assert (report.recall1, report.recall3) == (3 / 6, 5 / 6)
    assert (report.answered, report.precision, report.coverage, report.offered) == (4, 2 / 4, 2 / 6, 3 / 6)
    assert (report.strangers_answered, report.strangers_handed) == (1, 1)
    assert len(report.wrong) == 2


def test_calibration_is_the_mean_distance_by_tenths() -> None:
    """0.95 three times with two right, 0.85 wrong, 0.55 wrong, 0.35 half right, 0.15 wrong."""
    report = measure(SET, handoff=0.4)

    expected = (abs(0.95 - 2 / 3) * 3 + 0.85 + 0.55 + abs(0.35 - 0.5) * 2 + 0.15) / 8
    assert report.ece == pytest.approx(expected)
    assert [count for _, _, count in report.bins] == [1, 2, 1, 1, 3]
    assert measure((), handoff=0.4).ece == 0


def test_a_threshold_has_its_price() -> None:
    """Two wrong answers at 0.8; the clarification that offers nothing right ends with a person."""
    found = point(SET, 0.8, 0.4, Costs(wrong=10, handoff=3, clarify=1))

    assert (found.answered, found.wrong, found.clarified, found.handed_over) == (4, 2, 2, 2)
    assert found.cost == pytest.approx((2 * 10 + (2 + 1) * 3 + 2 * 1) / 8)


def test_advice_reaches_the_wanted_precision_with_the_most_answers() -> None:
    """The lowest threshold from which on every answer set is right often enough; where none is, it says
    so.
    """
    good = [judged(1, 0.9)] * 9 + [judged(2, 0.6)] * 3 + [judged(1, 0.7)] * 2
    found = advise(good, precision=0.95, handoff=0.4)
    never = advise([judged(2, 0.9)] * 5, precision=0.95, handoff=0.4)

    assert (found.answer, found.precision, found.reached, found.scope) == (0.61, 1.0, True, None)
    assert not never.reached and never.precision == 0
    dear = advise(good, precision=0.95, handoff=0.4, costs=Costs(wrong=100, handoff=0, clarify=0))
    assert dear.cheapest > 0.6


def test_a_scope_is_advised_only_where_strangers_are_many() -> None:
    """95 % of the known questions stay."""
    known = [judged(1, 0.9, scope=n / 100) for n in range(1, 101)]
    few, many = ([judged(0, 0.1, scope=0.05, article="")] * n for n in (9, 10))

    assert advise([*known, *few], precision=0.9, handoff=0.4).scope is None
    assert advise([*known, *many], precision=0.9, handoff=0.4).scope == pytest.approx(0.06)


def test_twins_count_and_small_talk_does_not() -> None:
    """The article in the other language is the same answer; acts are not the articles' doing."""

    def ask(case: EvaluationCase) -> Answer:
        act = Intent.THANKS if case.question == "спасибо" else Intent.QUESTION
        return Answer(ANSWER, (Candidate("x", "X", 0.9), Candidate("a.en", "A", 0.5)), 0.9, 0.9, act)

    found = judge_cases(
        [EvaluationCase("q", "a"), EvaluationCase("спасибо"), EvaluationCase("q", "x"), EvaluationCase("q")],
        ask,
        {"a.en": "a"},
    )

    assert [j.place for j in found] == [2, 1, 0]


def test_questions_come_from_yaml_jsonl_and_csv(tmp_path: Path) -> None:
    """The same questions in three forms; semicolons of a spreadsheet too."""
    forms = {
        "a.yaml": "- {q: раз, article: x}\n- {q: два, decision: handoff}\n- {q: три, decision: clarify}\n",
        "a.jsonl": '{"query": "раз", "label": "x"}\n\n{"text": "два", "label": null}\n',
        "a.csv": "q;article\nраз;x\nдва;\n",
        "b.csv": "\ufeffquestion,article\nраз,x\nдва,\n",
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read_cases(tmp_path / name) == (EvaluationCase("раз", "x"), EvaluationCase("два")), name


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.jsonl", '{"q": "раз"}\nне json\n', 2),
        ("a.jsonl", '{"article": "x"}\n', 1),
        ("a.csv", "article\nx\n", 2),
    ],
)
def test_a_file_that_makes_no_sense_is_told_with_its_line(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    """Before anything is asked."""
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_cases(tmp_path / name)
    assert caught.value.problems[0].line == line
