"""Loyalty points from a field: told to the customer who asks, shown on the operators' card, changed from
outside with their history.
"""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.model import Inbound, InboundKind, Peer, Sender
from bot.model.internal import SetAttributes
from bot.testing import TestBot, open_test_bot
from bot.text.points_history import history_of

CONFIG = Config.model_validate({"loyalty": {"field": "points"}})


async def _crm(testbot: TestBot, points: object) -> None:
    """Another system tells the points of Anna."""
    request = SetAttributes({"points": points})
    inbound = Inbound(
        testbot.key(),
        Peer("telegram", "1001"),
        Sender("", "crm"),
        testbot.clock(),
        InboundKind.INTERNAL,
        payload=request,
    )
    await testbot.arrive(inbound)


async def test_a_customer_is_told_their_points(articles: Path) -> None:
    """In any wording, as the field is now; without a field a person is offered, nothing is guessed."""
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = testbot.customer()
        await anna.says("сколько у меня баллов?")
        assert "Не вижу" in anna.hears()[0]
        assert "Позвать оператора" in {
            b.label for s in anna.sees() for row in s.outbound.buttons for b in row
        }
        await _crm(testbot, "352.0")
        for words in (
            "Сколько у меня баллов?",
            "мои баллы",
            "скажите баланс бонусов",
            "How many points do I have?",
        ):
            await anna.says(words)
            assert "352" in anna.hears()[-1], words
        assert "Анна, у вас 352 балла." in [
            line.text for line in await testbot.store.history(1) if line.author == "bot"
        ]


async def test_questions_about_the_rules_are_the_articles(articles: Path) -> None:
    """How points are earned and spent is not the balance; without the setting nothing is heard."""
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = testbot.customer()
        await anna.says("привет")
        await _crm(testbot, 352)
        for words in ("Как потратить мои баллы?", "Когда сгорят мои бонусы?", "Сколько идёт доставка?"):
            await anna.says(words)
            assert not any("352" in text for text in anna.hears()), words
    async with open_test_bot(articles) as testbot:
        anna = testbot.customer()
        await anna.says("сколько у меня баллов?")
        assert await testbot.store.events(kinds=["points_told"]) == ()


async def test_the_card_shows_them_and_their_history_is_kept(articles: Path) -> None:
    """First of what is known, by their name; each change with its time and author; the same is no change."""
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("привет")
        await _crm(testbot, 300)
        await anna.says("позовите оператора")
        assert any("⭐ Баллы — 300" in o.text.text for o in await olga.sees(1))
        await testbot.later(minutes=1)
        await _crm(testbot, 350)
        await _crm(testbot, 350)
        cards = testbot.channels["telegram"].in_chat(testbot.place.chat, kind=None)
        assert any("⭐ Баллы — 350" in s.outbound.text.text for s in cards)
        known = await testbot.store.customer(1)
        assert known is not None and known.fields["points"] == 350
        assert [(c.value, c.by) for c in history_of(known.fields, "points")] == [
            ("350", "crm"),
            ("300", "crm"),
        ]
        events = await testbot.store.events(kinds=["attributes_changed"])
        assert [e.data["names"] for e in events] == [["points"], ["points"]]
