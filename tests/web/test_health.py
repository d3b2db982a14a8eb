"""Machines can tell whether the bot lives, is ready, and how much it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.knowledge.search import Knowledge
from bot.model import Event
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
