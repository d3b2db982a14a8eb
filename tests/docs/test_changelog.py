"""What changelog.d holds can be gathered into CHANGELOG.md, word for word, and nothing is passed over."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRAGMENTS = sorted(f for f in (ROOT / "changelog.d").iterdir() if f.name != "README.md")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--yes",
        "--version",
        "9.9.9",
        "--date",
        "2026-12-01",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's changes and settings, where they may be rewritten."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "changelog.d", tmp_path / "changelog.d")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_every_fragment_reaches_the_changelog(copy: Path) -> None:
    """Above the older releases, each in its own words."""
    built = build(copy)

    assert built.returncode == 0, built.stdout + built.stderr
    text = (copy / "CHANGELOG.md").read_text("utf-8")
    for fragment in FRAGMENTS:
        assert fragment.read_text("utf-8").strip() in text, fragment.name
    assert text.index("## 9.9.9 (2026-12-01)") < text.index("## 0.1.0 (")
    assert [f.name for f in (copy / "changelog.d").iterdir()] == ["README.md"]


def test_a_fragment_of_an_unknown_kind_is_refused(copy: Path) -> None:
    """A slip in the name would otherwise lose the change without a word."""
    (copy / "changelog.d" / "+slip.fixd.md").write_text("Nobody would read this.\n", encoding="utf-8")

    assert build(copy).returncode != 0


def test_the_newest_release_is_the_package_s_version() -> None:
    """Changelog and package tell the same version."""
    newest = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ", 1)[1].split(" ", 1)[0]

    assert newest == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
