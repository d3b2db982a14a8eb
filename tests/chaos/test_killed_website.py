"""kill -9 of a bot on a site while visitors write and cut their connections: nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.killed_website import KilledWebsite


async def test_a_killed_bot_on_a_site_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """A short one; `python -m tests.chaos.killed_website --kills 10` is the long one."""
    told = await KilledWebsite(tmp_path, kills=1, visitors=4, messages=3, seed=3).run()

    assert told.broken == [], "\n".join([*told.broken, told.log])
    assert (told.figures["kills"], told.figures["messages"]) == (1, 12)
