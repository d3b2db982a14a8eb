"""A folder without articles: the command says what to do, in the user's language, and no traceback
follows.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli.demo import main, make_history
from bot.config.loader import read_config

CONFIG = """
knowledge: {{folder: {folder}, embeddings: {{model: "off"}}, watch: false}}
channels: {{telegram: {{type: telegram, token: "${{TELEGRAM_BOT_TOKEN}}", api_base: "http://127.0.0.1:9"}}}}
"""
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def written(folder: Path, articles: str = "kb") -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(folder=articles), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["play", "run", "chat"])
@pytest.mark.parametrize(
    ("lang", "words"), [("ru", 'bot kb new "Сроки доставки"'), ("en", 'bot kb new "Delivery times"')]
)
def test_without_the_folder_the_command_says_what_to_do(
    tmp_path: Path, command: str, lang: str, words: str
) -> None:
    """The folder is named, and the way to a first article; nothing is started."""
    written(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "bot", command, "--config", str(tmp_path / "config.yaml")],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env={
            **os.environ,
            "BOT_LANG": lang,
            "TELEGRAM_BOT_TOKEN": "1:a",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert (
        done.returncode == 1
        and words in done.stderr
        and "kb" in done.stderr
        and "Traceback" not in done.stderr
    )


def test_an_empty_folder_is_told_and_the_bot_starts(tmp_path: Path) -> None:
    """Without an article the bot still takes words to people; what is missing is said before."""
    written(tmp_path)
    (tmp_path / "kb").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "--config", str(tmp_path / "config.yaml")],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env={
            **os.environ,
            "BOT_LANG": "ru",
            "TELEGRAM_BOT_TOKEN": "",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert done.returncode == 0 and "нет ни одной статьи" in done.stderr and "bot kb import" in done.stderr


def test_no_weeks_are_played_where_nobody_has_anything_to_ask(tmp_path: Path) -> None:
    """No traceback, and no file of a history that never was."""
    written(tmp_path)
    (tmp_path / "kb").mkdir()
    main(str(tmp_path), str(tmp_path / "demo.db"))

    assert not (tmp_path / "demo.db").exists()


def test_a_base_in_english_alone_has_its_weeks(tmp_path: Path) -> None:
    """The played customers ask what the articles are asked by, in whatever language."""
    config = read_config(written(tmp_path))
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "times.md").write_text(
        "---\ntitle: Delivery times\n---\nTwo days.\n", encoding="utf-8"
    )
    asyncio.run(make_history(config, tmp_path / "demo.db", NOW, days=1, per_day=2))

    assert (tmp_path / "demo.db").is_file()
