"""A slow preparation runs in a process of its own and tells how far it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge.encoder.background_builder import run_apart

MODULE = """
from bot.knowledge.encoder.background_builder import work_apart

def prepare(folder, heard):
    heard(0.25)
    if not folder.is_dir():
        raise ValueError("first line\\nthere is no folder")
    heard(1)
    (folder / "done").touch()

if __name__ == "__main__":
    work_apart(prepare)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "preparation_here.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "preparation_here"


def test_what_is_done_is_heard(module: str, tmp_path: Path) -> None:
    heard: list[float] = []
    run_apart(module, tmp_path, heard.append)

    assert heard == [0.25, 1.0] and (tmp_path / "done").exists()


def test_its_last_words_say_why_it_failed(module: str, tmp_path: Path) -> None:
    heard: list[float] = []
    with pytest.raises(ValueError, match=r"^there is no folder$"):
        run_apart(module, tmp_path / "nowhere", heard.append)

    assert heard == [0.25]


def test_a_listener_that_fails_ends_it(module: str, tmp_path: Path) -> None:
    def fail(_: float) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run_apart(module, tmp_path, fail)
