"""Two processes serve the pages of one service: a browser, a program or a probe may come to either."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.app.stores import session_secret
from bot.clock import HandClock
from bot.config.loader import Config
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from bot.leases import LASTING
from bot.model import Inbound
from bot.storage.base import Replica
from bot.storage.postgres.store import PostgresStore
from bot.testing.fakes import FakeAdapter
from bot.testing.harness import NOON
from bot.web.api.keys import ApiKeys
from bot.web.api.rest import ROOT, RestApi
from bot.web.pages import read_words
from bot.web.server import build_app
from bot.web.services import WebServices

PASSWORD, KEY = "страницы под паролем", "crm-key-0123456789-0123456789-0123456789"
HTML = {"Accept": "text/html"}
CONFIG = Config.model_validate({"web": {"password": PASSWORD}})


@dataclass
class PageReplica:
    """A process: its store, its channel, and a browser that comes to it."""

    name: str
    store: PostgresStore
    telegram: FakeAdapter
    client: TestClient[Any, Any]

    async def log_in(self, password: str) -> int:
        html = await (await self.client.get("/login", headers=HTML)).text()
        csrf = html.partition('name="csrf" value="')[2].partition('"')[0]
        form = {"password": password, "csrf": csrf}
        return (await self.client.post("/login", data=form, allow_redirects=False)).status

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.client.session.cookie_jar}

    async def asks(self, key: str = KEY) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return (await self.client.get(f"{ROOT}/tickets/1", headers=headers)).status

    async def ready(self) -> tuple[int, dict[str, Any]]:
        answer = await self.client.get("/readyz")
        return answer.status, await answer.json()

    async def reports(self, clock: HandClock, **what: Any) -> None:
        """A heartbeat's word of it."""
        await self.store.report(Replica(self.store.holder, "1.4", started=clock(), **what), clock())


@dataclass
class PageReplicas:
    """Both, and their clock."""

    clock: HandClock
    here: PageReplica
    there: PageReplica

    @property
    def each(self) -> Sequence[PageReplica]:
        return (self.here, self.there)


async def _accept(channel: str, inbounds: Sequence[Inbound]) -> None:
    raise AssertionError("nothing is handed in")


async def _start(name: str, database: str, clock: HandClock, articles: Path) -> PageReplica:
    store = PostgresStore.open(database, now=clock, holder=name, own_time=True)
    telegram = FakeAdapter("telegram")
    keys = ApiKeys({"crm": (KEY, ("tickets",))}, per_minute=4, monotonic=clock.monotonic)
    services = WebServices(
        store,
        {"telegram": telegram},
        clock,
        knowledge=Knowledge.open(articles, settings=KnowledgeSettings(model="off")),
        password=PASSWORD,
        secret=await session_secret(store, CONFIG),
        rest=RestApi(store, _accept, keys, clock),
        set_threshold=lambda answer: None,
    )
    client: TestClient[Any, Any] = TestClient(TestServer(build_app(services)))
    await client.start_server()
    return PageReplica(name, store, telegram, client)


@pytest.fixture
async def replicas(database: str, articles: Path) -> AsyncIterator[PageReplicas]:
    clock = HandClock(NOON)
    both = [await _start(name, database, clock, articles) for name in ("bot-1", "bot-2")]
    yield PageReplicas(clock, both[0], both[1])
    for replica in both:
        await replica.client.close()
        await replica.store.close()


async def test_a_login_of_one_is_a_login_of_both(replicas: PageReplicas) -> None:
    """Pages open, and a post with the token of a page of the other is carried out."""
    here, there = replicas.each
    assert (await there.client.get("/kb")).status == 401
    assert await here.log_in(PASSWORD) == 303
    page = await (await here.client.get("/kb", headers=HTML)).text()
    token = page.partition('name="csrf" content="')[2].partition('"')[0]
    there.client.session.cookie_jar.update_cookies(here.cookies())
    asked = await there.client.post("/kb/ask", json={"text": "доставка"}, headers={"X-CSRF-Token": token})

    assert ((await there.client.get("/kb")).status, asked.status) == (200, 200)


async def test_wrong_passwords_of_both_are_counted(replicas: PageReplicas) -> None:
    """Five a minute together; then neither hears the right one, a minute later both do."""
    here, there = replicas.each
    wrong = [await one.log_in("неверно") for one in (here, there, here, there, here)]
    after = [await one.log_in(PASSWORD) for one in (there, here)]
    replicas.clock.advance(seconds=60)

    assert (wrong, after) == ([403] * 5, [429, 429])
    assert [await one.log_in(PASSWORD) for one in replicas.each] == [303, 303]


async def test_a_key_has_its_requests_of_both_together(replicas: PageReplicas) -> None:
    """Four a minute, whichever answers; another key is not held up."""
    here, there = replicas.each
    assert [await one.asks() for one in (here, there, here, there)] == [404] * 4
    assert [await one.asks() for one in (here, there)] == [429, 429]
    assert await here.asks("unknown") == 401
    replicas.clock.advance(seconds=60)

    assert [await one.asks() for one in (here, there)] == [404, 404]


async def test_each_tells_of_its_leases_and_of_the_other(replicas: PageReplicas) -> None:
    """The channel is the first one's: the second is ready although its own adapter does nothing. When the
    first falls silent, nobody has it.
    """
    here, there = replicas.each
    await here.store.renew(["channel:telegram", "periodic"], replicas.clock(), LASTING)
    for one in replicas.each:
        await one.reports(replicas.clock, roles=("web", "send"), skew=0.5)
    there.telegram.health.state = "starting"

    (status, told), (status_there, told_there) = [await one.ready() for one in replicas.each]
    held = {name: lease["held"] for name, lease in told["replica"]["leases"].items()}
    assert (status, told["channels"]["telegram"]["state"], held) == (
        200,
        "working",
        {"channel:telegram": True, "periodic": True},
    )
    assert (status_there, told_there["channels"]["telegram"]["state"]) == (200, "standby")
    assert told_there["replica"]["leases"]["channel:telegram"]["holder"] == "bot-1"
    assert [(r["name"], r["alive"], r["skew"]) for r in told_there["replica"]["replicas"]] == [
        ("bot-1", True, 0.5),
        ("bot-2", True, 0.5),
    ]
    replicas.clock.advance(seconds=LASTING.total_seconds() + 1)
    await there.reports(replicas.clock)
    lost = (await there.ready())[1]["replica"]
    assert lost["leases"]["channel:telegram"]["holder"] == ""
    assert [(r["name"], r["alive"]) for r in lost["replicas"]] == [("bot-1", False), ("bot-2", True)]


async def test_metrics_of_a_channel_are_told_by_its_holder(replicas: PageReplicas) -> None:
    """So that the sum over replicas is 1 while it works."""
    await replicas.here.store.renew(["channel:telegram"], replicas.clock(), LASTING)
    for one in replicas.each:
        await one.reports(replicas.clock)
        await one.log_in(PASSWORD)
    texts = [await (await one.client.get("/metrics")).text() for one in replicas.each]

    assert ["otklik_channel_up{" in text for text in texts] == [True, False]
    assert ['otklik_lease_held{name="channel:telegram"} 1.0' in text for text in texts] == [True, False]
    assert all("otklik_replicas 2.0" in text for text in texts)


async def test_without_the_database_a_replica_is_not_ready(replicas: PageReplicas) -> None:
    """The other is asked by the balancer from then on."""
    await replicas.here.store.renew(["channel:telegram"], replicas.clock(), LASTING)
    await replicas.there.store.close()
    (status, _), (status_there, told) = [await one.ready() for one in replicas.each]

    assert (status, status_there, told["storage"]["ready"]) == (200, 503, False)


@pytest.mark.parametrize("lang", ["ru", "en"])
async def test_the_page_of_articles_names_who_differs(replicas: PageReplicas, lang: str) -> None:
    """Replicas that are at work, with what to do; where all are alike, nothing is said."""
    here, there = replicas.each
    words, clock = read_words(lang), replicas.clock
    await here.log_in(PASSWORD)

    async def page() -> str:
        return await (await here.client.get(f"/kb?lang={lang}")).text()

    for one in replicas.each:
        await one.reports(clock, articles="aaa", settings="s")
    calm = await page()
    await there.reports(clock, articles="bbb", settings="s")
    differing = await page()
    clock.advance(seconds=LASTING.total_seconds() + 1)
    await here.reports(clock, articles="aaa", settings="s")

    assert "<summary>" not in calm and f"{words['kb_version']} <code>" in calm
    assert f"<summary>{words['replicas_articles']}</summary><p>{words['replicas_articles_hint']}" in differing
    assert "bot-1: <code>aaa</code>" in differing and "bot-2: <code>bbb</code>" in differing
    assert f"<summary>{words['replicas_settings']}" not in differing
    assert "<summary>" not in await page()


async def test_a_new_threshold_names_what_the_others_need(replicas: PageReplicas) -> None:
    """It is in the file and in this process; who else answers has to read that."""
    here = replicas.here
    await here.log_in(PASSWORD)
    page = await (await here.client.get("/kb?lang=ru", headers=HTML)).text()
    token = page.partition('name="csrf" content="')[2].partition('"')[0]
    told = await here.client.post("/threshold/set", json={"answer": "0.7"}, headers={"X-CSRF-Token": token})

    assert (await told.json())["text"].endswith(read_words("ru")["cost_set_elsewhere"])
