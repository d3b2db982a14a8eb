"""What the pages tell of the assistant: beside an answer, and in /readyz."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from bot.cli.site import site_of
from bot.testing import open_test_bot
from bot.web.server import build_app
from tests.assistant.shop import QUESTION, SENTENCES, open_shop


async def test_a_conversation_and_readyz_tell_what_it_did(tmp_path: Path) -> None:
    """How many sentences it chose and how many were dropped; whether it works, and what it has spent."""
    said = [{"text": text, "source": "p1"} for text in (SENTENCES[2], "Мы вернём 5000 рублей.")]
    async with open_shop(tmp_path, lambda data, system: json.dumps({"sentences": said})) as shop:
        await shop.told(QUESTION)
        app = build_app(site_of(shop.testbot.service).services)
        async with TestClient(TestServer(app)) as client:
            page = await (
                await client.get("/conversation/1?data=own", headers={"Accept": "text/html"})
            ).text()
            ready = await (await client.get("/readyz")).json()

    assert "Помощник: выбрал из статьи нужные предложения · сказано предложений: 2" in page
    assert "отброшено как неподтверждённые: 1" in page and "5000" not in page
    assert ready["assistant"] == {
        "state": "working",
        "model": "test",
        "failures": 0,
        "last_error": "",
        "calls_today": 1,
        "tokens_today": 120,
    }


async def test_without_one_readyz_does_not_name_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: А\naliases: [а]\nlang: ru\n---\nДа.\n", encoding="utf-8")
    async with open_test_bot(tmp_path) as testbot:
        app = build_app(site_of(testbot.service).services)
        async with TestClient(TestServer(app)) as client:
            assert "assistant" not in await (await client.get("/readyz")).json()
