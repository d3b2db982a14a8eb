"""Slow preparations in a process of their own: a bot that answers meanwhile is not slowed by them.

The process is `python -m MODULE FOLDER`; it prints the share that is done, a number 0..1 a line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from bot.errors import BotError
from bot.knowledge.encoder.base import Heard

LONGEST_WORK = 900.0  # seconds after which it is given up


def run_apart(module: str, folder: Path, heard: Heard) -> None:
    """Run *module* for *folder* and tell of its progress.

    Raises OSError, and ValueError with the last words of the process where it failed.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", module, str(folder)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True
        ) as work:
            deadline = threading.Timer(LONGEST_WORK, work.kill)
            deadline.daemon = True
            deadline.start()
            try:
                assert work.stdout is not None
                for line in work.stdout:
                    heard(float(line))
                work.wait()
            except BaseException:
                work.kill()
                work.wait()
                raise
            finally:
                deadline.cancel()
        if work.returncode:
            said.seek(0)
            raise ValueError((said.read().strip() or str(work.returncode)).splitlines()[-1][:300])


def work_apart(prepare: Callable[[Path, Heard], None]) -> None:
    """The other end: what the process does. Its last words are why it failed."""
    if hasattr(os, "nice"):
        os.nice(10)
    try:
        prepare(Path(sys.argv[1]), lambda share: print(f"{share:.2f}", flush=True))
    except (BotError, OSError, ValueError, ImportError) as error:
        sys.exit(str(error))
