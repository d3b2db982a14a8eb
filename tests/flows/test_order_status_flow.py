"""examples/order_status.yaml, as its docs say: in the folder of flows, in front of a real little shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import Overrides
from bot.config.loader import Config
from bot.delivery.http_connector import HttpConnector
from bot.dialogs.flows.connector import ConnectorFailed, ConnectorRequest
from bot.testing import TestBot, open_test_bot

EXAMPLE = Path(__file__).parents[2] / "examples/order_status.yaml"
ORDERS = {"48213": {"state": "<b>в пути</b> [сюда](https://evil.example)", "expected": "24 ноября"}}
SECRETS = {"SHOP_TOKEN": "s3cret"}


class Shop:
    """A shop on this machine: how it was asked, and how often it is to fail first."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.failures = 0
        app = web.Application()
        app.router.add_route("*", "/orders/{number}", self.order)
        app.router.add_get("/away", self.away)
        self.server = TestServer(app)

    async def order(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.failures > 0:
            self.failures -= 1
            return web.json_response({}, status=500)
        found = ORDERS.get(request.match_info["number"])
        return web.json_response(found or {"error": "unknown"}, status=200 if found else 404)

    async def away(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("https://evil.example/")

    @property
    def origin(self) -> str:
        return str(self.server.make_url("/")).rstrip("/")

    def request(self, path: str, method: str = "GET", *, repeat: bool = False) -> ConnectorRequest:
        return ConnectorRequest(method, self.origin + path, "key", repeat=repeat)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    opened = Shop()
    await opened.server.start_server()
    yield opened
    await opened.server.close()


@pytest.fixture
async def testbot(articles: Path, tmp_path: Path, shop: Shop) -> AsyncIterator[TestBot]:
    folder = tmp_path / "flows"
    folder.mkdir()
    text = EXAMPLE.read_text("utf-8").replace("https://shop.example.com", shop.origin)
    (folder / "order_status.yaml").write_text(text, "utf-8")
    config = Config.model_validate({"base": tmp_path, "flows": {"hosts": [shop.origin]}})
    connector = HttpConnector([shop.origin], SECRETS)
    async with open_test_bot(articles, config=config, given=Overrides(connector=connector)) as opened:
        yield opened


async def test_the_example_tells_where_an_order_is(testbot: TestBot, shop: Shop) -> None:
    """In both languages; what the shop says stays words, and the secret went in a header."""
    anna, john = testbot.customer(channel="vk"), testbot.customer("John", chat="1002", language="en")
    await anna.says("Где мой заказ 48213?")
    (said,) = anna.sees()
    assert said.outbound.text.text == (
        "Заказ 48213: <b>в пути</b> [сюда](https://evil.example), ждём его у вас 24 ноября."
    )
    assert not any(span.url for span in said.outbound.text.spans)
    assert shop.asked[0].headers["Authorization"] == "Bearer s3cret"
    await john.says("where is my order?")
    assert john.hears()[0].startswith("What is the number of your order?")
    await john.says("48213")
    assert john.hears()[0].startswith("Order 48213:")


async def test_the_example_tries_again_and_calls_a_person(testbot: TestBot, shop: Shop) -> None:
    """An unknown number is asked for anew; a shop that is out of order means a person."""
    anna = testbot.customer()
    await anna.says("/order")
    await anna.says("99999")
    await anna.presses("Другой номер")
    shop.failures = 2
    await anna.says("48213")

    (ticket,) = await testbot.store.tickets()
    assert ("номер заказа", "48213") in ticket.state.attributes
    assert any("Передаю коллегам" in text for text in anna.hears())


async def test_only_what_may_be_repeated_is_tried_again(shop: Shop) -> None:
    connector = HttpConnector([shop.origin], {})
    shop.failures = 1
    assert (await connector.call(shop.request("/orders/48213", repeat=True))).status == 200
    shop.failures = 1
    assert (await connector.call(shop.request("/orders/48213", "POST"))).status == 500
    assert {r.headers["Idempotency-Key"] for r in shop.asked} == {"key"} and len(shop.asked) == 3


async def test_no_redirect_is_followed_and_no_other_host_called(shop: Shop) -> None:
    connector = HttpConnector([shop.origin], {})
    assert (await connector.call(shop.request("/away"))).status == 302
    for hosts in ([], ["127.0.0.1"], ["https://shop.example.com"]):
        with pytest.raises(ConnectorFailed):
            await HttpConnector(hosts, {}).call(shop.request("/orders/48213"))
    private = ConnectorRequest("GET", "https://localhost/", "key", timeout=2)
    with pytest.raises(ConnectorFailed):
        await HttpConnector(["localhost"], {}).call(private)
