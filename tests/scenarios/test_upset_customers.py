"""Supervisors hear at once of an important customer who is upset, and again where they are left waiting."""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import DESK_CHAT, PlayedCustomer

ANGRY = "Отвратительный сервис, вы издеваетесь!!! Это просто позор"
CONFIG = Config.model_validate(
    {
        "vip": {"fields": {"tier": "gold,platinum"}},
        "routing": {"supervisors": ["telegram:9009", "telegram:9010"], "board": False},
    }
)


async def _important(testbot: TestBot, tier: str = "Gold") -> PlayedCustomer:
    anna, vera = testbot.customer(), testbot.operator("Вера", id="9009", username="vera")
    await vera.says("слежу")
    await anna.says("привет")
    [row] = await testbot.store.listeners()
    await testbot.store.change_fields(row.customer.id, {"tier": tier}, testbot.clock(), by="crm")
    return anna


def _told(testbot: TestBot, mark: str = "сердится") -> list[str]:
    return testbot.desk_texts(mark)


async def test_supervisors_are_called_at_once_and_once(articles: Path) -> None:
    """In the group by their names, with the button that takes it; in private who is not there; not again
    for the next angry words.
    """
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = await _important(testbot)
        await anna.says(ANGRY)
        [said] = [o for o in testbot.desk_posts() if "важный клиент" in o.text.text]
        assert "№1" in said.text.text and "@vera" in said.text.text and said.to.thread == ""
        assert [b.action for row in said.buttons for b in row] == ["take"]
        [private] = [s.outbound for s in testbot.channels["telegram"].in_chat("9010")]
        assert "важный клиент" in private.text.text and private.buttons[0][0].action == "overview_ticket"
        assert testbot.channels["telegram"].in_chat("9009") == []

        await anna.says("Вы вообще читаете?! Ужас, верните деньги, мошенники!!!")
        assert len(_told(testbot)) == 1
        assert len(await testbot.store.events(kinds=["upset_customer"])) == 1


async def test_anger_in_an_open_ticket_is_noticed(articles: Path) -> None:
    """Calm at first; upset in the middle of it."""
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = await _important(testbot)
        await anna.says("позовите оператора")
        assert _told(testbot) == []
        await testbot.operator().says("Добрый день", ticket=1)
        await anna.says(ANGRY)
        [said] = _told(testbot)
        assert "В работе у: Ольга" in said


async def test_who_is_not_important_or_not_upset_is_as_always(articles: Path) -> None:
    """No word more than before; without fields in the config there are no important customers."""
    for tier, words, config in (
        ("silver", ANGRY, CONFIG),
        ("gold", "позовите оператора", CONFIG),
        ("gold", ANGRY, Config()),
    ):
        async with open_test_bot(articles, config=config) as testbot:
            anna = await _important(testbot, tier)
            await anna.says(words)
            assert _told(testbot) == [] and await testbot.store.events(kinds=["upset_customer"]) == ()


async def test_one_who_is_left_waiting_is_named_again(articles: Path) -> None:
    """After half the time for an answer, once; an answer in time makes it unnecessary."""
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = await _important(testbot)
        await anna.says(ANGRY)
        await testbot.later(minutes=14)
        assert _told(testbot, "ждёт ответа уже") == []
        await testbot.later(minutes=2)
        assert len(_told(testbot, "ждёт ответа уже")) == 1
        await testbot.later(minutes=10)
        assert len(_told(testbot, "ждёт ответа уже")) == 1
        assert len(await testbot.store.events(kinds=["upset_customer_waits"])) == 1
    async with open_test_bot(articles, config=CONFIG) as testbot:
        anna = await _important(testbot)
        await anna.says(ANGRY)
        await testbot.operator().says("Уже решаю", ticket=1)
        await testbot.later(minutes=25)
        assert _told(testbot, "ждёт ответа уже") == []
        assert testbot.channels["telegram"].in_chat(DESK_CHAT) and await testbot.store.check() == ()
