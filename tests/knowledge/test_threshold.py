"""From which confidence a base answers: what its examination shows, shrunk towards what is promised."""

from __future__ import annotations

from bot.knowledge.decision.threshold import DEFAULT, HIGHEST, LOWEST, choose_threshold


def sure(confidence: float, right: bool, times: int) -> list[tuple[float, bool]]:
    return [(confidence, right)] * times


def test_a_base_that_says_too_little_keeps_the_usual_one() -> None:
    """Few questions, or none that the base answers, are no reason to move."""
    assert choose_threshold(sure(0.9, True, 10), [0.1] * 5).value == DEFAULT
    assert choose_threshold([], [0.1] * 60).value == DEFAULT


def test_a_base_that_is_right_even_when_unsure_answers_earlier() -> None:
    """Everything above .7 is right and nothing foreign comes so far: the threshold goes down to it."""
    found = choose_threshold(sure(0.95, True, 40) + sure(0.75, True, 20), [0.2] * 60)

    assert LOWEST <= found.value < 0.76 and found.asked == 120 and found.precision >= 0.93


def test_a_base_of_near_misses_answers_later() -> None:
    """Foreign questions that look as sure as answered ones push the threshold above them."""
    found = choose_threshold(sure(0.94, True, 40) + sure(0.85, True, 20), [0.85] * 30 + [0.1] * 30)

    assert DEFAULT < found.value <= 0.86


def test_where_no_threshold_is_right_enough_the_highest_stands() -> None:
    """A base that mixes everything up answers next to nothing at once."""
    assert 0.9 < choose_threshold(sure(0.95, False, 60), [0.95] * 60).value < HIGHEST


def test_few_answers_are_not_believed_alone() -> None:
    """Two wrong answers out of five weigh less than what confidence promises in thirty."""
    few = choose_threshold(sure(0.97, True, 18) + sure(0.97, False, 1), [0.1] * 10)
    many = choose_threshold(sure(0.97, True, 180) + sure(0.97, False, 10), [0.1] * 100)

    assert abs(few.value - DEFAULT) < abs(many.value - DEFAULT) and few.precision < 0.97
