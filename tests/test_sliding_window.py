"""How often something happened lately."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sliding_window import SlidingWindow

MOMENTS = st.lists(st.integers(0, 40), max_size=30).map(sorted)


def window(most: int, seconds: float, *moments: float) -> SlidingWindow:
    made = SlidingWindow(most, seconds)
    for moment in moments:
        made.add(moment)
    return made


def test_it_fills_and_empties() -> None:
    """Three in ten seconds: the fourth waits until the first is ten seconds old."""
    counted = window(3, 10, 0, 1)
    assert not counted.is_full(1)

    counted.add(2)

    assert counted.is_full(2) and counted.free_at(2) == 10
    assert counted.is_full(9.9) and not counted.is_full(10)


def test_full_is_not_exceeded() -> None:
    assert not window(3, 10, 0, 1, 2).is_exceeded(2)
    assert window(3, 10, 0, 1, 2, 3).is_exceeded(3)
    assert not window(3, 10, 0, 1, 2, 3).is_exceeded(10)


def test_a_key_counts_once() -> None:
    counted = SlidingWindow(1, 10)
    for _ in range(5):
        counted.add(0, "same")
    assert not counted.is_exceeded(0)

    counted.add(0, "other")

    assert counted.is_exceeded(0)


def test_what_is_under_way_counts_too() -> None:
    counted = window(2, 10, 0)

    assert counted.free_at(5) == 5
    assert counted.free_at(5, [5]) == 10
    assert counted.free_at(5, [5, 6]) == 15


def test_nothing_goes_before_the_newest() -> None:
    assert window(5, 10, 7).free_at(3) == 7


@pytest.mark.parametrize(("most", "seconds"), [(0, 1), (1, 0), (-1, 1)])
def test_a_window_needs_a_size(most: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="window"):
        SlidingWindow(most, seconds)


@given(MOMENTS, st.integers(1, 5), st.integers(1, 9))
def test_it_agrees_with_counting_everything(moments: list[int], most: int, seconds: int) -> None:
    counted, now = window(most, seconds, *moments), max(moments, default=0)
    lately = [m for m in moments if now - m < seconds]

    assert counted.is_full(now) == (len(lately) >= most)
    assert counted.is_exceeded(now) == (len(lately) > most)


@given(MOMENTS, st.integers(1, 5), st.integers(1, 9))
def test_who_waits_until_it_is_free_never_exceeds(wishes: list[int], most: int, seconds: int) -> None:
    counted, went = SlidingWindow(most, seconds), []
    for wish in wishes:
        went.append(at := counted.free_at(wish))
        counted.add(at)

    assert all(later - first >= seconds for first, later in zip(went, went[most:], strict=False))
