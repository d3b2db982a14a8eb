"""Plays the operators' desk from the outside:  python .ci/sim/desk_checks.py PATH/sim [--all] [--service
NAME] [--kind forum|plain|vk] [scene …]

The real `bot run` (BOT names the command) against both strict simulators, with desks in a forum, a plain
group and a VK chat. Every scene is played in each kind
of desk, with the customer's platform in turn (--all: with both). Prints one line a scene; exit 1 if one
fails, a platform would have refused something, or a
group's budget was passed. Without --long the scenes that wait more than a minute are left out.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import desk_queue  # noqa: F401 - puts its scenes on the list, as the others do
import desk_reach  # noqa: F401
import desk_time  # noqa: F401
import desk_work  # noqa: F401
import desk_wrong  # noqa: F401
from scenes import SCENES, Scene
from stations import KINDS, Chat, Station
from world import World

CATEGORIES = ["Доставка", "Возврат", "Оплата"]
# settings by name; how many stations of each kind are played in at once
HASTY_SLA = {
    "policies": [{"topic": "Гарантия", "first_reply": "12s", "next_reply": "12s"}],
    "warn": 0.5,
    "quiet_warn": "8s",
    "quiet_close": "8s",
    "reopen": "1h",
}
SURVEY = (datetime.now(tz=UTC) + timedelta(minutes=3)).strftime("%H:%M")
TODAY = datetime.now(tz=UTC).date()
SETUPS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "calm": ({"routing": {"categories": CATEGORIES}}, {"forum": 6, "plain": 4, "vk": 2}),
    "hasty": (
        {
            "routing": {"remind": "6s", "silent_operator": "15s", "board": False},
            "sla": HASTY_SLA,
            "rating": {"ask": True, "delay_minutes": 0.02, "settle_minutes": 0.05},
        },
        {"forum": 3, "plain": 2, "vk": 1},
    ),
    "given": (
        {"routing": {"assign": "round_robin", "limit": 2, "board": False}},
        {"forum": 2, "plain": 2, "vk": 1},
    ),
    "line": ({"routing": {"articles_from": 3}}, {"forum": 1}),
    "reach": (
        {"outreach": {"hours": "0:00-24:00"}, "nps": {"ask": True, "at": SURVEY, "quiet": "1s"}},
        {"forum": 1, "plain": 1, "vk": 1},
    ),
    "night": (
        {"hours": {"week": {}, "exceptions": {TODAY + timedelta(days=2): "10:00-20:00"}}},
        {"plain": 1},
    ),
}


def open_world(
    sims: Path, service: str, settings: Mapping[str, Any], counts: Mapping[str, int]
) -> tuple[World, list[Station]]:
    """A running bot with so many groups of each kind, a desk of all and a second line."""
    world = World(sims, settings)
    world.__enter__()
    stations = [
        Station(world, n, kind) for n, kind in enumerate(k for k in KINDS for _ in range(counts.get(k, 0)))
    ]
    world.general, world.second = (
        Chat(world.tg, False, stations[0].tg_token, stations[0].group(True)) for _ in range(2)
    )
    world.desk = {"channel": "tg0", "chat": str(world.general.chat)}
    world.teams.append(
        {
            "name": "second",
            "title": "Вторая линия",
            "desk": {"channel": "tg0", "chat": str(world.second.chat)},
        }
    )
    for station, team in zip(stations, world.teams, strict=False):
        if service == "given":
            team |= {"operators": [station.id(o) for o in station.operators[:2]], "overflow": 3}
    routing = dict(world.settings.get("routing") or {})
    world.settings["routing"] = {**routing, "supervisors": [s.id(s.supervisor) for s in stations]}
    world.start()
    return world, stations


def _played(station: Station, todo: queue.Queue[tuple[Scene, str]], failures: list[str]) -> None:
    """One station plays scene after scene until none is left for its kind."""
    while True:
        try:
            scene, platform = todo.get_nowait()
        except queue.Empty:
            return
        name, began = f"{scene.name} · {station.kind} desk, {platform} customer", time.monotonic()
        try:
            station.mark = station.desk.last()
            scene.play(station, platform)
            print(f"ok    {name} ({time.monotonic() - began:.0f} s)", flush=True)
        except Exception as error:  # noqa: BLE001 - a scene that fails must not stop the others
            failures.append(name)
            where = traceback.extract_tb(error.__traceback__)
            lines = " < ".join(
                f"{Path(f.filename).name}:{f.lineno}"
                for f in reversed(where)
                if Path(f.filename).parent == Path(__file__).parent
            )
            print(
                f"FAIL  {name} ({time.monotonic() - began:.0f} s)\n      {type(error).__name__}: {error}\n   "
                f"   {lines}",
                flush=True,
            )


def play(sims: Path, service: str, scenes: Sequence[Scene], kinds: Sequence[str], *, both: bool) -> list[str]:
    """Play *scenes* in one service; what fell short."""
    failures: list[str] = []
    began = time.monotonic()
    settings, counts = SETUPS[service]
    world, stations = open_world(sims, service, settings, {kind: counts.get(kind, 0) for kind in kinds})
    try:
        print(
            f"== {service}: {len(stations)} groups, the bot runs after {time.monotonic() - began:.0f} s",
            flush=True,
        )
        threads = []
        for place, kind in enumerate(KINDS):
            todo: queue.Queue[tuple[Scene, str]] = queue.Queue()
            for number, scene in enumerate(
                sorted((s for s in scenes if kind in s.kinds), key=lambda s: not s.long)
            ):
                for platform in ("telegram", "vk") if both else (("telegram", "vk")[(number + place) % 2],):
                    todo.put((scene, platform))
            threads += [
                threading.Thread(target=_played, args=(s, todo, failures)) for s in stations if s.kind == kind
            ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong = world.violations()
        failures += wrong
        print(
            f"{'FAIL' if wrong else 'ok'}    {service}: violations {len(wrong)}, busiest minute of a group"
            f" {max(world.busiest().values(), default=0)} of 20"
        )
        for each in wrong[:5]:
            print("     ", each[:400])
        if took := world.stop():
            print(f"ok    {service}: stopped in {took:.1f} s, all in {time.monotonic() - began:.0f} s")
        if failures or "Traceback" in world.tail(10**7):
            print(world.tail(3000), file=sys.stderr)
    finally:
        world.__exit__()
    return failures


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("sims", type=Path, help="folder of tg_sim.py and vk_sim.py")
    options.add_argument("scenes", nargs="*", help="only these")
    options.add_argument("--all", action="store_true", help="each scene with customers of both platforms")
    options.add_argument("--long", action="store_true", help="also scenes that wait more than a minute")
    options.add_argument("--service", choices=SETUPS, help="only this one")
    options.add_argument("--kind", choices=KINDS, help="only this kind of desk")
    given = options.parse_intermixed_args()
    chosen = [
        s
        for s in SCENES
        if (s.name in given.scenes if given.scenes else given.long or not s.long)
        and given.service in (None, s.service)
    ]
    failures: list[str] = []

    def played(service: str) -> None:
        try:
            failures.extend(
                play(
                    given.sims,
                    service,
                    [s for s in chosen if s.service == service],
                    [given.kind] if given.kind else KINDS,
                    both=given.all,
                )
            )
        except Exception as error:  # noqa: BLE001 - told with the others
            failures.append(f"{service}: {type(error).__name__}: {error}")
            traceback.print_exc()

    houses = [
        threading.Thread(target=played, args=(service,))
        for service in SETUPS
        if any(s.service == service for s in chosen)
    ]
    for thread in houses:  # mostly they wait, each for its own groups
        thread.start()
    for thread in houses:
        thread.join()
    print(f"{len(failures)} fell short" + (": " + "; ".join(f[:80] for f in failures) if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
