"""Two weeks of use, played through the real service, make the bot find more of what it was never told."""

from __future__ import annotations

from pathlib import Path

from benchmarks.learning import CORPUS, learnt
from training.priors.bases import read_support


async def test_accepted_examples_lift_what_was_held_out(tmp_path: Path) -> None:
    """Customers click, some of them wrongly; an editor accepts. Questions that nobody had asked find their
    article more often, and most of what is suggested is right.
    """
    intents = [i for i in read_support(CORPUS) if i.domain == "taxi"]

    result = await learnt(intents, tmp_path, model="off")

    assert result.suggested > 15 and result.right >= 0.75 * result.suggested
    assert result.after["editor"].first > result.before.first
    assert result.after["editor"].three >= result.before.three + 0.03
    assert result.added["marked"] < result.added["editor"], "one customer alone marks nothing"
