"""Off is off: no library, no module of the assistant's, no query."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.app import check_files
from bot.config.loader import Config
from bot.errors import ConfigError

START = """
import asyncio, sys
from pathlib import Path
from bot.testing import open_test_bot

async def main():
    async with open_test_bot(Path(sys.argv[1])) as testbot:
        anna, store, asked = testbot.customer(), testbot.store, []
        for name in ("setting", "count_up", "hit"):
            kept = getattr(store, name)
            def seen(first, *rest, kept=kept, **more):
                asked.append(first)
                return kept(first, *rest, **more)
            setattr(store, name, seen)
        await anna.says("как вернуть товар")
        assert anna.hears(), "no answer"
        values = ("bot.assistant.task", "bot.assistant.errors")
        print(*(m for m in sys.modules if m.split(".")[0] == "openai"
                or m.startswith(("bot.assistant.", "bot.dialogs.composed.")) and m not in values))
        print(*(name for name in asked if "assistant" in name))

asyncio.run(main())
"""


def test_nothing_of_it_is_imported_or_asked(tmp_path: Path) -> None:
    """A start and an answer know nothing of it."""
    head = "---\ntitle: Возврат\naliases: [как вернуть товар]\nlang: ru\n---\n"
    article = f"{head}За 14 дней. Нужен чек. Ждём.\n"
    (tmp_path / "a.md").write_text(article, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_missing_package_is_told_before_the_running_bot_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the check that a reload makes first; with what to install."""
    monkeypatch.setitem(sys.modules, "openai", None)  # as if it were not installed
    config = Config(assistant={"base_url": "http://127.0.0.1:1/v1", "model": "m", "operators": True})

    with pytest.raises(ConfigError) as caught:
        check_files(config, None)
    assert "pip install 'otklik[assistant]'" in str(caught.value)
    check_files(Config(), None)
