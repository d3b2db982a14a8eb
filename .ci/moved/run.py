"""The suite on another day: `run.py "+40d"`, `run.py 2028-02-29T12:00`, `run.py "2027-03-28T01:58
Europe/Berlin"` (more words go to pytest).

The wall clock of pytest and of every Python process that it starts is moved (time_machine); monotonic clocks
are not. MEASURED in the environment names the day on which branches are counted as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent


def shift_of(when: str, zone: str) -> float:
    """Seconds from now to *when*: days ahead as "+40d", or a local time in *zone*."""
    if when.startswith("+"):
        return timedelta(days=int(when.removeprefix("+").removesuffix("d"))).total_seconds()
    return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone)).timestamp() - time.time()


def main() -> int:
    when, _, zone = sys.argv[1].partition(" ")
    moved = {"CLOCK_SHIFT": str(shift_of(when, zone or "UTC")), "PYTHONPATH": str(HERE)}
    if zone:
        moved["TZ"] = zone
    measured = os.environ.get("MEASURED") == sys.argv[1]
    through = ["coverage", "run", "-m"] if measured else []
    two = ["-n", "2", "--dist", "loadfile", "--max-worker-restart", "0"]
    workers = [] if measured else two  # coverage counts in one process
    command = [*through, "pytest", *workers, "-W", "ignore:Module already imported", *sys.argv[2:]]
    done = _python(command, moved)
    if measured:
        _python(["coverage", "combine", "--quiet"])
        _python(["coverage", "report"])
    return done


def _python(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    line = [sys.executable, "-m", *command]
    return subprocess.run(
        line, env={**os.environ, **(environment or {})}, cwd=HERE.parents[1], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
