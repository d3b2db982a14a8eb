"""Machines can tell whether the bot lives, is ready, and how much it does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.playground.adapter import WebAdapter
from bot.knowledge.search import Knowledge
from bot.model import Event
from bot.storage.base import Lease, Replica
from bot.web.health import Metrics, channel_report
from bot.web.replica_health import ReplicaHealth
from tests.web.conftest import Opened, Page


def _articles(folder: Path) -> Knowledge:
    folder.mkdir()
    (folder / "dostavka.md").write_text(
        "---\ntitle: Сколько стоит доставка\n---\nДоставка стоит 300 ₽.\n", "utf-8"
    )
    return Knowledge.open(folder)


async def test_alive_is_not_ready(page: Page) -> None:
    """Without articles the process lives, but is not ready; nobody needs a session to ask."""
    page.client.session.cookie_jar.clear()

    assert (await page.client.get("/healthz")).status == 200
    answer = await page.client.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["knowledge"]["ready"] is False


async def test_ready_names_every_channel(serve: Opened, tmp_path: Path) -> None:
    """With storage, articles and working channels everything is ready."""
    page = await serve(knowledge=_articles(tmp_path / "kb"))

    answer = await page.client.get("/readyz")
    body = await answer.json()
    assert (answer.status, body["ready"], body["storage"]["ready"], body["knowledge"]["articles"]) == (
        200,
        True,
        True,
        1,
    )
    assert set(body["channels"]) == {"play-telegram", "play-vk", "play-desk"}


async def test_a_failing_channel_is_named_without_its_secrets(serve: Opened, tmp_path: Path) -> None:
    """The error is there, the token in it is not."""
    page = await serve(knowledge=_articles(tmp_path / "kb"))
    page.vk.health.state, page.vk.health.last_error = (
        "failing",
        "POST https://api.telegram.org/bot123456789:AAbbccdd/getMe: timeout",
    )

    answer = await page.client.get("/readyz")
    text = await answer.text()
    assert answer.status == 503
    assert (await answer.json())["channels"]["play-vk"]["state"] == "failing"
    assert "timeout" in text and "AAbb" not in text


async def test_a_channel_that_heard_nothing_for_long_is_not_ready(serve: Opened, tmp_path: Path) -> None:
    """A poll loop that hangs looks healthy to itself; its silence tells."""
    page = await serve(knowledge=_articles(tmp_path / "kb"))
    page.vk.health.polls = True
    page.vk.health.last_poll = datetime.now(UTC) - timedelta(minutes=5)

    answer = await page.client.get("/readyz")
    report = (await answer.json())["channels"]["play-vk"]
    assert answer.status == 503
    assert report["ready"] is False and report["lag"] > 290


async def test_metrics_count_and_name_nobody(page: Page) -> None:
    """Waiting messages, turns and latency are there; ids and words of customers are not."""
    await page.say("мой телефон 79991234567")
    page.services.seen(Event("turn", data={"result": "answered", "dialog": "faq", "seconds": 0.03}))
    page.services.seen(Event("ticket_opened", conversation=7, data={"name": "Анна"}))

    text = await (await page.client.get("/metrics")).text()
    assert 'otklik_store{what="inbounds_waiting"} 1.0' in text
    assert 'otklik_turns_total{dialog="faq",result="answered"} 1.0' in text
    assert 'otklik_channel_up{channel="play-vk",kind="web"} 1.0' in text
    assert 'otklik_events_total{kind="ticket_opened"} 1.0' in text
    assert page.customer not in text and "79991234567" not in text and "Анна" not in text


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HELD = Lease("channel:play-vk", "a", 3, NOW + timedelta(seconds=9))
OTHERS = Lease("channel:play-telegram", "b", 2, NOW + timedelta(seconds=9))
A = Replica("a", "1.4", ("web", "send"), "0a1b2c3d4e5f", skew=0.25, seen=NOW - timedelta(seconds=2))
B = Replica("b", "1.4", ("decide",), "0a1b2c3d4e5f", seen=NOW - timedelta(seconds=1))
SILENT = Replica("c", seen=NOW - timedelta(minutes=3))


def _of_three() -> ReplicaHealth:
    """A replica beside one that works and one that fell silent."""
    return ReplicaHealth(
        NOW,
        "a",
        True,
        A.roles,
        frozenset({HELD.name}),
        (OTHERS, HELD),
        (A, B, SILENT),
        turn_lag=1.5,
        delivery_lag=0.0,
    )


async def test_ready_tells_how_long_the_oldest_waits(serve: Opened, tmp_path: Path) -> None:
    """A message that nobody decides on shows as the lag of turns."""
    page = await serve(knowledge=_articles(tmp_path / "kb"))
    await page.say("добрый день")
    page.services.clock.shift = timedelta(minutes=2)

    replica = (await (await page.client.get("/readyz")).json())["replica"]
    text = await (await page.client.get("/metrics")).text()
    assert 119 <= replica["lag"]["turns"] <= 125 and replica["lag"]["deliveries"] == 0
    assert "otklik_turn_lag_seconds 1" in text and "otklik_replicas 1.0" in text


async def test_a_channel_of_another_replica_is_no_fault(page: Page) -> None:
    """Its adapter here is on standby: ready, whatever it last heard."""
    health, stale = _of_three(), timedelta(seconds=90)
    page.telegram.health.state = page.vk.health.state = "failing"

    def told(adapter: WebAdapter) -> tuple[object, object]:
        found = channel_report(adapter, stale, NOW, standby=health.is_standby(adapter.name))
        return found["state"], found["ready"]

    assert told(page.telegram) == ("standby", True)
    assert told(page.vk) == ("failing", False)
    assert not ReplicaHealth(NOW).is_standby("play-telegram")


def test_a_replica_names_its_leases_and_the_others() -> None:
    """Who holds what, how far the clock is ahead, and who is alive."""
    told = json.loads(json.dumps(_of_three().as_json()))

    assert (told["name"], told["roles"], told["skew"]) == ("a", ["web", "send"], 0.25)
    assert {name: (x["held"], x["holder"], x["epoch"]) for name, x in told["leases"].items()} == {
        "channel:play-telegram": (False, "b", 2),
        "channel:play-vk": (True, "a", 3),
    }
    assert [(r["name"], r["alive"]) for r in told["replicas"]] == [("a", True), ("b", True), ("c", False)]
    assert told["lag"] == {"turns": 1.5, "deliveries": 0.0}


def test_a_lease_that_ran_out_has_no_holder() -> None:
    """What the table still says is past its time."""
    late = replace(_of_three(), at=NOW + timedelta(seconds=10))

    assert '"holder": ""' in json.dumps(late.as_json()["leases"])


def test_metrics_tell_leases_lag_and_skew() -> None:
    """Without the database the lags are unknown, not those of a while ago."""
    metrics = Metrics()

    def rendered(health: ReplicaHealth) -> list[str]:
        metrics.show_replica(health)
        return metrics.render({}, {}, 1, NOW, {}).decode().splitlines()

    assert {
        'otklik_lease_held{name="channel:play-vk"} 1.0',
        'otklik_lease_held{name="channel:play-telegram"} 0.0',
        'otklik_lease_epoch{name="channel:play-vk"} 3.0',
        "otklik_turn_lag_seconds 1.5",
        "otklik_delivery_lag_seconds 0.0",
        "otklik_clock_skew_seconds 0.25",
        "otklik_replicas 2.0",
    } <= set(rendered(_of_three()))
    lost = rendered(ReplicaHealth(NOW, "a", True))
    assert "otklik_turn_lag_seconds NaN" in lost and not any(x.startswith("otklik_lease_held{") for x in lost)


async def test_without_the_database_nothing_is_ready(serve: Opened, tmp_path: Path) -> None:
    """Storage that does not answer is named."""
    page = await serve(knowledge=_articles(tmp_path / "kb"))
    await page.store.close()

    answer = await page.client.get("/readyz")
    body = await answer.json()
    assert answer.status == 503 and body["storage"]["ready"] is False and body["storage"]["last_error"]
    assert (await page.client.get("/metrics")).status == 200
