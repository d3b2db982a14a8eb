"""The REST API, called by a real client: keys, wishes carried out once, tickets, faults in one form, and
its description.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from bot.config.handoff import Api
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.model import PUBLIC, CustomerMerge, InboundKind, OutboundKind
from bot.storage.sqlite.store import SqliteStore
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import DESK_CHAT
from bot.web.api.keys import WRONG_KEYS, ApiKeys
from bot.web.api.rest import ROOT, RestApi
from bot.web.server import build_app
from bot.web.services import WebServices

CRM, SHOP, DPO = (
    "crm-key-0123456789-0123456789",
    "shop-key-0123456789-0123456789",
    "privacy-key-0123456789-0123456789",
)


@dataclass
class ApiClient:
    """The API of a service, and a client with the CRM's key."""

    testbot: TestBot
    rest: RestApi
    client: TestClient[Any, Any]

    async def ask(
        self, method: str, path: str, *, key: str = CRM, once: str = "", **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and body; *once* is the idempotency key."""
        headers = {
            "Authorization": f"Bearer {key}",
            **({"Idempotency-Key": once} if once else {}),
            **more.pop("headers", {}),
        }
        answer = await self.client.request(method, ROOT + path, headers=headers, **more)
        kind = "application/json" if answer.status < 400 else "application/problem+json"
        assert answer.content_type == kind, await answer.text()
        return answer.status, await answer.json()

    async def carried_out(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """`ask`, and let the service come to rest."""
        answered = await self.ask(method, path, **more)
        await self.testbot.rest()
        return answered


@pytest.fixture
async def api(articles: Path) -> AsyncIterator[ApiClient]:
    """A service with Anna in Telegram, its api open to a CRM and (for tickets only) to a shop."""
    keys = ApiKeys(
        {
            "crm": (CRM, ("customers", "messages", "tickets")),
            "shop": (SHOP, ("tickets",)),
            "dpo": (DPO, ("privacy",)),
        },
        per_minute=200,
    )
    async with open_test_bot(articles) as testbot:
        service = testbot.service
        rest = RestApi(service.store, service.inbox.accept, keys, testbot.clock)
        services = WebServices(
            service.store,
            service.adapters,
            testbot.clock,
            knowledge=service.knowledge,
            rest=rest,
            password="страницы под паролем",
        )
        client: TestClient[Any, Any] = TestClient(TestServer(build_app(services)))
        await client.start_server()
        await testbot.customer().says("добрый день")
        yield ApiClient(testbot, rest, client)
        await client.close()


# --- who may


async def test_without_a_known_key_nothing_is_told(api: ApiClient) -> None:
    """No key, a wrong one, another scheme: 401 in one form; the pages' password is no key."""
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {CRM}"},
        {"Authorization": "Bearer "},
    ):
        answer = await api.client.get(f"{ROOT}/customers/1", headers=headers)
        body = await answer.json()
        assert (answer.status, body["code"], answer.headers["WWW-Authenticate"]) == (
            401,
            "unknown_key",
            "Bearer",
        )


async def test_a_key_may_what_it_may(api: ApiClient) -> None:
    """The shop's key opens tickets and sees no customer."""
    status, body = await api.ask("GET", "/customers/1", key=SHOP)
    assert (status, body["code"]) == (403, "not_allowed")
    assert (await api.ask("POST", "/customers/1/tickets", key=SHOP, once="1", json={}))[0] == 202


async def test_too_many_requests_are_told_to_wait(api: ApiClient) -> None:
    """At most `per_minute` for one key; another key is not held up by it."""
    answers = [await api.ask("GET", "/tickets/1") for _ in range(201)]
    assert (answers[-1][0], answers[-1][1]["code"]) == (429, "too_many_requests")
    assert {status for status, _ in answers[:200]} == {404}
    assert (await api.ask("GET", "/tickets/1", key=SHOP))[0] == 404


async def test_guessing_keys_is_slowed_and_known_keys_are_not(api: ApiClient) -> None:
    """After a minute's worth of unknown keys further ones are told to wait."""
    answers = [(await api.ask("GET", "/tickets/1", key=f"guess-{n}"))[0] for n in range(WRONG_KEYS + 1)]

    assert answers == [401] * WRONG_KEYS + [429]
    assert (await api.ask("GET", "/tickets/1"))[0] == 404


async def test_without_keys_there_is_no_api(articles: Path) -> None:
    """Nothing is mounted, and the answer says no more than that."""
    async with open_test_bot(articles) as testbot:
        client: TestClient[Any, Any] = TestClient(
            TestServer(build_app(WebServices(testbot.service.store, {}, testbot.clock)))
        )
        await client.start_server()
        answer = await client.get(f"{ROOT}/customers/1", headers={"Authorization": f"Bearer {CRM}"})
        assert (answer.status, (await answer.json())["code"]) == (404, "unknown_path")
        await client.close()


async def test_keys_come_from_environment_and_file(tmp_path: Path) -> None:
    """Both are known; a line of the file that is wrong is told with its number and without the key."""
    file = tmp_path / "keys"
    file.write_text(f"# other systems\nshop {SHOP}\n", encoding="utf-8")
    api = Api.model_validate({"keys": {"crm": {"secret": CRM, "may": ["tickets"]}, "off": {}}})
    keys = ApiKeys.load(api, file)
    assert keys is not None
    bearer = [make_mocked_request("GET", "/", {"Authorization": f"Bearer {key}"}) for key in (CRM, SHOP)]
    store, now = SqliteStore.open(":memory:"), datetime(2026, 3, 2, 12, tzinfo=UTC)
    callers = [await keys.admit(request, store, now) for request in bearer]
    assert [(caller.name, caller.may) for caller in callers] == [
        ("crm", ("tickets",)),
        ("shop", ("customers", "messages", "tickets")),
    ]
    file.write_text("shop short-key\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"keys:1.*короче") as raised:
        ApiKeys.load(api, file)
    assert "short-key" not in str(raised.value)
    assert ApiKeys.load(Api(), None) is None


# --- customers


async def test_attributes_are_changed_and_taken_away(api: ApiClient) -> None:
    """What the CRM tells is kept beside what is known, contacts in one form, and an event names who and
    what.
    """
    assert (
        await api.carried_out(
            "PATCH",
            "/customers/1/attributes",
            json={"attributes": {"vip": True, "phone": "8 (912) 345-67-89", "город": "Казань"}},
        )
    )[0] == 202
    await api.carried_out("PATCH", "/customers/1/attributes", json={"attributes": {"город": None}})

    assert (await api.ask("GET", "/customers/1"))[1] == {
        "id": 1, "name": "Анна", "language": "ru", "attributes": {"vip": True, "phone": "+79123456789"},
        "addresses": [{"channel": "telegram", "chat": "1001", "reachable": True}], "ticket": None,
    }  # fmt: skip
    events = await api.testbot.service.store.events(kinds=["attributes_changed"])
    assert [(e.actor, e.data["names"]) for e in events] == [
        ("api:crm", ["phone", "vip", "город"]),
        ("api:crm", ["город"]),
    ]


async def test_customers_are_found(api: ApiClient) -> None:
    """By address, and by a phone in any form; an unclear question is refused."""
    await api.carried_out(
        "PATCH", "/customers/1/attributes", json={"attributes": {"phone": "+7 912 345-67-89"}}
    )
    for query in ({"channel": "telegram", "chat": "1001"}, {"phone": "89123456789"}):
        assert [c["id"] for c in (await api.ask("GET", "/customers", params=query))[1]["customers"]] == [1]
    assert (await api.ask("GET", "/customers", params={"channel": "vk", "chat": "1"}))[1] == {"customers": []}
    assert (await api.ask("GET", "/customers"))[1]["code"] == "unclear_query"
    assert (await api.ask("GET", "/customers", params={"email": "no"}))[1]["code"] == "no_contact"


async def test_attributes_reach_the_card_and_its_open_ticket(api: ApiClient) -> None:
    """An operator sees what the CRM told, also when it was told while they have the ticket."""
    anna, olga = api.testbot.customer(), api.testbot.operator()
    await api.carried_out("PATCH", "/customers/1/attributes", json={"attributes": {"город": "Казань"}})
    await anna.says("позовите оператора")
    assert any("город — Казань" in o.text.text for o in await olga.sees(1))
    await api.carried_out("PATCH", "/customers/1/attributes", json={"attributes": {"скидка": 15}})

    assert any("скидка — 15" in o.text.text for o in await olga.sees(1))


async def test_a_joined_customer_is_found_under_either_number(api: ApiClient) -> None:
    """A CRM that kept the second number still reaches the person, and the message goes where they wrote
    last.
    """
    same = api.testbot.customer("Аня", channel="vk", chat="7")
    await same.says("добрый день")
    await api.testbot.service.store.join_customers(CustomerMerge(1, 2), api.testbot.clock(), by="test")
    status, body = await api.ask("GET", "/customers/2")
    assert (status, body["id"], [a["channel"] for a in body["addresses"]]) == (200, 1, ["vk", "telegram"])
    await api.carried_out("POST", "/customers/2/messages", once="1", json={"text": "Заказ собран"})

    assert same.hears()[-1] == "Заказ собран"


# --- messages


async def test_a_customer_is_told_everything_and_forgotten_while_the_bot_runs(api: ApiClient) -> None:
    """Only by a key for privacy; then nobody knows them, and what the desk showed of them is deleted."""
    await api.testbot.customer().says("позовите оператора")
    assert (await api.ask("DELETE", "/customers/1"))[0] == 403
    status, told = await api.ask("GET", "/customers/1/data", key=DPO)
    assert status == 200 and "добрый день" in str(told["data"])

    assert await api.carried_out("DELETE", "/customers/1", key=DPO) == (
        200,
        {"customer": 1, "forgotten": True},
    )
    assert (await api.ask("DELETE", "/customers/1", key=DPO))[0] == 404
    assert len(api.testbot.channels["telegram"].in_chat(DESK_CHAT, kind=OutboundKind.DELETE_TOPIC)) == 1
    assert "добрый день" not in str(await api.testbot.service.store.export_customer(1))


async def test_a_message_is_said_once(api: ApiClient) -> None:
    """Through the outbox; the same key again does nothing, also at the same moment, and another body with it
    is refused.
    """
    anna = api.testbot.customer()
    await anna.says("жду")
    answers = await asyncio.gather(
        *(
            api.ask("POST", "/customers/1/messages", once="order-1", json={"text": "Заказ *собран*"})
            for _ in range(5)
        )
    )
    await api.testbot.rest()
    again = await api.carried_out(
        "POST", "/customers/1/messages", once="order-1", json={"text": "Заказ *собран*"}
    )
    other = await api.ask("POST", "/customers/1/messages", once="order-1", json={"text": "Заказ уехал"})

    assert {status for status, _ in answers} == {202}
    assert (again[0], again[1]["repeated"]) == (202, True)
    assert (other[0], other[1]["code"]) == (422, "key_reused")
    assert [t for t in anna.hears() if "Заказ" in t] == ["Заказ *собран*"]
    assert (await api.ask("GET", "/customers/1/messages/order-1"))[1] == {
        "key": "order-1",
        "state": "sent",
        "error": "",
    }
    assert (await api.ask("GET", "/customers/1/messages/order-2"))[1]["code"] == "unknown_message"


async def test_a_message_does_not_disturb_an_open_question(api: ApiClient) -> None:
    """What the bot has just asked is still asked after the other system spoke."""
    anna = api.testbot.customer()
    await anna.says("доставка")
    before = await api.testbot.service.store.conversation(anna.peer)
    await api.carried_out(
        "POST", "/customers/1/messages", once="1", json={"text": "**Акция**", "markdown": True}
    )
    after = await api.testbot.service.store.conversation(anna.peer)

    assert before is not None and after is not None
    assert (anna.hears()[-1], after.state) == ("Акция", before.state)


async def test_operators_see_what_another_system_said(api: ApiClient) -> None:
    """In the open ticket, with the name of the system."""
    anna, olga = api.testbot.customer(), api.testbot.operator()
    await anna.says("позовите оператора")
    await api.carried_out("POST", "/customers/1/messages", once="1", json={"text": "Заказ собран"})

    assert any("crm" in o.text.text and "Заказ собран" in o.text.text for o in await olga.sees(1))


async def test_who_forbade_messages_is_not_written_to(api: ApiClient) -> None:
    """409 at once, not a delivery that fails later."""
    anna = api.testbot.customer()
    await api.testbot.arrive(anna.inbound(anna.peer, InboundKind.BLOCKED, private=True))
    status, body = await api.ask("POST", "/customers/1/messages", once="1", json={"text": "Заказ собран"})

    assert (status, body["code"]) == (409, "unreachable")


# --- tickets


async def test_nobody_is_written_to_where_everybody_reads(api: ApiClient) -> None:
    """Who has only commented cannot be written to; who also writes alone hears it there."""
    boris = api.testbot.customer("Борис", channel="vk", chat="77")
    public = replace(boris.peer, thread=f"{PUBLIC}wall-1_2.3")
    await api.testbot.arrive(boris.inbound(public, InboundKind.MESSAGE, "красота", private=True))
    found = await api.testbot.store.conversation(public)
    assert found is not None
    path, body = f"/customers/{found.customer}/messages", {"text": "Заказ 48213 собран"}
    status, told = await api.carried_out("POST", path, once="m1", json=body)
    assert (status, told["code"]) == (409, "unreachable")
    await boris.says("добрый день")
    boris.listens()
    assert (await api.carried_out("POST", path, once="m2", json=body))[0] == 202
    assert boris.hears() == ["Заказ 48213 собран"] and boris.sees()[0].outbound.to == boris.peer


async def test_a_ticket_is_opened_shown_and_closed(api: ApiClient) -> None:
    """The customer is told as always, operators see who asked and why, and a repeat of either wish does
    nothing.
    """
    anna, olga = api.testbot.customer(), api.testbot.operator()
    assert (
        await api.carried_out("POST", "/customers/1/tickets", once="open-1", json={"text": "Возврат завис"})
    )[0] == 202
    assert (
        await api.carried_out("POST", "/customers/1/tickets", once="open-1", json={"text": "Возврат завис"})
    )[1]["repeated"]
    assert (await api.ask("POST", "/customers/1/tickets", once="open-2", json={}))[1]["code"] == "ticket_open"
    assert any("crm" in o.text.text and "Возврат завис" in o.text.text for o in await olga.sees(1))
    status, ticket = await api.ask("GET", "/tickets/1")
    assert (status, ticket["status"], ticket["reason"], ticket["customer"]) == (200, "waiting", "api", 1)
    assert (await api.ask("GET", "/customers/1"))[1]["ticket"] == 1

    assert (await api.carried_out("POST", "/tickets/1/close", once="close-1"))[0] == 202
    assert (await api.carried_out("POST", "/tickets/1/close", once="close-1"))[1]["repeated"]
    assert (await api.ask("POST", "/tickets/1/close", once="close-2"))[1]["code"] == "ticket_closed"
    assert (await api.ask("GET", "/tickets/1"))[1]["status"] == "closed"
    events = await api.testbot.service.store.events(kinds=["ticket_opened", "ticket_closed"])
    assert [(e.kind, e.actor) for e in events] == [("ticket_opened", ""), ("ticket_closed", "api:crm")]
    assert any(
        "№1" in t
        for t in [s.outbound.text.text for s in api.testbot.channels["telegram"].in_chat(anna.peer.chat)]
    )


# --- what is wrong is said


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("POST", "/customers/1/messages", {"json": {"text": "а"}}, 400, "no_idempotency_key"),
        (
            "POST",
            "/customers/1/messages",
            {"once": "1", "data": "{", "headers": {"Content-Type": "application/json"}},
            400,
            "broken_json",
        ),
        (
            "POST",
            "/customers/1/messages",
            {"once": "1", "data": b'{"text": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
            422,
            "wrong_body",
        ),
        ("POST", "/customers/1/messages", {"once": "1", "data": "text=a"}, 415, "not_json"),
        ("POST", "/customers/1/messages", {"once": "1", "json": {"text": "а" * 70_000}}, 413, "too_large"),
        ("POST", "/customers/1/messages", {"once": "1", "json": {"text": " "}}, 422, "wrong_body"),
        (
            "POST",
            "/customers/1/messages",
            {"once": "1", "json": {"text": "а", "to": "all"}},
            422,
            "wrong_body",
        ),
        (
            "POST",
            "/customers/1/messages",
            {"once": "1", "json": {"text": "а", "channel": "vk"}},
            404,
            "unknown_channel",
        ),
        ("POST", "/customers/9/messages", {"once": "1", "json": {"text": "а"}}, 404, "unknown_customer"),
        ("PATCH", "/customers/1/attributes", {"json": {"attributes": {"VIP": 1}}}, 422, "wrong_body"),
        (
            "PATCH",
            "/customers/1/attributes",
            {"json": {"attributes": {"rating_asked": "x"}}},
            422,
            "wrong_body",
        ),
        ("PATCH", "/customers/1/attributes", {"json": {"attributes": {"a": [1]}}}, 422, "wrong_body"),
        (
            "PATCH",
            "/customers/1/attributes",
            {"data": '{"attributes": {"a": 1e999}}', "headers": {"Content-Type": "application/json"}},
            422,
            "wrong_body",
        ),
        ("PATCH", "/customers/1/attributes", {"json": []}, 422, "wrong_body"),
        ("GET", "/customers/0x1", {}, 404, "unknown_customer"),
        ("GET", f"/customers/{'9' * 30}", {}, 404, "unknown_customer"),
        ("GET", "/tickets/7", {}, 404, "unknown_ticket"),
        ("GET", "/nothing", {}, 404, "unknown_path"),
        ("DELETE", "/tickets/1", {}, 405, "wrong_method"),
    ],
)
async def test_what_is_wrong_is_told_in_one_form(
    api: ApiClient, method: str, path: str, more: dict[str, Any], status: int, code: str
) -> None:
    """Status, code, a sentence; nothing was done."""
    before = len(await api.testbot.service.store.turns())
    answered, body = await api.carried_out(method, path, **more)

    assert (answered, body["status"], body["code"]) == (status, status, code)
    assert body["title"] and body["detail"]
    assert len(await api.testbot.service.store.turns()) == before


async def test_a_wrong_body_is_pointed_into(api: ApiClient) -> None:
    """Every fault has its place."""
    _, body = await api.ask("POST", "/customers/1/messages", once="1", json={"markdown": "yes", "x": 1})

    assert {e["pointer"] for e in body["errors"]} == {"#/text", "#/markdown", "#/x"}


# --- the description


async def test_every_route_is_described_and_nothing_else(api: ApiClient) -> None:
    """The document holds exactly the routes that are mounted, and each reference in it leads somewhere."""
    answer = await api.client.get(f"{ROOT}/openapi.json")
    described = await answer.json()
    mounted = {
        (r.method, r.resource.canonical.removeprefix(ROOT))
        for r in api.client.server.app.router.routes()  # type: ignore[attr-defined]
        if r.resource and r.resource.canonical.startswith(ROOT) and r.method != "HEAD"
    } - {("GET", "/openapi.json")}

    assert answer.status == 200 and described["openapi"] == "3.1.0"
    assert {(m.upper(), path) for path, item in described["paths"].items() for m in item} == mounted
    assert set(re.findall(r"#/components/schemas/(\w+)", str(described))) <= set(
        described["components"]["schemas"]
    )
    assert len({o["operationId"] for item in described["paths"].values() for o in item.values()}) == len(
        mounted
    )
    for path, item in described["paths"].items():
        for operation in item.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_keys_in_the_config_open_the_api(tmp_path: Path) -> None:
    """A key that stands in the file, and one too short, are refused in words."""
    with pytest.raises(ValueError, match="короче 24"):
        Config.model_validate({"api": {"keys": {"crm": {"secret": "short"}}}})
