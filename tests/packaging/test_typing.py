"""The public names as a type checker sees them that knows nothing but the installed package and its
`py.typed`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import of_guide

GUIDES = {
    "docs/en/dialogs.md": ("myshop/dialogs.py", "myshop/repairs.py", "myshop/visits.py"),
    "docs/en/adapters.md": ("myfolder.py",),
    "docs/en/retrievers.md": ("mysearch.py",),
}
PLUGS = """
from bot import Adapter, Clock, Dialog, Retriever
from dialogs import order_status
from myfolder import FolderAdapter
from mysearch import Tags
from repairs import repair
from visits import visit

adapter: Adapter = FolderAdapter("post", clock=Clock(), token="", folder=".")
dialogs: list[Dialog] = [order_status, repair, visit]
retriever: Retriever = Tags([])
"""
WRONG = """
from bot import Dialog, Outcome, Turn, hand_over

async def deaf(turn: Turn) -> str:
    return turn.txt

dialog: Dialog = deaf
hand_over("turn", reason=1)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def mypy(folder: Path, cache: Path) -> str:
    """What `mypy --strict` says to the files in *folder*, without the settings of this project."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_what_extends_the_bot_is_typed(tmp_path: Path, cache: Path) -> None:
    """The whole public surface in use: nothing is Any, nothing has to be ignored."""
    api = Path(__file__).with_name("typed_api.py").read_text("utf-8")
    (tmp_path / "typed_api.py").write_text(api, encoding="utf-8")

    assert mypy(tmp_path, cache).startswith("Success")


def test_the_code_of_the_guides_is_typed(tmp_path: Path, cache: Path) -> None:
    """Word for word, and it fits where it is plugged in."""
    for guide, modules in GUIDES.items():
        for module in modules:
            (tmp_path / Path(module).name).write_text(of_guide(guide, module), encoding="utf-8")
    (tmp_path / "plugs.py").write_text(PLUGS, encoding="utf-8")

    assert mypy(tmp_path, cache).startswith("Success")


def test_a_slip_is_found(tmp_path: Path, cache: Path) -> None:
    """A checker that says nothing to this would say nothing to anything."""
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")

    said = mypy(tmp_path, cache)
    assert '"Turn" has no attribute "txt"' in said
    assert "Incompatible types in assignment" in said
    assert 'incompatible type "str"; expected "Turn"' in said
