"""Events told to other systems: signed, in order, at least once, without anybody's words, and nobody waits
for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

import bot
from bot.adapters.webhook import PATIENCE, WebhookAdapter
from bot.clock import HandClock
from bot.config.loader import Config, read_config
from bot.delivery.attachment_reader import AttachmentReader
from bot.errors import ConfigError, Refused
from bot.events.kinds import KINDS
from bot.model import Outbound, OutboundKind, Peer, RichText
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import NOON
from bot.web.server import build_app
from bot.web.services import WebServices
from tests.integrations.conftest import SECRET, Receiver

Opened = Callable[..., AbstractAsyncContextManager[TestBot]]
EVENTS = ["ticket_opened", "ticket_taken", "ticket_closed"]


@pytest.fixture
def opened(articles: Path, receiver: Receiver) -> Opened:
    """A service that tells the receiver; keyword arguments change the webhook's settings."""

    @asynccontextmanager
    async def open_(storage: str = ":memory:", **hook: object) -> AsyncIterator[TestBot]:
        settings = {"url": receiver.url, "secret": SECRET, "private": True, "events": EVENTS, **hook}
        async with open_test_bot(
            articles, config=Config.model_validate({"webhooks": {"crm": settings}}), storage=storage
        ) as testbot:
            yield testbot
            await testbot.service.adapters["hook-crm"].close()

    return open_


async def announced(testbot: TestBot, **later: float) -> None:
    """Let events be enqueued and delivered."""
    if later:
        testbot.clock.advance(**later)
    await testbot.service.announcer.go()
    await testbot.rest()


async def a_ticket(testbot: TestBot) -> None:
    """Opened by a customer, taken and closed by an operator."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора, мой телефон +79123456789")
    await olga.says("/take", ticket=1)
    await olga.says("/close", ticket=1)


async def test_events_come_signed_and_in_order(opened: Opened, receiver: Receiver) -> None:
    """The signature of Standard Webhooks holds over id, time and body; the id is the idempotency key."""
    async with opened() as testbot:
        await a_ticket(testbot)
        await announced(testbot)

    assert receiver.kinds == EVENTS
    for headers, body in receiver.calls:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        made = base64.b64encode(
            hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        ).decode()
        assert headers["webhook-signature"] == f"v1,{made}"
        assert headers["idempotency-key"] == headers["webhook-id"]
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == 3
    assert receiver.told[1]["data"] == {
        "customer": 1,
        "conversation": 1,
        "ticket": 1,
        "actor": "operator",
        "channel": "telegram",
        "details": {},
    }


async def test_no_words_leave_unless_asked(opened: Opened, receiver: Receiver) -> None:
    """Everything is told, and nothing of what people wrote, of names, chats or phones is in it."""
    async with opened(events=["*"]) as testbot:
        await a_ticket(testbot)
        await testbot.customer().says("/start")
        await announced(testbot)

    text = json.dumps(receiver.told, ensure_ascii=False)
    assert len(receiver.told) > 5
    assert not [w for w in ("оператора", "79123456789", "Анна", "Ольга", "1001", "9001") if w in text]


async def test_words_are_told_where_asked(opened: Opened, receiver: Receiver) -> None:
    """With `words: true` the other system can find the customer and the operator."""
    async with opened(words=True) as testbot:
        await a_ticket(testbot)
        await announced(testbot)

    assert receiver.told[0]["data"]["chat"] == "1001"
    assert receiver.told[1]["data"]["actor"] == "telegram:9001"


async def test_what_fails_is_tried_again_with_the_same_id(opened: Opened, receiver: Receiver) -> None:
    """Two failures, then success: three calls, one id, growing pauses, nothing overtaken."""
    receiver.statuses = [500, 302]
    async with opened() as testbot:
        await a_ticket(testbot)
        await announced(testbot)
        assert receiver.kinds == ["ticket_opened"]
        health = [testbot.service.adapters["hook-crm"].health.state]
        for _ in range(4):
            await announced(testbot, minutes=1)

        assert receiver.kinds == ["ticket_opened", "ticket_opened", *EVENTS]
        assert len({headers["webhook-id"] for headers, _ in receiver.calls[:3]}) == 1
        assert [*health, testbot.service.adapters["hook-crm"].health.state] == ["failing", "working"]


async def test_an_event_the_address_refuses_does_not_stop_the_others(
    opened: Opened, receiver: Receiver
) -> None:
    """Content that is refused again and again is passed over, with an event of its own that is told to
    nobody.
    """
    receiver.statuses = [422] * 20
    async with opened() as testbot:
        await a_ticket(testbot)
        for _ in range(30):
            await announced(testbot, minutes=7)

        assert receiver.kinds == ["ticket_opened"] * 20 + ["ticket_taken", "ticket_closed"]
        (failed,) = await testbot.service.store.events(kinds=["webhook_failed"])
        assert failed.data["channel"] == "hook-crm"


async def test_a_restart_loses_and_doubles_nothing(
    opened: Opened, receiver: Receiver, tmp_path: Path
) -> None:
    """Events recorded before a stop are told after the next start, each once."""
    file = str(tmp_path / "bot.db")
    async with opened(storage=file) as testbot:
        await testbot.customer().says("позовите оператора")
    async with opened(storage=file) as testbot:
        await announced(testbot)
        assert receiver.kinds == ["ticket_opened"]
    async with opened(storage=file) as testbot:
        await announced(testbot)

    assert receiver.kinds == ["ticket_opened"]


async def test_a_kill_in_the_middle_of_a_call_repeats_it_with_a_doubt(
    opened: Opened, receiver: Receiver, tmp_path: Path
) -> None:
    """What was under way when the process died is told again under the same id, and the doubt is kept."""
    file = str(tmp_path / "bot.db")
    async with opened(storage=file) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.service.announcer.go()
        (taken,) = [
            d
            for d in await testbot.service.store.take_deliveries(testbot.clock())
            if d.outbound.kind is OutboundKind.ANNOUNCE
        ]
        await testbot.service.adapters["hook-crm"].send(
            taken.outbound,
            nonce=taken.id,
            target="",
            files=AttachmentReader({}, lambda ref: pytest.fail(ref)),
        )
    async with opened(storage=file) as testbot:
        testbot.clock.advance(minutes=1)
        await testbot.service.store.recover(testbot.clock())
        await announced(testbot)
        (kept,) = [
            d for d in await testbot.service.store.deliveries() if d.outbound.kind is OutboundKind.ANNOUNCE
        ]

    assert (kept.status, kept.doubts) == ("sent", 1)
    assert len(receiver.calls) == 2
    assert receiver.calls[0][0]["webhook-id"] == receiver.calls[1][0]["webhook-id"]


async def test_an_address_that_hangs_delays_no_customer(opened: Opened, receiver: Receiver) -> None:
    """While a call hangs, customers are answered by the running outbox."""
    receiver.hangs = asyncio.Event()
    async with opened() as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.service.announcer.go()
        running = asyncio.create_task(testbot.service.outbox.run(grace=0.1))
        while not receiver.calls:
            await asyncio.sleep(0.01)
        boris = testbot.customer("Борис", chat="1002")
        await boris.says("Сколько идёт доставка?", run=False)
        testbot.clock.advance(seconds=6)
        await testbot.service.engine.run_waiting()
        testbot.service.outbox.wake()
        for _ in range(200):
            if boris.hears():
                break
            await asyncio.sleep(0.01)

        assert any("3–5 дней" in text for text in boris.hears())
        testbot.service.outbox.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_of_a_forgotten_customer_nothing_more_is_told(opened: Opened, receiver: Receiver) -> None:
    """What still waits about them is taken back, and others hear that they are to be forgotten; what waits
    about others goes on.
    """
    async with opened(words=True, events=["ticket_opened", "customer_forgotten"]) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.customer("Борис", chat="1002").says("позовите оператора")
        await testbot.service.announcer.go()
        await testbot.service.store.forget_customer(1, testbot.clock())
        await announced(testbot)

    assert [(t["type"], t["data"]["customer"]) for t in receiver.told] == [
        ("ticket_opened", 2),
        ("customer_forgotten", 1),
    ]
    assert "1001" not in str(receiver.told)


async def test_what_was_told_does_not_fill_the_file(opened: Opened, receiver: Receiver) -> None:
    """After the days that words are kept, told announcements are gone, and the events themselves stay."""
    async with opened() as testbot:
        await a_ticket(testbot)
        await announced(testbot)
        store = testbot.service.store
        before = len(await store.events())
        assert await store.purge(testbot.clock() + timedelta(days=1)) >= len(EVENTS)

        assert [d for d in await store.deliveries() if d.outbound.kind is OutboundKind.ANNOUNCE] == []
        assert len(await store.events()) == before


async def test_health_tells_of_a_failing_webhook_and_stays_ready(opened: Opened, receiver: Receiver) -> None:
    """A monitor sees it; nobody takes the bot out of service for it."""
    receiver.statuses = [500]
    async with opened() as testbot:
        await testbot.customer().says("позовите оператора")
        await announced(testbot)
        service = testbot.service
        client = TestClient(
            TestServer(
                build_app(
                    WebServices(service.store, service.adapters, service.clock, knowledge=service.knowledge)
                )
            )
        )
        await client.start_server()
        answer = await client.get("/readyz")
        body = await answer.json()
        await client.close()

    assert answer.status == 200
    assert (body["webhooks"]["hook-crm"]["state"], body["webhooks"]["hook-crm"]["last_error"]) == (
        "failing",
        "HTTP 500",
    )


async def test_a_private_address_is_refused_unless_allowed(opened: Opened, receiver: Receiver) -> None:
    """Nobody can point a webhook at this machine by the config of a stranger or by a name that leads here."""
    adapter = WebhookAdapter(
        "hook-x", clock=HandClock(NOON), url=receiver.url.replace("127.0.0.1", "localhost"), secret=SECRET
    )
    body = json.dumps({"timestamp": NOON.isoformat()})
    with pytest.raises(Exception, match=r"no connection|not public"):
        await adapter.send(
            Outbound(Peer("hook-x", "events"), RichText(body), kind=OutboundKind.ANNOUNCE, name="evt_1"),
            nonce=1,
            target="",
            files=AttachmentReader({}, pytest.fail),
        )
    await adapter.close()

    assert receiver.calls == []


async def test_an_event_too_old_is_given_up(receiver: Receiver) -> None:
    """After three days of failures an event is passed over, so that the line does not grow for ever."""
    receiver.statuses = [500]
    clock = HandClock(NOON)
    adapter = WebhookAdapter("hook-x", clock=clock, url=receiver.url, secret=SECRET, private=True)
    body = json.dumps({"timestamp": (clock() - PATIENCE - timedelta(hours=1)).isoformat()})
    with pytest.raises(Refused, match="given up"):
        await adapter.send(
            Outbound(Peer("hook-x", "events"), RichText(body), kind=OutboundKind.ANNOUNCE, name="evt_1"),
            nonce=1,
            target="",
            files=AttachmentReader({}, pytest.fail),
        )
    await adapter.close()


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ('{url: "http://crm.example/hook", secret: "${S}"}', "должен начинаться с https"),
        ('{url: "https://crm.example/hook", secret: "plainly here"}', "секретам в файле не место"),
        ('{url: "https://crm.example/hook", secret: "${SHORT}"}', "короче 24"),
        ('{url: "https://crm.example/hook", secret: "${S}", events: [ticket_opend]}', "ticket_opened"),
        ('{url: "https://crm.example/hook", secret: "${S}", event: [ticket_opened]}', "может быть, events"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_with_its_line(tmp_path: Path, hook: str, said: str) -> None:
    """At start, in words, without the secret."""
    file = tmp_path / "config.yaml"
    file.write_text(f"webhooks:\n  crm: {hook}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as raised:
        read_config(file, environment={"S": SECRET, "SHORT": "abc-def-ghi"})

    assert "config.yaml:2" in str(raised.value)
    assert "abc-def-ghi" not in str(raised.value)


def test_the_documented_kinds_exist() -> None:
    """A kind that other systems may count on is made somewhere in the code."""
    root = Path(bot.__file__).parent
    code = "".join(p.read_text("utf-8") for p in root.rglob("*.py") if p.name != "happenings.py")

    assert [kind for kind in KINDS if f'"{kind}"' not in code] == []
