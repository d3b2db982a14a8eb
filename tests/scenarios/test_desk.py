"""Handing over and working on tickets, seen from the customer's chat and from the operators' group."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bot.model import Attachment, Inbound, InboundKind, Media, OutboundKind, Peer, Sender, Status
from bot.testing import TestBot, open_test_bot
from bot.testing.faults import refused_inserts

PHOTO = Attachment(Media.PHOTO, "photo-1", "telegram")


async def test_asking_for_a_person_opens_a_ticket_and_a_topic(testbot: TestBot) -> None:
    """The customer hears a number, the desk gets a card with who, why and what was said."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("Сколько идёт доставка?")
    await anna.says("хочу поговорить с оператором, заказ 48213, телефон +7 912 345-67-89")

    assert any("№1" in text for text in anna.hears())
    card = (await olga.sees(1))[0]
    for words in ("№1", "Анна", "48213", "Сколько идёт доставка?", "попросил человека"):
        assert words in card.text.text
    assert "345" not in card.text.text, "a contact is masked in the card"
    assert {b.action for row in card.buttons for b in row} >= {
        "take",
        "close",
        "return_to_bot",
        "show_contact",
    }


async def test_no_topic_before_a_handoff(testbot: TestBot) -> None:
    """A start and an answer cost the group nothing."""
    anna = testbot.customer()
    await anna.says("", kind=InboundKind.START)
    await anna.says("Сколько идёт доставка?")

    assert testbot.channels["telegram"].in_chat("-100500", kind=None) == []


async def test_the_operators_words_arrive_with_a_receipt(testbot: TestBot) -> None:
    """The first answer takes the ticket; the operator sees that it was delivered."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Уже смотрю", ticket=1, message="555")

    assert "Уже смотрю" in anna.hears()
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9001" and ticket.first_reply is not None
    assert any(o.kind is OutboundKind.REACT and o.quotes == "555" for o in await olga.sees(1))


async def test_edits_of_the_operator_reach_the_customer(testbot: TestBot) -> None:
    """An edited message is edited at the customer's, not said again."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ потерян", ticket=1, message="77")
    sent = anna.sees()[-1]
    await olga.does(InboundKind.EDIT, "Заказ найден", ticket=1, message="77")

    edit = anna.sees()[-1]
    assert (
        edit.outbound.kind is OutboundKind.EDIT
        and edit.outbound.text.text == "Заказ найден"
        and edit.target == sent.message
    )


async def test_notes_and_unknown_commands_stay_inside(testbot: TestBot) -> None:
    """What is not meant for the customer never reaches them."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    before = len(testbot.channels["telegram"].in_chat("1001", kind=None))
    for text in ("// клиент нервный", "/note проверить оплату", "/tkae", "/help"):
        await olga.says(text, ticket=1)

    assert len(testbot.channels["telegram"].in_chat("1001", kind=None)) == before
    history = await testbot.service.store.history(1)
    assert [line.text for line in history if line.author == "note"] == ["клиент нервный", "проверить оплату"]


async def test_while_a_person_is_at_it_the_bot_carries_words_only(testbot: TestBot) -> None:
    """A question the bot could answer is carried, with photos, and the customer's edits are shown."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)
    await anna.says("Сколько идёт доставка?", attachments=(PHOTO,), message="5")
    await anna.says("Сколько стоит доставка?", message="5", kind=InboundKind.EDIT)

    assert anna.hears() == []
    shown = await olga.sees(1)
    assert any(o.text.text == "Сколько идёт доставка?" and o.attachments == (PHOTO,) for o in shown)
    assert any("Сколько стоит доставка?" in o.text.text for o in shown)


async def test_a_photo_sent_before_the_handoff_comes_along(testbot: TestBot) -> None:
    """The operator sees what the customer had already shown."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("", attachments=(PHOTO,))
    await anna.says("позовите оператора")

    assert any(PHOTO in o.attachments for o in await olga.sees(1))


async def test_closing_opens_the_bot_again(testbot: TestBot) -> None:
    """The customer is told; the next question is the bot's, the next request a new ticket."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)
    anna.listens()
    await olga.says("/close", ticket=1)
    assert any("закрыто" in text for text in anna.hears())
    await anna.says("как вернуть товар")
    assert any("14 дней" in text for text in anna.hears())
    await anna.says("позовите оператора")

    assert any("№2" in text for text in anna.hears())


async def test_return_to_the_bot_and_cancel(testbot: TestBot) -> None:
    """An operator can give the conversation back, a customer can take the request back."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.presses("Вернуть боту", ticket=1)
    assert (await testbot.service.store.conversation(anna.peer)).status is Status.BOT  # type: ignore[union-attr]
    await anna.says("позовите оператора")
    await anna.presses("Отменить")

    assert await testbot.service.store.tickets() == ()
    assert any("Отменил" in text for text in anna.hears())


async def test_two_operators_press_take_at_once_a_hundred_times(testbot: TestBot) -> None:
    """Exactly one of two wins each time, the other hears who has it."""
    olga, pavel = testbot.operator(), testbot.operator("Павел", id="9002")
    for n in range(1, 101):
        anna = testbot.customer(chat=str(2000 + n))
        await anna.says("позовите оператора")
        both = [olga, pavel]
        random.Random(n).shuffle(both)
        for operator in both:
            await operator.presses("Взять", ticket=n, run=False)
        said = len(testbot.channels["telegram"].said)
        await testbot.rest()

        ticket = await testbot.service.store.ticket(n)
        assert ticket is not None and ticket.operator == f"telegram:{both[0].sender.id}"
        notices = [
            s.outbound.text.text
            for s in testbot.channels["telegram"].said[said:]
            if s.outbound.kind is OutboundKind.ACKNOWLEDGE
        ]
        assert len(notices) == 2 and sum("уже взял" in text for text in notices) == 1


async def test_a_deleted_topic_is_made_again_with_its_history_in_order(testbot: TestBot) -> None:
    """The topic is a view: words for a deleted one open it anew, card first."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    old = await olga.thread(1)
    testbot.channels["telegram"].deleted.add(old)
    await anna.says("мой номер заказа 777123")

    assert await olga.thread(1) != old
    shown = [o for o in await olga.sees(1) if o.kind is OutboundKind.SAY]
    assert shown[0].name == "card:1" and "позовите оператора" in shown[0].text.text
    assert shown[-1].text.text == "мой номер заказа 777123"


async def test_in_a_plain_group_replies_find_their_ticket(plain_testbot: TestBot) -> None:
    """Without topics the reply routes; words that reply to nothing stay among operators."""
    testbot = plain_testbot
    anna, boris, olga = testbot.customer(), testbot.customer("Борис", chat="1002"), testbot.operator()
    await anna.says("позовите оператора")
    await boris.says("позовите оператора")
    cards = [
        s for s in testbot.channels["telegram"].in_chat("-100500") if s.outbound.name.startswith("card:")
    ]
    await olga.says("Анна, смотрю", quotes=cards[0].message)
    await olga.says("кофе будешь?")

    told = {
        chat: [s.outbound.text.text for s in testbot.channels["telegram"].in_chat(chat)]
        for chat in ("1001", "1002")
    }
    assert "Анна, смотрю" in told["1001"] and "Анна, смотрю" not in told["1002"]
    assert not any("кофе" in text for texts in told.values() for text in texts)
    await anna.says("жду")
    carried = testbot.channels["telegram"].in_chat("-100500")[-1].outbound
    assert carried.text.text == "жду" and "№1" in carried.heading.text


async def test_a_reply_to_a_message_of_ours_that_nobody_knows_is_asked_about(plain_testbot: TestBot) -> None:
    """After a lost answer of the platform a card may stand twice: who replies to the copy is told, not
    ignored; replies to colleagues are theirs.
    """
    await plain_testbot.customer().says("позовите оператора")
    olga = plain_testbot.operator()
    for data, told in (({"quotes_us": True}, 1), ({}, 0)):
        before = len(await olga.sees())
        place, olga_herself = Peer("telegram", "-100500"), Sender("9001", "Ольга")
        said: dict[str, Any] = {
            "text": "смотрю",
            "message": "77",
            "quotes": "13",
            "private": False,
            "data": data,
        }
        await plain_testbot.arrive(
            Inbound(plain_testbot.key(), place, olga_herself, plain_testbot.clock(), **said)
        )
        shown = [o.text.text for o in (await olga.sees())[before:]]
        assert len([t for t in shown if "К какому обращению" in t]) == told


async def test_a_vk_customer_and_a_telegram_desk_work_together(testbot: TestBot) -> None:
    """The peer holds the channel: nothing else is needed."""
    ildar, olga = testbot.customer("Ильдар", channel="vk", chat="2001"), testbot.operator()
    await ildar.says("позовите оператора")
    await olga.says("Здравствуйте!", ticket=1, attachments=(PHOTO,))

    assert [s.outbound.text.text for s in ildar.sees()][-1] == "Здравствуйте!"
    assert ildar.sees()[-1].outbound.attachments == (PHOTO,)


async def test_an_anonymous_administrator_cannot_answer(testbot: TestBot) -> None:
    """Nobody could be held responsible: refused with one clear line."""
    anna, ghost = testbot.customer(), testbot.operator()
    ghost.sender = type(ghost.sender)("1087968824", "Group", anonymous=True)
    await anna.says("позовите оператора")
    anna.listens()
    await ghost.says("кто тут", ticket=1)

    assert anna.hears() == []
    assert any("аноним" in o.text.text.lower() for o in await testbot.operator().sees(1))


async def test_contacts_are_shown_on_request_and_the_look_is_kept(testbot: TestBot) -> None:
    """The button shows the phone to the one who pressed, and the store remembers who saw it."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("оператор! мой телефон +7 912 345-67-89")
    await olga.presses("Показать контакт", ticket=1)

    notices = [
        s.outbound.text.text
        for s in testbot.channels["telegram"].said
        if s.outbound.kind is OutboundKind.ACKNOWLEDGE
    ]
    assert any("345-67-89" in text for text in notices)
    events = await testbot.service.store.events(kinds=["contact_shown"])
    assert [e.actor for e in events] == ["telegram:9001"]


async def test_a_group_is_bound_by_a_button_of_its_administrator(articles: Path) -> None:
    """Nobody hunts for a chat id; a mere member cannot bind."""
    async with open_test_bot(articles, desk=None) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.does(InboundKind.ADDED)
        await olga.presses("Сделать группой")
        assert testbot.service.desk.context.places.binding.place is None
        testbot.channels["telegram"].members["9001"] = "administrator"
        await olga.presses("Сделать группой")

        assert testbot.service.desk.context.places.binding.place is not None
        assert any("№1" in o.text.text for o in await olga.sees(1)), (
            "a ticket opened before there was a desk is shown once there is one"
        )


async def test_a_person_writing_by_hand_makes_the_bot_step_back(testbot: TestBot) -> None:
    """A community admin answers in VK itself: the bot keeps silent for a while, then returns."""
    ildar = testbot.customer("Ильдар", channel="vk", chat="2001")
    await ildar.says("Сколько идёт доставка?")
    await ildar.says("отвечу сама", kind=InboundKind.STEPPED_IN)
    await ildar.says("как вернуть товар")
    assert ildar.hears() == []
    await testbot.later(minutes=61)
    await ildar.says("как вернуть товар")

    assert any("14 дней" in text for text in ildar.hears())


async def test_a_night_handoff_tells_the_morning(testbot: TestBot) -> None:
    """Outside hours the customer hears when people are back, not a guess in minutes."""
    testbot.clock.advance(hours=11)
    anna = testbot.customer()
    await anna.says("позовите оператора")

    assert any("завтра с 10:00" in text for text in anna.hears())


@pytest.mark.parametrize("label", ["Взять", "Закрыть"])
async def test_a_button_of_another_chat_does_nothing(testbot: TestBot, label: str) -> None:
    """A token copied into another chat resolves to nothing."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    card = next(s for s in testbot.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    from bot.button_tokens import token

    forged = anna.inbound(
        anna.peer, InboundKind.PRESS, private=True, press=token(card.nonce, 0, 0), callback="c1"
    )
    await testbot.arrive(forged)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting"
    assert await olga.thread(1)


@pytest.mark.sqlite
async def test_operators_words_survive_a_commit_that_failed(testbot: TestBot) -> None:
    """The disk fails once: the words are decided again and reach the customer, once."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    anna.listens()
    with refused_inserts(testbot.sqlite_store, "outbox"):
        await olga.says("Здравствуйте, смотрю", ticket=1)
        assert anna.hears() == []
    await testbot.later(seconds=5)

    assert anna.hears() == ["Здравствуйте, смотрю"]
