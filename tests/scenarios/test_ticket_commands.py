"""What operators do with tickets: hand on, put off, promise, name, go away and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.config.loader import Config
from bot.model import Conversation, Customer, OutboundKind, Peer, Turn
from bot.testing import TestBot, open_test_bot

DESK = "-100500"


def shown(testbot: TestBot, chat: str = DESK) -> list[str]:
    return [s.outbound.text.text for s in testbot.channels["telegram"].in_chat(chat)]


def config(**sections: Any) -> Config:
    return Config.model_validate(sections)


async def test_a_ticket_is_handed_to_a_colleague_with_a_reason(testbot: TestBot) -> None:
    """They are called by name, the customer hears of it once and is not asked again, the events keep who gave
    it to whom.
    """
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await anna.says("позовите оператора")
    await pavel.says("всем привет")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.says("/transfer Павел вопрос по оплате", ticket=1)
    await pavel.says("/transfer Ольга назад", ticket=1)

    assert sum("коллеги" in text for text in anna.hears()) == 1
    assert any("Павел" in o.text.text and "вопрос по оплате" in o.text.text for o in await olga.sees(1))
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9001"
    assert [e.data["to"] for e in await testbot.service.store.events(kinds=["ticket_transferred"])] == [
        "telegram:9002",
        "telegram:9001",
    ]


async def test_nobody_of_that_name_changes_nothing(testbot: TestBot) -> None:
    """One clear line with those who are there; the ticket stays where it was."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.says("/transfer Зинаида", ticket=1)

    assert any("Не нашёл" in o.text.text and "Ольга" in o.text.text for o in await olga.sees(1))
    assert anna.hears() == []
    assert (await testbot.service.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]


async def test_a_ticket_goes_to_a_teams_own_group_with_the_talk(articles: Path) -> None:
    """The card in the other group holds what was said; the customer's next words arrive there, answers come
    from there.
    """
    async with open_test_bot(
        articles,
        config=config(
            teams=[{"name": "returns", "title": "Возвраты", "desk": {"channel": "telegram", "chat": "-200"}}]
        ),
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора, хочу вернуть чайник")
        await olga.says("Передам коллегам", ticket=1)
        await olga.says("/transfer возвраты чайник", ticket=1)
        await anna.says("чек у меня есть")

        there = shown(testbot, "-200")
        assert (
            "вернуть чайник" in there[0] and "Передам коллегам" in there[0] and "чек у меня есть" in there[-1]
        )
        assert any("Возвраты" in text for text in shown(testbot))
        thread = await testbot.service.store.topic(1, "telegram", "-200")
        from bot.model import InboundKind

        pavel = testbot.operator("Павел", id="9002")
        await testbot.arrive(
            pavel.inbound(
                Peer("telegram", "-200", thread or ""),
                InboundKind.MESSAGE,
                "Оформляем",
                private=False,
                message="o77",
            )
        )
        assert "Оформляем" in anna.hears()


async def test_snoozed_until_its_time(testbot: TestBot) -> None:
    """Quiet until then, a loud reminder at the time, once."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Проверю и вернусь", ticket=1)
    await olga.says("/snooze 2h", ticket=1)
    assert (await testbot.service.store.ticket(1)).status == "snoozed"  # type: ignore[union-attr]
    await testbot.later(hours=1, minutes=50)
    assert not any("⏰" in text for text in shown(testbot))
    await testbot.later(minutes=11)
    await testbot.later(minutes=30)

    assert sum("⏰" in text for text in shown(testbot)) == 1
    assert (await testbot.service.store.ticket(1)).status == "operator"  # type: ignore[union-attr]


async def test_the_customers_words_wake_a_snoozed_ticket(testbot: TestBot) -> None:
    """They are not put off while they are talking."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Проверю", ticket=1)
    await olga.says("/snooze завтра 10:00", ticket=1)
    await anna.says("уже не нужно")

    assert (await testbot.service.store.ticket(1)).status == "operator"  # type: ignore[union-attr]
    assert any(o.text.text == "уже не нужно" for o in await olga.sees(1))


async def test_a_promise_reminds_both_sides(testbot: TestBot) -> None:
    """«Завтра до обеда» is said to the customer with the hour, and comes back as a reminder."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.says("/promise завтра до обеда уточню на складе", ticket=1)
    assert any("завтра до 13:00" in text for text in anna.hears())
    anna.listens()
    await testbot.later(hours=26)

    assert any("обещали" in text for text in anna.hears())
    assert any("уточню на складе" in text and "⏰" in text for text in shown(testbot))


@pytest.mark.parametrize(
    "words", ["/snooze", "/snooze вчера", "/snooze 25:99", "/promise когда-нибудь", "/snooze 900d"]
)
async def test_no_time_no_change(testbot: TestBot, words: str) -> None:
    """What is no time is refused with an example; the ticket stays as it was."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says(words, ticket=1)

    assert any("/snooze" in o.text.text or "/promise" in o.text.text for o in (await olga.sees(1))[1:])
    assert (await testbot.service.store.ticket(1)).status == "waiting"  # type: ignore[union-attr]


async def test_the_reason_is_asked_with_one_tap(articles: Path) -> None:
    """After closing, from the list of the config; the tap is kept with the ticket."""
    async with open_test_bot(
        articles, config=config(routing={"categories": ["Доставка", "Возврат"]})
    ) as testbot:
        await testbot.customer().says("позовите оператора")
        olga = testbot.operator()
        await olga.says("Здравствуйте", ticket=1)
        await olga.says("/close", ticket=1)
        await olga.presses("Возврат", ticket=1)

        ticket = await testbot.service.store.ticket(1)
        assert ticket is not None and (ticket.status, ticket.category) == ("closed", "Возврат")


async def test_tags_topic_and_history(testbot: TestBot) -> None:
    """They are kept, shown on the card, and found again with the customer's next ticket."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("/tag vip срочно", ticket=1)
    await olga.says("/tag -срочно", ticket=1)
    await olga.says("/topic Возврат", ticket=1)
    cards = [o.text.text for o in await olga.sees(1) if o.kind is OutboundKind.EDIT]
    assert "vip" in cards[-1] and "срочно" not in cards[-1] and "Возврат" in cards[-1]
    await olga.says("/close", ticket=1)
    await olga.says("/close", ticket=1)  # the playbook of that topic has open steps: said once
    await anna.says("позовите оператора")
    await olga.says("/history", ticket=2)

    assert any("№1" in o.text.text and "Возврат" in o.text.text for o in (await olga.sees(2))[1:])


async def test_who_is_away_is_not_waited_for(testbot: TestBot) -> None:
    """A customer who writes to an operator who is away is in the queue at once; back means back."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await olga.says("/away")
    await anna.says("а когда?")
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")
    assert any("нет на месте" in text for text in shown(testbot))
    await olga.says("/back")
    await olga.says("Завтра", ticket=1)
    await anna.says("спасибо, жду")

    assert (await testbot.service.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]


async def test_only_supervisors_set_priorities_and_take_over(articles: Path) -> None:
    """Where supervisors are named, the others are refused; a supervisor takes a ticket out of another's
    hands.
    """
    async with open_test_bot(articles, config=config(routing={"supervisors": ["telegram:9009"]})) as testbot:
        anna, olga, boss = testbot.customer(), testbot.operator(), testbot.operator("Вера", id="9009")
        await anna.says("позовите оператора")
        await olga.says("/priority 3", ticket=1)
        assert (await testbot.service.store.ticket(1)).priority == 0  # type: ignore[union-attr]
        await boss.says("/priority 3", ticket=1)
        assert (await testbot.service.store.ticket(1)).priority == 3  # type: ignore[union-attr]
        await olga.says("/take", ticket=1)
        await boss.says("/take", ticket=1)
        await olga.says("/take", ticket=1)

        assert (await testbot.service.store.ticket(1)).operator == "telegram:9009"  # type: ignore[union-attr]
        await boss.says("/assign Ольга", ticket=1)
        assert (await testbot.service.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]


async def test_a_colleague_who_was_refused_can_be_named(articles: Path) -> None:
    """Whoever may not do one thing is still one of us, also where that was their first word."""
    async with open_test_bot(articles, config=config(routing={"supervisors": ["telegram:9009"]})) as testbot:
        anna, olga, boss = testbot.customer(), testbot.operator(), testbot.operator("Вера", id="9009")
        await anna.says("позовите оператора")
        await olga.says("/priority 3", ticket=1)
        await boss.says("/assign Ольга", ticket=1)

        ticket = await testbot.service.store.ticket(1)
        assert ticket is not None and ticket.operator == "telegram:9001"


async def test_the_cards_buttons_hand_on_and_put_off(testbot: TestBot) -> None:
    """The same without typing: a colleague or a time is chosen with a tap."""
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await pavel.says("на месте")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await olga.presses("Передать", ticket=1)
    await olga.presses("Павел", ticket=1)
    assert (await testbot.service.store.ticket(1)).operator == "telegram:9002"  # type: ignore[union-attr]
    await pavel.presses("Отложить", ticket=1)
    await pavel.presses("Через час", ticket=1)
    assert (await testbot.service.store.ticket(1)).status == "snoozed"  # type: ignore[union-attr]
    await testbot.later(minutes=61)

    assert any("⏰" in text and "Павел" in text for text in shown(testbot))


async def test_a_rating_pressed_while_a_new_ticket_is_open_is_a_rating(testbot: TestBot) -> None:
    """It belongs to the ticket it was asked for; operators do not get it as the customer's words."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Готово", ticket=1)
    await olga.says("/close", ticket=1)
    await testbot.later(minutes=6)
    await testbot.later(hours=25)
    await anna.says("позовите оператора")
    seen = len(await olga.sees(2))
    await anna.presses("5")

    assert (await testbot.service.store.ticket(1)).rating == 5  # type: ignore[union-attr]
    assert any("Спасибо" in text for text in anna.hears())
    assert len(await olga.sees(2)) == seen and (await testbot.service.store.ticket(2)).status == "waiting"  # type: ignore[union-attr]


async def test_the_card_shows_what_other_systems_told(testbot: TestBot) -> None:
    """Attributes by name, contacts among them masked; the bot's own marks and empty ones are not shown."""
    fields = {
        "vip": "да",
        "город": "Казань",
        "rating_asked": "2026-01-01",
        "пусто": "",
        "запасной": "+7 912 345-67-89",
    }
    turn = Turn(
        1,
        Conversation(1, Peer("telegram", "1001")),
        (),
        testbot.clock(),
        customer=Customer(1, "Анна", fields=fields),
    )
    opened = testbot.service.desk.escalate(turn, reason="asked")
    card = next(o for o in opened.messages if o.name == "card:1").text.text

    assert "vip — да" in card and "город — Казань" in card
    assert "rating_asked" not in card and "пусто" not in card and "345" not in card


@pytest.mark.parametrize("words", ["/transfer Павел срочно", "/assign Павел"])
async def test_nothing_is_handed_to_somebody_who_is_away(testbot: TestBot, words: str) -> None:
    """One line with those who are there; the customer is not left to somebody who does not see it."""
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await pavel.says("/away")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.says(words, ticket=1)

    assert (
        "не на месте" in (await olga.sees(1))[-1].text.text and "Ольга" in (await olga.sees(1))[-1].text.text
    )
    assert anna.hears() == [] and (await testbot.service.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]
