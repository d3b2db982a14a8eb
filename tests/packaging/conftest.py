"""A package of somebody else's, as pip leaves it: modules and a folder that tells its entry points."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Install = Callable[[Mapping[str, str], str], None]


def of_guide(guide: str, module: str) -> str:
    """The code of a guide, word for word, that begins with the name of its file."""
    found = re.search(rf"```python\n# {re.escape(module)}\n(.*?)```", (ROOT / guide).read_text("utf-8"), re.S)
    assert found, f"{guide}: {module}"
    return found[1]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts modules and their entry points where Python looks for installed packages."""
    site, installed = tmp_path / "site", set[str]()

    def put(modules: Mapping[str, str], entry_points: str) -> None:
        told = site / "outsider-1.0.dist-info"
        told.mkdir(parents=True)
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: outsider\nVersion: 1.0\n")
        (told / "entry_points.txt").write_text(entry_points)
        for name, code in modules.items():
            (site / name).write_text(code, encoding="utf-8")
            installed.add(name.removesuffix(".py"))
        monkeypatch.syspath_prepend(str(site))

    yield put
    for name in installed:
        sys.modules.pop(name, None)
