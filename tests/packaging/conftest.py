"""A package of somebody else's, as pip leaves it, and our own, built and put into a bare environment that
sees the libraries installed here and nothing of this project but the wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
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


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sources as they are, without a network."""
    return wheel_of(ROOT, tmp_path_factory.mktemp("dist"))


def wheel_of(sources: Path, folder: Path) -> Path:
    """The wheel of a tree of sources, built in *folder* without a network."""
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(sources)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def bare_environment(home: Path) -> Path:
    """The folder of programs of an environment that sees the libraries installed here, and no project."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(home)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    site = next(home.glob("lib/python*/site-packages"))
    (site / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
    return home / "bin"


def pip(programs: Path, *words: str) -> None:
    """What pip does in an environment."""
    command = [sys.executable, "-m", "pip", "--python", str(programs / "python"), *words, "-q"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment's programs."""
    programs = bare_environment(tmp_path_factory.mktemp("bare"))
    pip(programs, "install", "--no-deps", "--no-index", str(wheel))
    return programs


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this project, and a home of its own."""
    ours = ("PYTHONPATH", "BOT_LANG", "TELEGRAM_BOT_TOKEN", "VK_GROUP_TOKEN")
    kept = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("COVERAGE")}
    return {**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    return folder


def bot(
    installed: Path, folder: Path, environment: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(installed / "bot"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
