"""A desk that never closes says so when it is asked for its hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.handoff.sla.hours import WEEKDAYS
from bot.testing import open_test_bot

ALWAYS = Config.model_validate({"hours": {"week": dict.fromkeys(WEEKDAYS, "00:00-24:00"), "country": None}})


@pytest.mark.parametrize(
    ("lang", "asks", "says", "week"),
    [
        ("ru", "вы работаете?", "Сейчас мы работаем — круглосуточно.", "ежедневно круглосуточно"),
        ("en", "are you open?", "We are open now, around the clock.", "daily around the clock"),
    ],
)
async def test_round_the_clock_has_no_closing(
    articles: Path, lang: str, asks: str, says: str, week: str
) -> None:
    """Never «today until 00:00», which is no closing at all."""
    async with open_test_bot(articles, config=ALWAYS) as testbot:
        anna = testbot.customer(language=lang)
        await anna.says(asks)

        told = " ".join(anna.hears())
        assert says in told and week in told and "00:00" not in told
