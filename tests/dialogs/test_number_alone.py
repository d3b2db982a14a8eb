"""A number alone (of an order, a phone) is an answer or an unclear question, never a call for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot


@pytest.mark.parametrize("number", ["481516", "000000", "48213", "12-34", "+7 916 123-45-67"])
async def test_a_number_to_a_bot_that_asked_nothing_opens_no_ticket(testbot: TestBot, number: str) -> None:
    """The bot says something and offers a person; it calls nobody by itself."""
    anna = testbot.customer()
    await anna.says(number)

    assert anna.hears()
    assert await testbot.service.store.tickets() == ()


async def test_a_number_reaches_the_form_that_asked_for_it(articles: Path) -> None:
    """The order's number is the answer to the form's question, and the form goes on."""
    fields = [
        {"name": "order", "ask": {"ru": "Номер заказа?"}, "type": "number"},
        {"name": "flat", "ask": {"ru": "Номер квартиры?"}, "type": "text"},
    ]
    forms = [{"name": "courier", "when": "command", "fields": fields}]
    async with open_test_bot(
        articles, config=Config.model_validate({"dialogs": {"forms": forms}})
    ) as testbot:
        anna = testbot.customer()
        await anna.says("/courier")
        assert anna.hears()[0].startswith("Номер заказа?")
        await anna.says("481516")

        assert anna.hears()[0].startswith("Номер квартиры?")
