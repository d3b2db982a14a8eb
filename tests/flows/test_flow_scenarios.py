"""A flow of the owner's folder through the real service: what customers hear, what the desk gets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import CustomerMerge, Event
from bot.testing import TestBot
from bot.testing.stubbed_connector import StubbedReply
from tests.flows.conftest import OpenedFlows

ORDER = """
title: Статус заказа
start: {words: [где заказ], command: order, menu: Где заказ}
steps:
  - {id: number, ask: Какой номер?, type: order, pattern: '\\d{5}'}
  - http: {url: "https://shop.example.com/orders/{{ number }}"}
    take: {state: order.state}
    not_found: unknown
  - end: "Заказ {{ number }}: {{ state }}."
  - id: unknown
    ask: Нет такого. Ещё раз?
    type: choice
    options: [{text: Да, go: number}, {text: Нет, go: end}]
"""
FOUND = {"GET https://shop.example.com/orders/48213": StubbedReply(json={"order": {"state": "*в пути*"}})}


async def test_an_order_is_asked_for_looked_up_and_told(opened: OpenedFlows) -> None:
    """What the shop says is words, never markup; the call has a key of its own."""
    async with opened(ORDER, FOUND) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("Где мой заказ?")
        assert anna.hears()[0].startswith("Какой номер?")
        await anna.says("48213")

        assert anna.hears() == ["Заказ 48213: *в пути*."]
        assert len(connector.called) == 1 and len(connector.called[0].key) == 32
        kept = await testbot.store.conversation(anna.peer)
        assert kept is not None and "question" not in kept.state


async def test_the_number_in_the_first_words_is_not_asked_for(opened: OpenedFlows) -> None:
    async with opened(ORDER, FOUND) as (testbot, _):
        anna = testbot.customer()
        await anna.says("где мой заказ 48213?")

        assert anna.hears() == ["Заказ 48213: *в пути*."]


async def test_an_unknown_order_may_be_written_anew(opened: OpenedFlows) -> None:
    """A step that is come to again asks again, and calls with a key of its own."""
    replies = {**FOUND, "GET https://shop.example.com/orders/11111": StubbedReply(404)}
    async with opened(ORDER, replies) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("где заказ 11111")
        assert anna.hears()[0].startswith("Нет такого. Ещё раз?")
        await anna.presses("Да")
        assert anna.hears()[0].startswith("Какой номер?")
        await anna.says("48213")

        assert anna.hears() == ["Заказ 48213: *в пути*."]
        assert len({call.key for call in connector.called}) == 2


async def test_a_shop_that_does_not_answer_means_a_person_with_the_answers(opened: OpenedFlows) -> None:
    """The card shows what was asked before; the customer waits for nobody."""
    async with opened(ORDER) as (testbot, _):
        anna = testbot.customer()
        await anna.says("/order")
        await anna.says("48213")

        (ticket,) = await testbot.store.tickets()
        assert ticket.reason == "flow" and ("number", "48213") in ticket.state.attributes
        assert await kinds(testbot, "flow_call_failed", "flow_ended") == ["flow_call_failed", "flow_ended"]


async def test_a_repeated_decision_calls_with_the_same_key(opened: OpenedFlows) -> None:
    """After a crash the turn is decided again: the other side can tell the call by its key."""
    async with opened(ORDER, FOUND) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("где мой заказ 48213", run=False)
        testbot.clock.at += timedelta(seconds=10)
        for _ in range(2):
            turn = await testbot.store.take_turn(testbot.clock())
            assert turn is not None
            await testbot.service.engine.decide_safely(turn)
            await testbot.store.release_turn(turn)
        await testbot.rest()

        assert len(connector.called) == 3 and len({call.key for call in connector.called}) == 1
        assert anna.hears() == ["Заказ 48213: *в пути*."]


ASKING = """
title: Запись
start: {words: [записаться на примерку]}
expires: 20m
steps:
  - {id: phone, ask: Ваш телефон?, type: phone, label: телефон для записи}
  - {id: day, ask: Когда?, type: date}
  - {id: size, ask: Какой размер?, type: choice, options: [S, M, L], optional: true, field: size}
  - when:
      - {answer: size, equals: L, go: big}
  - end: "Записал на {{ day }}."
  - {id: big, set: {tall: "да, {{ size }}"}}
  - end: "Записал на {{ day }}, размер большой."
"""


async def test_answers_are_checked_and_a_branch_follows_them(opened: OpenedFlows) -> None:
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer(channel="vk")
        await anna.says("хочу записаться на примерку")
        await anna.says("не скажу")
        assert anna.hears()[0].startswith("Не похоже на номер телефона.")
        await anna.says("8 912 345-67-89")
        await anna.says("25 декабря")
        await anna.says("L")

        assert anna.hears() == ["Записал на 2026-12-25, размер большой."]
        assert (await known_of(testbot))["tall"] == "да, L" and (await known_of(testbot))["size"] == "L"


async def test_a_question_in_the_middle_is_answered_and_the_flow_goes_on(opened: OpenedFlows) -> None:
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        await anna.says("Сколько идёт доставка?")
        heard = anna.hears()
        assert "3–5 дней" in heard[0] and heard[-1].startswith("Вернёмся к вопросу.\n\nВаш телефон?")
        await anna.says("8 912 345-67-89")

        assert anna.hears()[0].startswith("Когда?")


async def test_cancelling_ends_it_by_word_and_by_button(opened: OpenedFlows) -> None:
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        await anna.says("отмена")
        assert anna.hears() == ["Хорошо, остановились. Чем ещё помочь?"]
        await anna.says("записаться на примерку")
        await anna.presses("Отмена")
        assert anna.hears() == ["Хорошо, остановились. Чем ещё помочь?"]
        await anna.presses("Отмена")

        assert "закрыт" in anna.hears()[0]


async def test_silence_ends_it_once_with_a_word(opened: OpenedFlows) -> None:
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        anna.listens()
        await testbot.later(seconds=timedelta(minutes=21).total_seconds())
        assert anna.hears()[0].startswith("«Запись»: ответа не было")
        await anna.says("8 912 345-67-89")

        assert not any("Когда?" in text for text in anna.hears())


async def test_a_third_wrong_answer_calls_a_person(opened: OpenedFlows) -> None:
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        for _ in range(3):
            await anna.says("абракадабра")

        assert anna.hears()[0].startswith("Похоже, так мы не договоримся.")
        assert [t.reason for t in await testbot.store.tickets()] == ["flow_stuck"]


async def test_asking_for_a_person_takes_the_answers_along(opened: OpenedFlows) -> None:
    """In the middle of a flow, by any words; what was answered is on the card and not kept as a field."""
    async with opened(ASKING) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        await anna.says("8 912 345-67-89")
        await anna.says("позовите оператора")

        (ticket,) = await testbot.store.tickets()
        assert ticket.state.contacts.phone == "+79123456789"
        assert "phone" not in await known_of(testbot)
        anna.listens()
        await testbot.later(seconds=timedelta(minutes=21).total_seconds())
        assert not any("ответа не было" in text for text in anna.hears())


CODE = """
title: Баланс
start: {command: balance}
steps:
  - http: {url: "https://shop.example.com/me"}
    take: {contact: phone, balance: balance}
  - code:
      to: contact
      send:
        url: https://shop.example.com/sms
        method: POST
        body: {to: "{{ to }}", text: "Код {{ code }}"}
  - end: "На счёте {{ balance }}."
"""
ACCOUNT = {
    "GET https://shop.example.com/me": StubbedReply(json={"phone": "+79990001122", "balance": 150}),
    "POST https://shop.example.com/sms": StubbedReply(204),
}


def code_in(body: str | None) -> str:
    """The six digits that were sent."""
    return (body or "").partition("Код ")[2][:6]


async def test_a_code_stands_before_what_is_personal(opened: OpenedFlows) -> None:
    """It is sent to the number the shop knows; what the store keeps is no code."""
    async with opened(CODE, ACCOUNT) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("/balance")
        code = code_in(connector.called[-1].body)
        kept = await testbot.store.conversation(anna.peer)
        assert len(code) == 6 and code.isdecimal() and kept is not None and code not in str(kept.state)
        await anna.says("000000" if code != "000000" else "111111")
        assert anna.hears()[0].startswith("Код не подошёл.")
        await anna.says(f"{code[:3]} {code[3:]}")

        assert anna.hears() == ["На счёте 150."]


async def test_three_wrong_codes_tell_nothing(opened: OpenedFlows) -> None:
    async with opened(CODE, ACCOUNT) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("/balance")
        wrong = "000000" if code_in(connector.called[-1].body) != "000000" else "111111"
        for _ in range(3):
            await anna.says(wrong)

        assert not any("150" in text for text in anna.hears())
        assert len(await testbot.store.tickets()) == 1


async def test_an_old_code_is_worth_nothing_and_codes_are_counted(opened: OpenedFlows) -> None:
    """A new one is sent by the button, five times a day at most."""
    async with opened(CODE, ACCOUNT) as (testbot, connector):
        anna = testbot.customer()
        await anna.says("/balance")
        first = code_in(connector.called[-1].body)
        await testbot.later(seconds=11 * 60)
        await anna.says(first)
        assert "больше не действует" in anna.hears()[0]
        for _ in range(4):
            await anna.presses("Прислать код ещё раз")
        sent = [c for c in connector.called if c.method == "POST"]
        assert len(sent) == 5 and len({code_in(c.body) for c in sent}) > 1
        await anna.presses("Прислать код ещё раз")

        assert any("больше отправить не могу" in text for text in anna.hears())
        assert len([c for c in connector.called if c.method == "POST"]) == 5


async def test_a_button_of_the_menu_begins_a_flow(opened: OpenedFlows) -> None:
    async with opened(ORDER, FOUND) as (testbot, _):
        anna = testbot.customer()
        await anna.says("/menu")
        await anna.presses("Где заказ")

        assert anna.hears()[0].startswith("Какой номер?")


@pytest.mark.parametrize("said", ["что с моей доставкой", "спасибо"])
async def test_other_words_go_on_to_the_other_dialogs(opened: OpenedFlows, said: str) -> None:
    async with opened(ORDER, FOUND) as (testbot, connector):
        anna = testbot.customer()
        await anna.says(said)

        assert not connector.called and not any("Какой номер" in text for text in anna.hears())


async def known_of(testbot: TestBot) -> dict[str, object]:
    """What is kept of the first customer."""
    customer = await testbot.store.customer(1)
    assert customer is not None
    return dict(customer.fields)


async def kinds(testbot: TestBot, *wanted: str) -> list[str]:
    found: list[Event] = [*await testbot.store.events(kinds=wanted)]
    return [event.kind for event in found]


LINKED = """
title: Бонусы
start: {command: bonus}
steps:
  - {code: {linked: true}, failed: alone}
  - end: Личное.
  - {id: alone, end: Сначала привяжите другой чат.}
"""


async def test_a_code_may_go_to_the_other_chat_of_the_same_customer(opened: OpenedFlows) -> None:
    """Who has none is told so; the code is in no history."""
    async with opened(LINKED) as (testbot, _):
        anna, again = testbot.customer(), testbot.customer(channel="vk", chat="77")
        await anna.says("/bonus")
        assert anna.hears() == ["Сначала привяжите другой чат."]
        await again.says("спасибо")
        await testbot.store.join_customers(CustomerMerge(1, 2), testbot.clock(), by="test")
        again.listens()
        await anna.says("/bonus")
        (message,) = again.hears()
        code = message.partition("Код: ")[2][:6]
        assert code.isdecimal() and not any(code in text for text in anna.hears())
        there = await testbot.store.conversation(again.peer)
        assert there is not None
        assert not any(code in line.text for line in await testbot.store.history(there.id))
        await anna.says(code)

        assert anna.hears() == ["Личное."]
