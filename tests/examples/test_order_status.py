"""examples/order_status, run as its README says."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from bot.config.loader import read_config
from bot.testing import TestBot, open_test_bot

HERE = Path(__file__).parents[2] / "examples/order_status"


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    """The example's own little service; its folder is where modules are looked for."""
    monkeypatch.syspath_prepend(str(HERE))
    service = __import__("service")
    server = TestServer(service.application())
    await server.start_server()
    monkeypatch.setenv("SHOP_URL", str(server.make_url("/")))
    yield server
    await server.close()
    for name in ("service", "dialog"):
        sys.modules.pop(name, None)


@pytest.fixture
async def testbot(articles: Path, shop: TestServer) -> AsyncIterator[TestBot]:
    """A service with the example's config over the small knowledge base."""
    async with open_test_bot(articles, config=read_config(HERE / "config.yaml", environment={})) as opened:
        yield opened


async def test_an_order_is_looked_up(testbot: TestBot) -> None:
    """In both languages, in the words of the example's texts."""
    anna, john = testbot.customer(), testbot.customer("John", chat="1002", language="en")
    await anna.says("Где мой заказ 48213?")
    assert anna.hears() == ["Заказ 48213: в пути, ждём его у вас 2026-11-24."]
    await john.says("where is my order 48213")

    assert john.hears() == ["Order 48213: в пути, expected on 2026-11-24."]


async def test_an_unknown_order_is_said_plainly(testbot: TestBot) -> None:
    """The shop knows no such number."""
    anna = testbot.customer()
    await anna.says("заказ №99999")

    assert anna.hears()[0].startswith("Заказа 99999 не нахожу.")


async def test_other_questions_go_on_to_the_articles(testbot: TestBot) -> None:
    """The dialog leaves alone what is not its own."""
    anna = testbot.customer()
    await anna.says("Сколько идёт доставка?")

    assert any("3–5 дней" in text for text in anna.hears())


async def test_a_shop_that_does_not_answer_means_a_person(testbot: TestBot, shop: TestServer) -> None:
    """Never silence: a ticket is opened."""
    await shop.close()
    anna = testbot.customer()
    await anna.says("Где мой заказ 48213?")

    assert [t.reason for t in await testbot.service.store.tickets()] == ["dialog_failed"]
