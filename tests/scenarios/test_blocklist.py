"""A blocked customer: kept, told once, answered no more; until the time is over or somebody lets them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.handoff.blocklist import Block
from bot.handoff.sla.time_parsing import read_term
from bot.model import Peer
from bot.testing import TestBot, open_test_bot

CHANNELS = ("telegram", "vk")


@pytest.fixture
async def led(articles: Path) -> AsyncIterator[TestBot]:
    """A service with one supervisor, Марина (9001); Ольга (9002) is an operator."""
    config = Config.model_validate({"routing": {"supervisors": ["telegram:9001"]}})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        yield testbot


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_blocked_customer_is_told_once_and_kept(led: TestBot, channel: str) -> None:
    anna, marina = led.customer(channel=channel), led.operator("Марина")
    await anna.says("позовите человека")
    anna.listens()
    await marina.says("/block спам и угрозы", ticket=1)
    assert anna.hears() == [], "the customer hears nothing before they write"
    assert any("🚫" in p.text.text and "спам и угрозы" in p.text.text for p in await marina.sees(1))
    ticket = await led.store.ticket(1)
    assert ticket is not None and ticket.status == "closed"

    await anna.says("эй!")
    assert len(anna.hears()) == 1 and "Сообщения сохраняются" in anna.hears()[0]
    posts = len(led.desk_posts())
    for words in ("сколько идёт доставка", "позовите человека", "/start", "/menu"):
        await anna.says(words)
        assert anna.hears() == []
    assert len(led.desk_posts()) == posts, "nobody is troubled"
    conversation = await led.store.conversation(anna.peer)
    assert conversation is not None
    lines = [h.text for h in await led.store.history(conversation.id)]
    assert "позовите человека" in lines and "сколько идёт доставка" in lines


async def test_it_ends_by_itself(led: TestBot) -> None:
    """By a timer that the store keeps, also over a quiet week; afterwards everything is as before."""
    anna, marina = led.customer(), led.operator("Марина")
    await anna.says("позовите человека")
    await marina.says("/block ругается 3 дня", ticket=1)
    await anna.says("эй")
    assert "до 23" in anna.hears()[0]
    await led.later(days=2, hours=23)
    await anna.says("сколько идёт доставка")
    assert anna.hears() == []
    await led.later(hours=2)
    assert await blocked(led, anna.peer.chat) is None, "the mark itself is gone"
    await anna.says("сколько стоит доставка")
    assert "350" in anna.hears()[-1]


async def test_a_supervisor_ends_it(led: TestBot) -> None:
    anna, marina = led.customer(), led.operator("Марина")
    await anna.says("позовите человека")
    await marina.says("/block спам", ticket=1)
    await led.later(days=300)
    await anna.says("сколько идёт доставка")
    assert "Сообщения сохраняются" in anna.hears()[0]
    await marina.says("/unblock", ticket=1)
    await anna.says("сколько стоит доставка")
    assert "350" in anna.hears()[-1]
    await marina.says("/unblock", ticket=1)
    assert "не заблокирован" in (await marina.sees(1))[-1].text.text


async def test_the_list_and_its_buttons(led: TestBot) -> None:
    anna, boris, marina = led.customer(), led.customer("Борис", chat="1002"), led.operator("Марина")
    await anna.says("позовите человека")
    await boris.says("позовите человека")
    await marina.says("/blocked")
    assert "Никто не заблокирован" in led.desk_texts()[-1]
    await marina.says("/block спам", ticket=1)
    await marina.says("/block ругань 2 недели", ticket=2)
    await marina.says("/blocked")
    told = led.desk_texts()[-1]
    assert "№2 · Борис — ругань · до" in told and "№1 · Анна — спам · бессрочно · Марина" in told

    await marina.presses("Снять: №1")
    await anna.says("сколько стоит доставка")
    assert "350" in anna.hears()[-1]
    await marina.says("/unblock 2")
    await boris.says("сколько стоит доставка")
    assert "350" in boris.hears()[-1]
    await marina.says("/blocked")
    assert "Никто не заблокирован" in led.desk_texts()[-1]


async def test_an_operator_has_not_the_right(led: TestBot) -> None:
    anna, olga = led.customer(), led.operator("Ольга", id="9002")
    await anna.says("позовите человека")
    await olga.says("/block просто так", ticket=1)
    assert "только старший смены" in (await olga.sees(1))[-1].text.text
    assert await blocked(led, anna.peer.chat) is None
    await olga.says("/blocked")
    assert "только старший смены" in led.desk_texts()[-1]


async def test_without_a_reason_nobody_is_blocked(led: TestBot) -> None:
    anna, marina = led.customer(), led.operator("Марина")
    await anna.says("позовите человека")
    for words in ("/block", "/block 7 дней", "/block спам 0 дней"):
        await marina.says(words, ticket=1)
        assert "Почему и на сколько?" in (await marina.sees(1))[-1].text.text
    assert await blocked(led, anna.peer.chat) is None


async def test_a_longer_block_outlives_the_first_timer(led: TestBot) -> None:
    anna, marina = led.customer(), led.operator("Марина")
    await anna.says("позовите человека")
    await marina.says("/block спам 1 день", ticket=1)
    await marina.says("/block спам 10 дней", ticket=1)
    await led.later(days=2)
    assert await blocked(led, anna.peer.chat) is not None
    await marina.says("/block спам", ticket=1)
    await led.later(days=30)
    assert await blocked(led, anna.peer.chat) is not None


async def test_another_process_knows_it(articles: Path, tmp_path: Path) -> None:
    """The mark is in the store: a new start on the same file neither answers nor forgets the end."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file, threads=False) as first:
        anna = first.customer()
        await anna.says("позовите человека")
        await first.operator("Марина").says("/block спам 3 дня", ticket=1)
        await anna.says("эй")
    async with open_test_bot(articles, storage=file, threads=False) as second:
        anna = second.customer()
        await anna.says("сколько идёт доставка")
        assert anna.hears() == []
        await second.later(days=4)
        await anna.says("сколько идёт доставка")
        assert "3–5 дней" in anna.hears()[-1]


@pytest.mark.parametrize(
    ("text", "reason", "days"),
    [
        ("спам", "спам", None),
        ("спам 7 дней", "спам", 7),
        ("ругается, на 2 недели", "ругается", 14),
        ("spam 3d", "spam", 3),
        ("abuse for 1 month", "abuse", 30),
        ("заказал 100 штук и пропал", "заказал 100 штук и пропал", None),
        ("7 дней", "", 7),
    ],
)
def test_a_term_stands_at_the_end(text: str, reason: str, days: int | None) -> None:
    assert read_term(text) == (reason, timedelta(days=days) if days else None)


async def blocked(testbot: TestBot, chat: str) -> Block | None:
    conversation = await testbot.store.conversation(Peer("telegram", chat))
    assert conversation is not None and conversation.customer is not None
    return Block.of(await testbot.store.customer(conversation.customer))
