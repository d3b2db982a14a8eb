"""The pages of flows: they show what was just saved, and what is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.cli.site import site_of
from bot.config.loader import Config
from bot.testing import open_test_bot
from bot.web.server import build_app

EXAMPLE = Path(__file__).parents[2] / "examples/order_status.yaml"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def client(articles: Path, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/order_status.yaml").write_bytes(EXAMPLE.read_bytes())
    config = Config.model_validate({"base": tmp_path, "flows": {"hosts": ["shop.example.com"]}})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        opened: TestClient[Any, Any] = TestClient(TestServer(build_app(site_of(testbot.service).services)))
        await opened.start_server()
        yield opened
        await opened.close()


async def text(client: TestClient[Any, Any], path: str, status: int = 200) -> str:
    answer = await client.get(path, headers=HTML)
    assert answer.status == status, path
    return str(await answer.text())


async def test_a_flow_is_a_picture_and_the_same_in_words(client: TestClient[Any, Any]) -> None:
    assert "Статус заказа" in await text(client, "/flows")
    shown = await text(client, "/flows/order_status")
    assert "<svg" in shown and shown.count("<rect") == 7
    assert "не нашлось (404) → " in shown and "к шагу unknown" in shown
    assert "not found (404)" in await text(client, "/flows/order_status?lang=en")
    await text(client, "/flows/nothing", 404)


async def test_a_broken_file_is_told_and_hides_nothing(client: TestClient[Any, Any], tmp_path: Path) -> None:
    """The flows that customers are answered with are shown; words of a file are never markup."""
    (tmp_path / "flows/b.yaml").write_text("title: Б\nsteps:\n  - {say: a, go: '<b>x'}\n", "utf-8")
    shown = await text(client, "/flows")
    assert "b.yaml:3" in shown and "Статус заказа" in shown and "<b>x" not in shown

    (tmp_path / "flows/b.yaml").write_text(
        "title: <i>Б</i>\nsteps:\n  - {say: '<script>a</script>'}\n", "utf-8"
    )
    shown = await text(client, "/flows/b")
    assert "<script>a" not in shown and "&lt;script&gt;a" in shown and "<i>" not in shown


async def test_an_example_is_offered_only_where_there_is_no_file(articles: Path, tmp_path: Path) -> None:
    """Whoever has written a file with a fault is told the fault alone."""
    config = Config.model_validate({"base": tmp_path})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        opened: TestClient[Any, Any] = TestClient(TestServer(build_app(site_of(testbot.service).services)))
        await opened.start_server()
        offered = '<p class="empty">'
        assert offered in await text(opened, "/flows")
        (tmp_path / "flows").mkdir()
        (tmp_path / "flows/b.yaml").write_text("title: Б\nsteps:\n  - {typ: phone}\n", "utf-8")
        shown = await text(opened, "/flows")
        await opened.close()
    assert "b.yaml:3" in shown and offered not in shown
