"""kill -9 of a bot in MAX while customers write and the server fails: nothing lost, twice only in doubt."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.killed_max import KilledMax


async def test_a_killed_bot_in_max_loses_nothing(tmp_path: Path) -> None:
    """A short one; `python -m tests.chaos.killed_max --kills 10` is the long one."""
    told = await KilledMax(tmp_path, kills=1, customers=8, seed=5).run()

    assert told.broken == [], "\n".join([*told.broken, told.log])
    assert told.figures["kills"] == 1 and told.figures["arrivals"] >= 8
