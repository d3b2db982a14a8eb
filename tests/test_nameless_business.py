"""A business whose name is not set is no «Ромашка»: the words stay neutral, and the doctor says to set it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.playground.adapter import playground_channels
from bot.app import open_hours, open_texts
from bot.clock import Clock
from bot.config.loader import Config
from bot.testing import open_test_bot
from tests.cli.conftest import Run, run, shop

__all__ = ["run", "shop"]


async def test_the_greeting_names_nobody(articles: Path) -> None:
    """What a fresh bot says first, in both languages, and what it says of itself."""
    async with open_test_bot(articles, config=Config()) as testbot:
        anna = testbot.customer()
        await anna.says("/start")
        await anna.says("кто ты")
        said = " ".join(anna.hears())
    words = open_texts(Config(), open_hours(Config()))

    assert "бот поддержки" in said and "Ромашк" not in said and "«»" not in said
    assert "This is the support bot." in words.text("hello.start", lang="en")


def test_the_playgrounds_desk_has_a_neutral_title(tmp_path: Path) -> None:
    desk = playground_channels(files=tmp_path, now=Clock(), business="")[2]
    named = playground_channels(files=tmp_path, now=Clock(), business="Роза")[2]

    assert (desk.title, named.title) == ("Поддержка", "Роза — поддержка")


@pytest.mark.parametrize(("name", "told"), [("", True), ("business: {name: Роза}\n", False)])
def test_the_doctor_says_to_set_the_name(run: Run, shop: Path, name: str, told: bool) -> None:
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(name)

    assert ("business.name" in run("doctor").output) is told
