"""The ready answers that come with the bot: found by a word, filled for the customer, sent with two taps."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.config.loader import Config
from bot.handoff.assist.canned import CannedAnswers, builtin_answers
from bot.handoff.sla.hours import Hours
from bot.i18n.sandbox import MissingFact
from bot.i18n.texts import Texts
from bot.model import Customer, RichText
from bot.testing import open_test_bot

HOURS = Hours("Europe/Moscow", {}, country=None, exceptions={})


@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_can_be_made_for_a_nameless_customer_without_an_order(language: str) -> None:
    """No gap, no braces; the same number in both languages."""
    texts = Texts.load(language, zone=ZoneInfo("Europe/Moscow"))
    ready = CannedAnswers(builtin_answers(language), texts, HOURS)
    keys = list(yaml.safe_load((builtin_answers(language) / "service.yaml").read_text("utf-8")))
    assert len(keys) == 15
    for key in keys:
        answer = ready.get(key)
        assert answer is not None
        facts = {"operator": "Ольга", "lang": language, "order": MissingFact(name="order")}
        made = ready.fill(answer, {**facts, "customer": Customer(1, language=language)})
        assert isinstance(made, RichText) and made.text and "{" not in made.text, key


async def test_an_operator_of_the_demo_sends_one(articles: Path) -> None:
    config = Config.model_validate({"canned": {"folder": "builtin"}})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        await olga.presses("Взять", ticket=1)
        await olga.says("/t привет", ticket=1)
        anna.listens()
        await olga.presses("Отправить", ticket=1)
        assert anna.hears() == ["Здравствуйте, Анна! Меня зовут Ольга, я помогу."]


async def test_an_english_business_gets_english_ones(articles: Path) -> None:
    config = Config.model_validate({"canned": {"folder": "builtin"}, "business": {"language": "en"}})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        canned = testbot.service.desk.context.rules.canned
        assert canned is not None and canned.get("sorry") is not None and canned.get("извинение") is None
