"""`bounds.py oldest` prints the lowest versions that pyproject.toml allows, `bounds.py newest` the highest
that can be had, as requirements for pip; with what the tests need in the versions of constraints.txt.

For `make oldest` and `make newest`. Left out is what those tests never import: sentence-transformers and
torch are gigabytes, and are loaded only where a model of a hub is asked for.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = {"sentence-transformers"}
TOOLS = ("hypothesis", "pytest", "pytest-asyncio", "time-machine")


def requirements(which: str) -> list[str]:
    """Raises `ValueError` for a dependency without a lowest version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = []
    for requirement in project["dependencies"]:
        found = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if found is None:
            raise ValueError(f"pyproject.toml: {requirement} names no lowest version")
        if found[1] not in LEFT_OUT:
            wanted.append(f"{found[1]}=={found[2]}" if which == "oldest" else requirement)
    tested = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return wanted + [line for line in tested if line.split("==")[0].lower() in TOOLS]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
