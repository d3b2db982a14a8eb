"""The longer dialog of docs/en/dialogs.md and its test, word for word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from tests.packaging.conftest import ROOT, Install, of_guide

GUIDE = "docs/en/dialogs.md"


@pytest.fixture
async def workshop() -> AsyncIterator[str]:
    """What the guide's dialog asks over HTTP."""

    async def repairs(request: web.Request) -> web.Response:
        if request.query["number"] != "481516":
            raise web.HTTPNotFound
        return web.json_response({"state": "ждём деталь"})

    application = web.Application()
    application.router.add_get("/repairs", repairs)
    server = TestServer(application)
    await server.start_server()
    yield str(server.make_url("/repairs"))
    await server.close()


@pytest.fixture
async def testbot(
    install: Install, articles: Path, tmp_path: Path, workshop: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TestBot]:
    """A bot with the guide's dialog and words; only the address of the workshop is another."""
    install({"repairs.py": of_guide(GUIDE, "myshop/repairs.py")}, "[bot.dialogs]\nrepair = repairs:repair\n")
    monkeypatch.setattr(__import__("repairs"), "WORKSHOP", workshop)
    words = re.search(r"```yaml\n(repair:.*?)```", (ROOT / GUIDE).read_text("utf-8"), re.S)
    assert words
    (tmp_path / "texts").mkdir()
    for lang in ("ru", "en"):
        (tmp_path / "texts" / f"{lang}.yaml").write_text(words[1], encoding="utf-8")
    config = {
        "dialogs": {"order": ["human", "repair", "faq"]},
        "wording": {"folder": str(tmp_path / "texts")},
    }
    async with open_test_bot(articles, config=Config.model_validate(config)) as opened:
        yield opened


async def test_it_asks_looks_up_and_is_woken(testbot: TestBot) -> None:
    """A day later a person is called."""
    anna = testbot.customer()
    await anna.says("Как там мой ремонт?")
    assert anna.hears() == ["Номер квитанции?"]
    await anna.says("481516")
    assert anna.hears() == ["Ваш ремонт: ждём деталь."]
    await testbot.later(days=1, minutes=1)

    assert [t.reason for t in await testbot.service.store.tickets()] == ["repair_late"]


async def test_it_calls_a_person_for_what_the_workshop_does_not_know(testbot: TestBot) -> None:
    """The card says why in the words of the guide."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("Как там мой ремонт?")
    await anna.says("000000")

    assert any("квитанции нет в базе мастерской" in o.text.text for o in await olga.sees(1))
