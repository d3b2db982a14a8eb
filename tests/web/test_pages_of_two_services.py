"""Two whole services on one database: what each tells of itself, and what both know at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.app import Service
from bot.cli.site import site_of
from bot.config.roles import ProcessRole
from bot.model import Event, Inbound, InboundKind, Incident, Peer, Sender
from bot.testing.harness import DESK_CHAT
from bot.web.server import build_app
from tests.leases.two_services import Cluster, channels, opened, question

OLGA = Sender("9001", "Ольга")


@pytest.fixture
async def cluster(database: str, articles: Path) -> AsyncIterator[Cluster]:
    async with opened(database, articles) as cluster:
        yield cluster


async def told(service: Service, path: str) -> tuple[int, Any, str]:
    """Status, JSON where it is some, and text of what it answers."""
    async with AsyncExitStack() as stack:
        client: TestClient[Any, Any] = TestClient(TestServer(build_app(site_of(service).services)))
        await client.start_server()
        stack.push_async_callback(client.close)
        answer = await client.get(path, headers={"Accept": "text/html, application/json"})
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else None, await answer.text()


def in_desk(cluster: Cluster, key: str, kind: InboundKind, text: str = "", **fields: Any) -> Inbound:
    """What happens in the operators' group; words are Olga's."""
    desk = Peer("telegram", DESK_CHAT)
    return Inbound(key, desk, OLGA, cluster.clock(), kind, text, message=key, private=False, **fields)


async def decided(cluster: Cluster, service: Service, inbound: Inbound) -> None:
    """It came in anywhere, and this service decides on it."""
    await service.inbox.accept(inbound.peer.channel, [inbound])
    cluster.clock.advance(seconds=6)
    while await service.engine.run_waiting():
        cluster.clock.advance(seconds=1)


async def test_each_service_is_ready_for_its_own_part(cluster: Cluster) -> None:
    """The sender has the channels; who only serves pages, and who only decides, is ready beside it. While the
    sender's own channel fails, it alone is not ready.
    """
    web = await cluster.open("web", roles=frozenset({ProcessRole.WEB}))
    decide = await cluster.open("decide", roles=frozenset({ProcessRole.DECIDE}))
    send = await cluster.open("send", roles=frozenset({ProcessRole.SEND}))
    await cluster.beat(web, decide, send, seconds=3)
    channels(send)["vk"].health.state = "failing"
    found = {s.store.holder: await told(s, "/readyz") for s in (web, decide, send)}

    assert {name: status for name, (status, _, _) in found.items()} == {
        "web": 200,
        "decide": 200,
        "send": 503,
    }
    held = {
        name: {n for n, x in body["replica"]["leases"].items() if x["held"]}
        for name, (_, body, _) in found.items()
    }
    assert held == {"web": set(), "decide": {"periodic"}, "send": {"channel:telegram", "channel:vk"}}
    assert {name: body["replica"]["roles"] for name, (_, body, _) in found.items()} == {n: [n] for n in held}
    assert found["web"][1]["channels"]["vk"]["state"] == "standby"
    for service in (web, decide, send):
        assert "otklik_replicas 3.0" in (await told(service, "/metrics"))[2]


async def test_who_waits_shows_as_lag_on_every_replica(cluster: Cluster) -> None:
    """Whichever process could decide and does not."""
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.inbox.accept("vk", [question(cluster, "Сколько идёт доставка?")])
    cluster.clock.advance(seconds=66)

    lags = [(await told(s, "/readyz"))[1]["replica"]["lag"]["turns"] for s in (one, two)]
    assert lags[0] == lags[1] >= 60


async def test_replicas_answer_and_record_from_their_own_articles(cluster: Cluster, articles: Path) -> None:
    """One has read the change and the other has not: the turns tell, and the page of both names them."""
    one = await cluster.open("one")
    await decided(cluster, one, question(cluster, "Сколько идёт доставка?"))
    (articles / "delivery.md").write_text("---\ntitle: Сроки доставки\n---\nНеделя.\n", encoding="utf-8")
    two = await cluster.open("two")
    await decided(cluster, two, question(cluster, "Сколько идёт доставка?"))
    await cluster.beat(one, two, seconds=3)

    recorded = [turn.articles for turn in await one.store.turns()]
    assert recorded == [one.knowledge.articles_version, two.knowledge.articles_version]
    for service in (one, two):
        page = (await told(service, "/kb"))[2]
        assert all(f"{s.store.holder}: <code>{s.knowledge.articles_version}" in page for s in (one, two))


async def test_who_left_the_group_acts_nowhere(cluster: Cluster) -> None:
    """One process hears that an operator left; the next command is decided by the other."""
    one, two = await cluster.open("one"), await cluster.open("two")
    await decided(cluster, one, question(cluster, "позовите оператора"))
    await decided(cluster, two, in_desk(cluster, "d1", InboundKind.MESSAGE, "на месте"))
    left = in_desk(cluster, "d2", InboundKind.MEMBER, data={"user": OLGA.id, "status": "left"})
    await decided(cluster, one, left)
    for service in (one, two):
        channels(service)["telegram"].members[OLGA.id] = "none"
    thread = await one.store.topic(1, "telegram", DESK_CHAT) or ""
    order = in_desk(cluster, "d3", InboundKind.MESSAGE, "/take 1")
    await decided(cluster, two, replace(order, peer=replace(order.peer, thread=thread)))

    ticket = await one.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")
    (refused,) = await one.store.events(kinds=["refused"])
    assert refused.data["why"] == "not_in_the_group"


async def test_sessions_of_one_service_hold_on_the_other(cluster: Cluster) -> None:
    assert (await cluster.open("one")).secret == (await cluster.open("two")).secret


async def test_without_the_role_web_only_health_is_told(cluster: Cluster) -> None:
    """No page, no webhook and no API, but whoever watches it is answered."""
    decide = await cluster.open("decide", roles=frozenset({ProcessRole.DECIDE}))
    found = {path: (await told(decide, path))[0] for path in ("/healthz", "/readyz", "/metrics", "/kb", "/")}

    assert found == {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/kb": 404, "/": 404}


async def test_pages_show_an_incident_that_another_process_heard_of(cluster: Cluster) -> None:
    """Also of a process that decides nothing; over, it is shown no more."""
    pages = await cluster.open("pages", roles=frozenset({ProcessRole.WEB}))
    other, incident = await cluster.open("other"), Incident(1, "Сбой доставки в Казани", ("казань",))
    shown = [(await told(pages, "/kb"))[2]]
    for event in (incident.event(), Event("incident_off", data={"number": 1})):
        await other.store.enqueue([], cluster.clock(), events=[event])
        shown.append((await told(pages, "/kb"))[2])

    assert ["Сбой доставки в Казани" in page for page in shown] == [False, True, False]
