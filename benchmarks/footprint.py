"""What starting costs where nothing optional is configured, beside another commit.   python -m
benchmarks.footprint --against COMMIT [--runs 5]

Modules imported, seconds of processor, memory after a first answer: Telegram and VK with words alone, the
articles of the demo shop, no cache. The two take turns, each run in a process of its own; the median counts.
The modules that only one of them imports are named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
START = """
import asyncio, json, re, sys, time
from pathlib import Path
from bot.app import Overrides, build_service
from bot.config.loader import Config
from bot.memory import give_back
from bot.model import Inbound, Peer, Sender
from datetime import UTC, datetime

FAR = "http://127.0.0.1:9"
config = Config.model_validate({
    "knowledge": {"folder": "kb_articles", "embeddings": {"model": "off"}, "cache": sys.argv[1]},
    "dialogs": {"settle": 0, "typing": False},
    "channels": {
        "telegram": {"type": "telegram", "token": f"123456789:{'A' * 35}", "api_base": FAR},
        "vk": {"type": "vk", "token": "vk1.a.0", "group_id": 1, "api_base": FAR},
    },
})

async def main():
    service = await build_service(config, Overrides(storage=":memory:", log_events=False))
    asked = "сколько стоит доставка"
    message = Inbound("1", Peer("vk", "1"), Sender("1", "Anna"), datetime.now(UTC), text=asked)
    await service.inbox.accept("vk", [message])
    await service.engine.run_waiting()
    await service.close()
    give_back()
    status = Path("/proc/self/status").read_text()
    print(json.dumps({
        "modules": sorted(sys.modules),
        "cpu": time.process_time(),
        "memory": int(re.search(r"VmRSS:\\s+(\\d+)", status)[1]) / 1024,
    }))

asyncio.run(main())
"""


def started(tree: Path) -> dict[str, Any]:
    """One start of the code in *tree*: its modules, seconds of processor, MB."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-c", START, cache]
        run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def compare(before: Path, runs: int) -> None:
    """Print both, a line each, and what only one of them imports."""
    told: dict[str, list[dict[str, Any]]] = {"before": [], "now": []}
    for _ in range(runs):
        for name, tree in (("before", before), ("now", ROOT)):
            told[name].append(started(tree))
    print(f"{'':8}modules  of ours  CPU s  memory MB")
    for name, starts in told.items():
        modules = starts[0]["modules"]
        ours = sum(module.split(".")[0] == "bot" for module in modules)
        cpu, memory = (median(start[figure] for start in starts) for figure in ("cpu", "memory"))
        print(f"{name:8}{len(modules):7}  {ours:7}  {cpu:5.2f}  {memory:9.1f}")
    now, then = (set(told[name][0]["modules"]) for name in ("now", "before"))
    print("only now:", ", ".join(sorted(now - then)) or "none")
    print("only before:", ", ".join(sorted(then - now)) or "none")


def main() -> None:
    given = argparse.ArgumentParser(description="What starting costs, beside another commit")
    given.add_argument("--against", required=True, metavar="COMMIT")
    given.add_argument("--runs", type=int, default=5)
    wanted = given.parse_args()
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), wanted.against], check=True)
        try:
            compare(tree, wanted.runs)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


if __name__ == "__main__":
    main()
