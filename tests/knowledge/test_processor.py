"""What a question costs the processor beside its own work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_THREADS = """
import bot
import os
import numpy
for _ in range(3):
    numpy.ones((400, 400), numpy.float32) @ numpy.ones((400, 400), numpy.float32)
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted on Linux")
def test_small_products_are_not_shared_among_threads() -> None:
    """Threads that wait for each other cost several times the product; the owner's own setting stays."""
    told = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    assert _threads(told) == 1
    if (os.cpu_count() or 1) > 1:
        assert _threads({**told, "OPENBLAS_NUM_THREADS": "2"}) == 2


def _threads(environment: dict[str, str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _THREADS], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)
