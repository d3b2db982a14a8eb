"""kill -9 while events are recorded and told: none is lost, none overtakes another, and a repeat has the id
of the first.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

from tests.integrations.conftest import Receiver

ROOT = Path(__file__).parents[2]
EVENTS, KILLS = 240, 2


async def teller(file: Path, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integrations.webhook_process",
        str(file),
        url,
        str(EVENTS),
        cwd=ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def told(receiver: Receiver, count: int) -> None:
    """Wait until so many calls came."""
    async with asyncio.timeout(60):
        while len(receiver.calls) < count:
            await asyncio.sleep(0.01)


async def test_a_killed_process_tells_everything_in_order(receiver: Receiver, tmp_path: Path) -> None:
    """Two kills at moments nobody chose; then the last process tells the rest."""
    for _ in range(KILLS):
        process = await teller(tmp_path / "bot.db", receiver.url)
        await told(receiver, len(receiver.calls) + random.randint(5, 60))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await teller(tmp_path / "bot.db", receiver.url)
    async with asyncio.timeout(60):
        while EVENTS - 1 not in (t["data"]["details"]["score"] for t in receiver.told[-2:]):
            await asyncio.sleep(0.05)
    process.terminate()
    await process.wait()
    ids = [headers["webhook-id"] for headers, _ in receiver.calls]
    numbers = {id: t["data"]["details"]["score"] for id, t in zip(ids, receiver.told, strict=True)}

    assert list(dict.fromkeys(numbers.values())) == list(
        range(EVENTS)
    )  # each at least once, the first time in order
    assert len(numbers) == EVENTS  # one id for each, however often it was told
    assert len(ids) - EVENTS <= KILLS  # at most what was under way at a kill came twice
