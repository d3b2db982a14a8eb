"""A shop in a folder of its own, and the command line run in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.root import app
from tests.knowledge.shop import write_shop

Run = Callable[..., Result]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small shop with its config; the current folder is there."""
    write_shop(tmp_path / "kb_articles")
    (tmp_path / "config.yaml").write_text(
        'knowledge:\n  folder: kb_articles\n  embeddings: {model: "off"}  # words are enough here\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(shop: Path) -> Run:
    """Runs a command; anything but an exit on purpose is raised."""

    def command(*args: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(args), catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return command
