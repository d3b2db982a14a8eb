"""One seed, one run: weather, people and deaths from one die, and in the end the laws.

    python -m tests.chaos.simulation --seed 1 --runs 200        (make chaos SEED=1 RUNS=200)

A run that breaks a law prints its seed as a command. `--planted NAME` runs with a bug planted on purpose (see
planted.py).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta

from bot.adapters.base import Limits
from bot.observability import set_up_logging
from tests.chaos.invariants import broken
from tests.chaos.planted_bugs import PROCESSES
from tests.chaos.platforms import CALM, STORM, Platform
from tests.chaos.random_people import Crowd
from tests.chaos.service_process import ServiceProcess, folder
from tests.chaos.virtual_time import run_timeless

DEEDS = 70
LIMITS = {
    "telegram": Limits(
        topics=True, reactions=True, per_second=25, peer_per_second=1, peer_burst=3, group_per_minute=18
    ),
    "vk": Limits(per_second=18, peer_per_second=0, group_per_minute=0),
}


@dataclass(slots=True)
class Run:
    """What one seed brought: the laws it broke, and figures that say how much happened."""

    seed: int
    broken: list[str] = field(default_factory=list)
    lives: int = 0
    deaths: int = 0
    updates: int = 0
    calls: int = 0
    doubles: int = 0
    trace: str = ""

    @property
    def command(self) -> str:
        return f"make chaos SEED={self.seed} RUNS=1"


def run_seed(seed: int, *, deeds: int = DEEDS, planted: str = "") -> Run:
    """One run to its end."""
    random.seed(seed)  # the service's own jitter
    with folder() as place:
        return run_timeless(_live(seed, place, deeds, PROCESSES[planted]))


def make_platforms(dice: random.Random) -> list[Platform]:
    return [Platform("telegram", True, dice, LIMITS["telegram"]), Platform("vk", False, dice, LIMITS["vk"])]


async def _live(seed: int, place: object, deeds: int, make: type[ServiceProcess]) -> Run:
    dice = random.Random(seed)
    platforms = make_platforms(dice)
    for platform in platforms:
        platform.weather = STORM if dice.random() < 0.8 else CALM
    crowd = Crowd({p.name: p for p in platforms}, dice)
    process = make(place, platforms, dice)  # type: ignore[arg-type]
    await process.start()
    for _ in range(deeds):
        crowd.acts()
        await _pass(process, dice.choice((0, 0.1, 0.5, 1, 3, 10, 30)) * dice.random())
        fate = dice.random()
        if fate < 0.12:
            process.fuse.at = len(process.fuse.points) + dice.randint(1, 25)
        elif fate < 0.14:
            await process.end()
            await process.start()
        elif fate < 0.17:
            await _pass(process, dice.choice((600, 3600, 4 * 3600)))
        elif fate < 0.18:
            process.set_clock(timedelta(seconds=dice.choice((-7200, -3600, -30, -3, 3, 30, 3600))))
    for platform in platforms:
        platform.weather = CALM
        platform.dice = random.Random(seed)
    process.fuse.at = 0
    await settle(process)
    await process.end()
    if process.fuse.dead:
        await process.start()
        await settle(process)
        await process.end()
    calls = [
        (c.nonce, c.outbound.kind, c.outbound.to.chat, c.outbound.text.text, round(c.begun, 3))
        for p in platforms
        for c in p.calls
    ]
    run = Run(
        seed,
        broken(process.file, platforms),
        process.life,
        process.deaths,
        sum(len(p.updates) for p in platforms),
        len(calls),
    )
    run.doubles = len(calls) - len({c[:2] for c in calls})
    run.trace = hashlib.sha256(repr(calls).encode()).hexdigest()[:16]
    return run


async def _pass(process: ServiceProcess, seconds: float) -> None:
    """Time goes by; whoever dies in it is followed by the next life after a moment."""
    end = asyncio.get_running_loop().time() + seconds
    while (rest := end - asyncio.get_running_loop().time()) >= 0:
        try:
            async with asyncio.timeout(max(rest, 0)):
                await process.fuse.blown.wait()
        except TimeoutError:
            return
        await process.bury()
        await asyncio.sleep(process.dice.uniform(0.5, 5))
        await process.start()
    return


async def settle(process: ServiceProcess) -> None:
    """Calm: wait until nothing is on its way any more, at most some hours."""
    for _ in range(2000):
        await _pass(process, 10)
        counts = await process.service.store.counts()
        if not any(
            counts[k] for k in ("inbounds_waiting", "deliveries_pending", "deliveries_sending")
        ) and all(u.confirmed for p in process.platforms for u in p.updates):
            return


def main() -> int:
    given = argparse.ArgumentParser(description="Seeded days of the whole service")
    given.add_argument("--seed", type=int, default=1, help="the first seed")
    given.add_argument("--runs", type=int, default=200, help="how many seeds in a row")
    given.add_argument("--planted", default="", choices=sorted(PROCESSES), help="a bug planted on purpose")
    wanted = given.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.chaos.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    set_up_logging(level="critical")
    began, totals, failed = time.perf_counter(), Run(0), 0
    for seed in range(wanted.seed, wanted.seed + wanted.runs):
        run = run_seed(seed, planted=wanted.planted)
        for name in ("lives", "deaths", "updates", "calls", "doubles"):
            setattr(totals, name, getattr(totals, name) + getattr(run, name))
        if run.broken:
            failed += 1
            print(f"\nseed {seed} broke {len(run.broken)} laws: {run.command}", *run.broken[:8], sep="\n  ")
        if wanted.runs > 1 and (seed - wanted.seed + 1) % 20 == 0:
            print(f"{seed - wanted.seed + 1} runs so far, {failed} failed", file=sys.stderr, flush=True)
        if not run.broken and wanted.runs == 1:
            print(f"seed {seed}: trace {run.trace}")
    print(
        f"{wanted.runs} runs, {failed} failed: {totals.updates} updates, {totals.calls} calls, {totals.lives}"
        f" lives, {totals.deaths} deaths, {totals.doubles} sent again, {time.perf_counter() - began:.0f} s"
    )
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
