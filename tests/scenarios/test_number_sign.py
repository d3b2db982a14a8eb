"""A ticket's number is written one way in one language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from tests.conftest import DESKS


def shown(testbot: TestBot) -> Iterator[str]:
    """Everything anybody read, with headings, buttons and names of topics."""
    for channel in testbot.channels.values():
        for said in channel.said:
            yield from (said.outbound.heading.text, said.outbound.text.text)
            yield from (b.label for row in said.outbound.buttons for b in row)


@pytest.mark.parametrize("desk", list(DESKS))
@pytest.mark.parametrize(
    ("lang", "call", "right", "wrong"), [("en", "call an operator", "#1", "№"), ("ru", "оператор", "№1", "#")]
)
async def test_one_sign_in_one_language(
    articles: Path, desk: str, lang: str, call: str, right: str, wrong: str
) -> None:
    """In cards, headings, topics, overviews, alarms and words to the customer."""
    routing = {"supervisors": ("telegram:9001", "vk:9001"), "remind": "10m"}
    config = Config.model_validate({"business": {"language": lang}, "routing": routing})
    async with open_test_bot(articles, config=config, desk=DESKS[desk]) as testbot:
        anna, olga = testbot.customer(language=lang), testbot.operator()
        await anna.says(call)
        await anna.says("12 345")
        await olga.says("/incident delivery is late")
        await olga.says("/queue")
        await olga.says("/overview")
        await testbot.later(minutes=12)
        await olga.presses({"en": "Take", "ru": "Взять"}[lang])
        group = testbot.channels[testbot.place.channel]
        card = next(s.message for s in group.in_chat(testbot.place.chat) if s.outbound.name == "card:1")
        for text in ("Hello", "/same telegram:1", "/snooze 1h", "/close"):
            await olga.says(text, ticket=1, quotes=card)
        await testbot.later(hours=2)
        everything = "\n".join(shown(testbot))

        assert right in everything
        assert not re.findall(rf".*{wrong}\s?\d.*", everything)
