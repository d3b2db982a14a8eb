"""Handing over and working on tickets, seen from the customer's chat and from the operators' group."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.model import Attachment, Inbound, InboundKind, Media, Peer, Sender, Status, Verb
from bot.testing import Theatre, open_theatre

PHOTO = Attachment(Media.PHOTO, "photo-1", "telegram")


async def test_asking_for_a_person_opens_a_ticket_and_a_topic(theatre: Theatre) -> None:
    """The customer hears a number, the desk gets a card with who, why and what was said."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("Сколько идёт доставка?")
    await anna.says("хочу поговорить с оператором, заказ 48213, телефон +7 912 345-67-89")

    assert any("№1" in text for text in anna.hears())
    card = (await olga.sees(1))[0]
    for words in ("№1", "Анна", "48213", "Сколько идёт доставка?", "попросил человека"):
        assert words in card.text.text
    assert "345" not in card.text.text, "a contact is masked in the card"
    assert {b.action for row in card.buttons for b in row} >= {"take", "close", "return_to_bot", "show_contact"}


async def test_no_topic_before_a_handoff(theatre: Theatre) -> None:
    """A start and an answer cost the group nothing."""
    anna = theatre.customer()
    await anna.says("", kind=InboundKind.START)
    await anna.says("Сколько идёт доставка?")

    assert theatre.channels["telegram"].in_chat("-100500", verb=None) == []


async def test_the_operators_words_arrive_with_a_receipt(theatre: Theatre) -> None:
    """The first answer takes the ticket; the operator sees that it was delivered."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Уже смотрю", ticket=1, message="555")

    assert "Уже смотрю" in anna.hears()
    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9001" and ticket.first_reply is not None
    assert any(o.verb is Verb.REACT and o.quotes == "555" for o in await olga.sees(1))


async def test_edits_of_the_operator_reach_the_customer(theatre: Theatre) -> None:
    """An edited message is edited at the customer's, not said again."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ потерян", ticket=1, message="77")
    sent = anna.sees()[-1]
    await olga.says("Заказ найден", ticket=1, message="77", kind=InboundKind.EDIT)

    edit = anna.sees()[-1]
    assert edit.outbound.verb is Verb.EDIT and edit.outbound.text.text == "Заказ найден" and edit.target == sent.message


async def test_notes_and_unknown_commands_stay_inside(theatre: Theatre) -> None:
    """What is not meant for the customer never reaches him."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    before = len(theatre.channels["telegram"].in_chat("1001", verb=None))
    for text in ("// клиент нервный", "/note проверить оплату", "/tkae", "/help"):
        await olga.says(text, ticket=1)

    assert len(theatre.channels["telegram"].in_chat("1001", verb=None)) == before
    history = await theatre.house.store.history(1)
    assert [line.text for line in history if line.author == "note"] == ["клиент нервный", "проверить оплату"]


async def test_while_a_person_is_at_it_the_bot_carries_words_only(theatre: Theatre) -> None:
    """A question the bot could answer is carried, with photos, and the customer's edits are shown."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)
    await anna.says("Сколько идёт доставка?", attachments=(PHOTO,), message="5")
    await anna.says("Сколько стоит доставка?", message="5", kind=InboundKind.EDIT)

    assert anna.hears() == []
    shown = await olga.sees(1)
    assert any(o.text.text == "Сколько идёт доставка?" and o.attachments == (PHOTO,) for o in shown)
    assert any("Сколько стоит доставка?" in o.text.text for o in shown)


async def test_a_photo_sent_before_the_handoff_comes_along(theatre: Theatre) -> None:
    """The operator sees what the customer had already shown."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("", attachments=(PHOTO,))
    await anna.says("позовите оператора")

    assert any(PHOTO in o.attachments for o in await olga.sees(1))


async def test_closing_opens_the_bot_again(theatre: Theatre) -> None:
    """The customer is told; the next question is the bot's, the next request a new ticket."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)
    anna._mark = len(theatre.channels["telegram"].said)
    await olga.says("/close", ticket=1)
    assert any("закрыто" in text for text in anna.hears())
    await anna.says("как вернуть товар")
    assert any("14 дней" in text for text in anna.hears())
    await anna.says("позовите оператора")

    assert any("№2" in text for text in anna.hears())


async def test_return_to_the_bot_and_cancel(theatre: Theatre) -> None:
    """An operator can give the conversation back, a customer can take the request back."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.presses("Вернуть боту", ticket=1)
    assert (await theatre.house.store.conversation(anna.peer)).status is Status.BOT  # type: ignore[union-attr]
    await anna.says("позовите оператора")
    await anna.presses("Отменить")

    assert await theatre.house.store.tickets() == ()
    assert any("Отменил" in text for text in anna.hears())


async def test_two_operators_press_take_at_once_a_hundred_times(theatre: Theatre) -> None:
    """Exactly one of two wins each time, the other hears who has it."""
    olga, pavel = theatre.operator(), theatre.operator("Павел", id="9002")
    for n in range(1, 101):
        anna = theatre.customer(chat=str(2000 + n))
        await anna.says("позовите оператора")
        both = [olga, pavel]
        random.Random(n).shuffle(both)
        for operator in both:
            await operator.presses("Взять", ticket=n, run=False)
        said = len(theatre.channels["telegram"].said)
        await theatre.rest()

        ticket = await theatre.house.store.ticket(n)
        assert ticket is not None and ticket.operator == f"telegram:{both[0]._sender.id}"
        notices = [s.outbound.text.text for s in theatre.channels["telegram"].said[said:] if s.outbound.verb is Verb.ACKNOWLEDGE]
        assert len(notices) == 2 and sum("уже взял" in text for text in notices) == 1


async def test_a_deleted_topic_is_made_again_with_its_history_in_order(theatre: Theatre) -> None:
    """The topic is a view: words for a deleted one open it anew, card first."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    old = await olga.thread(1)
    theatre.channels["telegram"].deleted.add(old)
    await anna.says("мой номер заказа 777123")

    assert await olga.thread(1) != old
    shown = [o for o in await olga.sees(1) if o.verb is Verb.SAY]
    assert shown[0].name == "card:1" and "позовите оператора" in shown[0].text.text
    assert shown[-1].text.text == "мой номер заказа 777123"


async def test_in_a_plain_group_replies_find_their_ticket(plain_theatre: Theatre) -> None:
    """Without topics the reply routes; words that reply to nothing stay among operators."""
    theatre = plain_theatre
    anna, boris, olga = theatre.customer(), theatre.customer("Борис", chat="1002"), theatre.operator()
    await anna.says("позовите оператора")
    await boris.says("позовите оператора")
    cards = [s for s in theatre.channels["telegram"].in_chat("-100500") if s.outbound.name.startswith("card:")]
    await olga.says("Анна, смотрю", quotes=cards[0].message)
    await olga.says("кофе будешь?")

    told = {chat: [s.outbound.text.text for s in theatre.channels["telegram"].in_chat(chat)] for chat in ("1001", "1002")}
    assert "Анна, смотрю" in told["1001"] and "Анна, смотрю" not in told["1002"]
    assert not any("кофе" in text for texts in told.values() for text in texts)
    await anna.says("жду")
    carried = theatre.channels["telegram"].in_chat("-100500")[-1].outbound
    assert carried.text.text == "жду" and "№1" in carried.heading.text


async def test_a_reply_to_a_message_of_ours_that_nobody_knows_is_asked_about(plain_theatre: Theatre) -> None:
    """After a lost answer of the platform a card may stand twice: who replies to the copy is told, not ignored; replies to colleagues are theirs."""
    await plain_theatre.customer().says("позовите оператора")
    olga = plain_theatre.operator()
    for data, told in (({"quotes_us": True}, 1), ({}, 0)):
        before = len(await olga.sees())
        place, olga_herself = Peer("telegram", "-100500"), Sender("9001", "Ольга")
        said = {"text": "смотрю", "message": "77", "quotes": "13", "private": False, "data": data}
        await plain_theatre.arrive(Inbound(plain_theatre.key(), place, olga_herself, plain_theatre.clock(), **said))  # type: ignore[arg-type]
        shown = [o.text.text for o in (await olga.sees())[before:]]
        assert len([t for t in shown if "К какому обращению" in t]) == told


async def test_a_vk_customer_and_a_telegram_desk_work_together(theatre: Theatre) -> None:
    """The peer holds the channel: nothing else is needed."""
    ildar, olga = theatre.customer("Ильдар", channel="vk", chat="2001"), theatre.operator()
    await ildar.says("позовите оператора")
    await olga.says("Здравствуйте!", ticket=1, attachments=(PHOTO,))

    assert [s.outbound.text.text for s in ildar.sees()][-1] == "Здравствуйте!"
    assert ildar.sees()[-1].outbound.attachments == (PHOTO,)


async def test_an_anonymous_administrator_cannot_answer(theatre: Theatre) -> None:
    """Nobody could be held responsible: refused with one clear line."""
    anna, ghost = theatre.customer(), theatre.operator()
    ghost._sender = type(ghost._sender)("1087968824", "Group", anonymous=True)
    await anna.says("позовите оператора")
    anna._mark = len(theatre.channels["telegram"].said)
    await ghost.says("кто тут", ticket=1)

    assert anna.hears() == []
    assert any("аноним" in o.text.text.lower() for o in await theatre.operator().sees(1))


async def test_contacts_are_shown_on_request_and_the_look_is_kept(theatre: Theatre) -> None:
    """The button shows the phone to the one who pressed, and the store remembers who saw it."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("оператор! мой телефон +7 912 345-67-89")
    await olga.presses("Показать контакт", ticket=1)

    notices = [s.outbound.text.text for s in theatre.channels["telegram"].said if s.outbound.verb is Verb.ACKNOWLEDGE]
    assert any("345-67-89" in text for text in notices)
    events = await theatre.house.store.events(kinds=["contact_shown"])
    assert [e.actor for e in events] == ["telegram:9001"]


async def test_a_group_is_bound_by_a_button_of_its_administrator(articles: Path) -> None:
    """Nobody hunts for a chat id; a mere member cannot bind."""
    async with open_theatre(articles, desk=False) as theatre:
        anna, olga = theatre.customer(), theatre.operator()
        await anna.says("позовите оператора")
        await olga.says("", kind=InboundKind.ADDED)
        await olga.presses("Сделать группой")
        assert theatre.house.desk.binding.place is None
        theatre.channels["telegram"].members["9001"] = "administrator"
        await olga.presses("Сделать группой")

        assert theatre.house.desk.binding.place is not None
        assert any("№1" in o.text.text for o in await olga.sees(1)), "a ticket opened before there was a desk is shown once there is one"


async def test_a_person_writing_by_hand_makes_the_bot_step_back(theatre: Theatre) -> None:
    """A community admin answers in VK itself: the bot keeps silent for a while, then returns."""
    ildar = theatre.customer("Ильдар", channel="vk", chat="2001")
    await ildar.says("Сколько идёт доставка?")
    await ildar.says("отвечу сама", kind=InboundKind.STEPPED_IN)
    await ildar.says("как вернуть товар")
    assert ildar.hears() == []
    await theatre.later(minutes=61)
    await ildar.says("как вернуть товар")

    assert any("14 дней" in text for text in ildar.hears())


async def test_a_night_handoff_promises_the_morning(theatre: Theatre) -> None:
    """Outside hours the customer hears when people are back, not a guess in minutes."""
    theatre.clock.advance(hours=11)
    anna = theatre.customer()
    await anna.says("позовите оператора")

    assert any("завтра с 10:00" in text for text in anna.hears())


@pytest.mark.parametrize("label", ["Взять", "Закрыть"])
async def test_a_button_of_another_chat_does_nothing(theatre: Theatre, label: str) -> None:
    """A token copied into another chat resolves to nothing."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    card = next(s for s in theatre.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    from bot.button_tokens import token

    forged = anna._inbound(anna.peer, InboundKind.PRESS, private=True, press=token(card.nonce, 0, 0), callback="c1")
    await theatre.arrive(forged)

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting"
    assert await olga.thread(1)


async def test_operators_words_survive_a_commit_that_failed(theatre: Theatre) -> None:
    """The disk fails once: the words are decided again and reach the customer, once."""
    anna, olga, db = theatre.customer(), theatre.operator(), theatre.house.store._db
    await anna.says("позовите оператора")
    db.execute("create temp table broken(x)")
    db.execute("create temp trigger full before insert on outbox when exists(select 1 from broken) begin select raise(abort, 'disk full'); end")
    db.execute("insert into broken values(1)")
    anna._mark = len(theatre.channels["telegram"].said)
    await olga.says("Здравствуйте, смотрю", ticket=1)
    db.execute("delete from broken")
    await theatre.later(seconds=5)

    assert anna.hears() == ["Здравствуйте, смотрю"]
