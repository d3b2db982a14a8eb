"""kill -9 of a bot with a mailbox while customers write and both servers fail: nothing lost, twice only in
doubt.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.killed_email import KilledMailbox


async def test_a_killed_bot_with_a_mailbox_loses_no_letter(tmp_path: Path) -> None:
    """A short one; `python -m tests.chaos.killed_email --kills 10` is the long one."""
    told = await KilledMailbox(tmp_path, kills=1, customers=4, seed=18).run()

    assert told.broken == [], "\n".join([*told.broken, told.log])
    assert told.figures["kills"] == 1 and told.figures["answers"] >= 4
