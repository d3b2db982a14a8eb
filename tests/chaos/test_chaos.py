"""Days of the whole service with deaths in them: the laws hold, the runs repeat, and planted bugs are
seen.
"""

from __future__ import annotations

import pytest

from bot.observability import set_up_logging
from tests.chaos.crash_points import run_day
from tests.chaos.simulation import run_seed


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Mishaps are what these runs are made of: the log would tell of hundreds."""
    set_up_logging(level="critical")


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_random_day_keeps_the_laws(seed: int) -> None:
    """Two channels, restless people, a bad network and deaths at random: I1 to I8 hold in the end."""
    run = run_seed(seed, deeds=25)

    assert run.broken == [], run.command
    assert run.calls and run.updates


def test_the_same_seed_is_the_same_day() -> None:
    """A failing seed can be looked at again: the same calls at the same times."""
    assert run_seed(3, deeds=12).trace == run_seed(3, deeds=12).trace


@pytest.mark.parametrize("point", [40, 121, 200, 260])
def test_a_death_in_the_scripted_day_breaks_nothing(point: int) -> None:
    """Some of the three hundred points; `make crash-points` takes them all."""
    laws, points = run_day(point)

    assert laws == [] and len(points) == point


@pytest.mark.parametrize(
    ("planted", "law", "point"), [("confirm-before-commit", "I1", 26), ("send-before-record", "I4", 93)]
)
def test_a_planted_bug_is_seen(planted: str, law: str, point: int) -> None:
    """The laws can fail: each planted bug breaks the one that forbids it (the third, and more of each:
    docs/reliability.md).
    """
    near = (told for k in range(point, point + 4) for told in run_day(k, planted=planted)[0])

    assert any(told.startswith(law) for told in near)
