"""examples/bitrix24_lead with all three played: a service, the receiver, a small Bitrix24."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.webhook import sign
from bot.clock import Clock
from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from bot.web.api.keys import ApiKeys
from bot.web.api.rest import RestApi
from bot.web.server import build_app
from bot.web.services import WebServices

FILE = Path(__file__).parents[2] / "examples/bitrix24_lead/receiver.py"
SECRET, KEY = "signing-secret-0123456789-0123456789", "rest-key-0123456789-0123456789"


@dataclass
class Bitrix:
    """Keeps leads; the next calls fail as Bitrix24 does when it is asked too often."""

    leads: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0

    async def call(self, request: web.Request) -> web.Response:
        if self.failures:
            self.failures -= 1
            return web.json_response(
                {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}, status=503
            )
        body = await request.json()
        if request.match_info["method"] == "crm.lead.list":
            found = [
                i
                for i, lead in enumerate(self.leads, 1)
                if all(lead.get(k) == v for k, v in body["filter"].items())
            ]
            return web.json_response({"result": [{"ID": str(i)} for i in found], "total": len(found)})
        self.leads.append(body["fields"])
        return web.json_response({"result": len(self.leads)})


@pytest.fixture
def receiver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bitrix24_receiver", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bitrix24_receiver"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def bitrix(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bitrix]:
    made = Bitrix()
    app = web.Application()
    app.router.add_post("/rest/1/hidden/{method}.json", made.call)
    server = TestServer(app)
    await server.start_server()
    monkeypatch.setenv("BITRIX24_URL", str(server.make_url("/rest/1/hidden/")))
    monkeypatch.setenv("OTKLIK_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("OTKLIK_KEY", KEY)
    yield made
    await server.close()


@pytest.fixture
async def testbot(
    articles: Path, receiver: ModuleType, bitrix: Bitrix, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TestBot]:
    """A service that calls the receiver, with its REST API open to it."""
    clocks: list[Clock] = []  # one time for whoever signs and whoever checks: known once the service is open
    hook = TestServer(receiver.application(lambda: clocks[0]().timestamp()))
    await hook.start_server()
    settings = {
        "url": str(hook.make_url("/hook")),
        "private": True,
        "secret": SECRET,
        "events": ["ticket_opened"],
    }
    async with open_test_bot(
        articles, config=Config.model_validate({"webhooks": {"bitrix": settings}})
    ) as opened:
        service = opened.service
        clocks.append(opened.clock)
        rest = RestApi(
            service.store,
            service.inbox.accept,
            ApiKeys({"bitrix": (KEY, ("customers", "tickets"))}, per_minute=100),
            opened.clock,
        )
        server = TestServer(build_app(WebServices(service.store, {}, opened.clock, rest=rest)))
        await server.start_server()
        monkeypatch.setenv("OTKLIK_URL", str(server.make_url("/")))
        yield opened
        await service.adapters["hook-bitrix"].close()
        await server.close()
    await hook.close()


async def announced(testbot: TestBot) -> None:
    await testbot.service.announcer.go()
    await testbot.rest()


async def test_a_ticket_becomes_a_lead(testbot: TestBot, bitrix: Bitrix) -> None:
    """With name, phone and where it came from; nothing else that happens makes one."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("добрый день")
    await testbot.service.store.change_fields(1, {"phone": "+79123456789"}, testbot.clock(), by="test")
    await anna.says("позовите оператора")
    await olga.says("/close", ticket=1)
    await announced(testbot)
    (lead,) = bitrix.leads

    assert (lead["TITLE"], lead["NAME"], lead["PHONE"]) == (
        "Обращение №1",
        "Анна",
        [{"VALUE": "+79123456789", "VALUE_TYPE": "WORK"}],
    )
    assert (lead["SOURCE_DESCRIPTION"], lead["ORIGINATOR_ID"]) == ("telegram", "otklik")


async def test_a_busy_bitrix_delays_the_lead_and_doubles_nothing(testbot: TestBot, bitrix: Bitrix) -> None:
    """It is tried again later, with the same id."""
    bitrix.failures = 2
    await testbot.customer().says("позовите оператора")
    for _ in range(4):
        await announced(testbot)
        testbot.clock.advance(minutes=1)

    assert len(bitrix.leads) == 1


async def test_a_repeated_call_makes_no_second_lead(
    testbot: TestBot, bitrix: Bitrix, receiver: ModuleType
) -> None:
    """The answer to the first call was lost: the second finds the lead and is content; a stranger's call is
    refused.
    """
    await testbot.customer().says("позовите оператора")
    await announced(testbot)
    (sent,) = [d for d in await testbot.service.store.deliveries() if d.outbound.to.channel == "hook-bitrix"]
    body = sent.outbound.text.text.encode()
    now = int(testbot.clock().timestamp())
    signed = {
        "webhook-id": sent.outbound.name,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, sent.outbound.name, now, body),
    }
    assert receiver.is_signed(signed, body, SECRET, now)
    assert not receiver.is_signed(signed, body + b" ", SECRET, now)
    assert not receiver.is_signed(signed, body, SECRET, now + 3600)
    await testbot.service.adapters["hook-bitrix"].send(sent.outbound, nonce=sent.id, target="", files=None)  # type: ignore[arg-type]

    assert len(bitrix.leads) == 1
    assert json.loads(body)["type"] == "ticket_opened"
