"""What is asked about before it is sent, what is changed afterwards, and what the operator hears of it."""

from __future__ import annotations

import pytest

from bot.model import Attachment, InboundKind, Media, OutboundKind
from bot.testing import TestBot
from bot.testing.harness import PlayedCustomer, PlayedOperator

RUDE = "Это ваши проблемы"
OLD, NEW = (Attachment(Media.PHOTO, f"photo-{n}", "telegram", data={"unique": f"u{n}"}) for n in (1, 2))
EDIT = InboundKind.EDIT


async def a_talk(testbot: TestBot) -> tuple[PlayedCustomer, PlayedOperator]:
    """A ticket with an operator; the customer has heard her."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    return anna, olga


async def told(olga: PlayedOperator) -> str:
    """The last words of the service in the topic."""
    return [o.text.text for o in await olga.sees(1) if o.kind is OutboundKind.SAY][-1]


async def test_a_photo_is_asked_about_with_its_words_and_keeps_them_together(testbot: TestBot) -> None:
    """Rude words under a photo wait like others; the tap sends both, the second tap nothing."""
    anna, olga = await a_talk(testbot)
    await olga.says(RUDE, ticket=1, message="88", attachments=(OLD,))
    assert anna.sees() == []
    await olga.presses("Всё равно", ticket=1, run=False)
    await olga.presses("Всё равно", ticket=1)

    assert [(s.outbound.text.text, s.outbound.attachments) for s in anna.sees()] == [(RUDE, (OLD,))]


async def test_what_is_not_to_be_sent_is_not(testbot: TestBot) -> None:
    """By a tap or by a word; the other button is void then."""
    anna, olga = await a_talk(testbot)
    await olga.says(RUDE, ticket=1, message="88")
    await olga.presses("Не отправлять", ticket=1)
    await olga.presses("Всё равно", ticket=1)
    await olga.says(RUDE, ticket=1, message="89")
    await olga.says("Не отправлять!", ticket=1)
    await olga.presses("Всё равно", ticket=1)

    assert anna.sees() == []
    await olga.says("Сейчас поможем", ticket=1)
    assert anna.hears() == ["Сейчас поможем"]


async def test_a_mended_message_makes_the_older_button_void(testbot: TestBot) -> None:
    """The old words are never sent after the kind ones, nor after a note was made of them."""
    anna, olga = await a_talk(testbot)
    await olga.says(RUDE, ticket=1, message="88")
    await olga.does(EDIT, "Сейчас поможем", ticket=1, message="88")
    await olga.presses("Всё равно", ticket=1)
    await olga.says(RUDE, ticket=1, message="89")
    await olga.does(EDIT, f"// {RUDE}", ticket=1, message="89")
    await olga.presses("Всё равно", ticket=1)
    assert anna.hears() == ["Сейчас поможем"]

    await olga.says(RUDE, ticket=1, message="90")
    await olga.does(EDIT, "Отстаньте, пожалуйста", ticket=1, message="90")
    questions = [
        s
        for s in testbot.channels["telegram"].in_chat("-100500")
        if any(b.action == "send_anyway" for row in s.outbound.buttons for b in row)
    ]
    assert len(questions) == 4, "asked again, about the words as they are now"
    await olga.presses("Всё равно", ticket=1)
    assert anna.hears() == ["Сейчас поможем", "Отстаньте, пожалуйста"]


async def test_an_edit_is_asked_about_like_new_words(testbot: TestBot) -> None:
    """Rude words and a colleague's name do not come in by an edit; the tap changes the message."""
    anna, olga = await a_talk(testbot)
    await olga.says("Сейчас поможем", ticket=1, message="88")
    await olga.does(EDIT, RUDE, ticket=1, message="88")
    await olga.does(EDIT, "Сейчас, @pavel_s глянь", ticket=1, message="88")
    assert anna.hears() == ["Сейчас поможем"]
    assert "прежние слова" in await told(olga)
    await olga.presses("Всё равно", ticket=1)

    assert [(s.outbound.kind, s.outbound.text.text) for s in anna.sees()] == [
        (OutboundKind.SAY, "Сейчас поможем"),
        (OutboundKind.EDIT, "Сейчас, @pavel_s глянь"),
    ]


@pytest.mark.parametrize("inside", ["// ошибся", "@pavel_s глянь", "/note ошибся", "/close", "/close!"])
async def test_an_answer_that_becomes_a_note_is_told_about(testbot: TestBot, inside: str) -> None:
    """The customer keeps the words: the operator hears which."""
    anna, olga = await a_talk(testbot)
    await olga.says("Заказ потерян", ticket=1, message="77")
    await olga.does(EDIT, "Заказ найден", ticket=1, message="77")
    await olga.does(EDIT, inside, ticket=1, message="77")

    assert [s.outbound.text.text for s in anna.sees()] == ["Заказ потерян", "Заказ найден"]
    assert "прежнее" in await told(olga) and "«Заказ найден»" in await told(olga)


async def test_a_note_that_becomes_an_answer_is_asked_about(testbot: TestBot) -> None:
    """It never went to the customer, so nothing can be changed there: one tap sends it, once."""
    anna, olga = await a_talk(testbot)
    await olga.says("// заказ найден", ticket=1, message="77")
    await olga.does(EDIT, "Заказ найден", ticket=1, message="77")
    assert anna.sees() == [] and "до правки" in (await told(olga)).lower()
    await olga.presses("Всё равно", ticket=1)
    await olga.presses("Всё равно", ticket=1)

    assert [(s.outbound.kind, s.outbound.text.text) for s in anna.sees()] == [
        (OutboundKind.SAY, "Заказ найден")
    ]


async def test_an_edit_that_changes_nothing_is_nothing(testbot: TestBot) -> None:
    """Platforms tell of changes that nobody sees."""
    anna, olga = await a_talk(testbot)
    await olga.says("Заказ найден", ticket=1, message="77")
    await olga.does(EDIT, "Заказ найден", ticket=1, message="77")

    assert len(anna.sees()) == 1


async def test_a_photo_that_was_replaced_is_told_about(testbot: TestBot) -> None:
    """The caption is changed; the wrong invoice does not stay there unnoticed."""
    anna, olga = await a_talk(testbot)
    await olga.says("Ваш счёт", ticket=1, message="77", attachments=(OLD,))
    await olga.does(EDIT, "Ваш верный счёт", ticket=1, message="77", attachments=(NEW,))

    edit = anna.sees()[-1].outbound
    assert (
        edit.kind is OutboundKind.EDIT and edit.text.text == "Ваш верный счёт" and edit.attachments == (OLD,)
    )
    assert "прежнее вложение" in await told(olga)


async def test_an_edit_after_closing_is_told_about(testbot: TestBot) -> None:
    """The customer is not disturbed any more, and the operator knows it."""
    anna, olga = await a_talk(testbot)
    await olga.says("Заказ потерян", ticket=1, message="77")
    await olga.says("/close", ticket=1)
    seen = len(anna.sees())
    await olga.does(EDIT, "Заказ найден", ticket=1, message="77")

    assert len(anna.sees()) == seen and "закрыто" in await told(olga)


async def test_words_that_went_in_pieces_are_not_changed_by_half(testbot: TestBot) -> None:
    """A long caption follows its photo; shortening it would leave the old rest standing."""
    anna, olga = await a_talk(testbot)
    await olga.says("Подробно. " * 150, ticket=1, message="77", attachments=(OLD,))
    seen = len(anna.sees())
    await olga.does(EDIT, "Коротко", ticket=1, message="77", attachments=(OLD,))

    assert len(anna.sees()) == seen and "частями" in await told(olga)


async def test_words_carried_by_an_edit_keep_their_space(testbot: TestBot) -> None:
    """«Исправлено: Анна», not «Исправлено:Анна»."""
    anna, olga = await a_talk(testbot)
    await anna.says("Заказ 1", message="5")
    await anna.says("Заказ 2", message="5", kind=EDIT)

    assert "Исправлено: Заказ 2" in await told(olga)


async def test_a_ready_answer_is_sent_once(testbot: TestBot) -> None:
    """Two taps on «Отправить клиенту» are one wish."""
    anna, olga = await a_talk(testbot)
    await anna.says("как вернуть товар")
    await olga.presses("💡", ticket=1)
    anna.listens()
    await olga.presses("Отправить клиенту", ticket=1, run=False)
    await olga.presses("Отправить клиенту", ticket=1)
    await olga.presses("Отправить клиенту", ticket=1)

    assert sum("14 дней" in text for text in anna.hears()) == 1


async def test_undo_takes_back_every_piece(testbot: TestBot) -> None:
    """A long answer goes in several messages, and all of them go away."""
    anna, olga = await a_talk(testbot)
    await olga.says("Очень подробно. " * 400, ticket=1, attachments=(OLD,))
    sent = [s.message for s in anna.sees()]
    assert len(sent) > 2
    await olga.says("/undo", ticket=1)

    deleted = testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.DELETE)
    assert [s.target.split() for s in deleted] == [sent]


async def test_undo_takes_back_every_photo_of_an_album(testbot: TestBot) -> None:
    """Three photos are three messages on some platforms."""
    anna, olga = await a_talk(testbot)
    await olga.says("Три фото", ticket=1, attachments=(OLD, NEW, OLD))
    first = int(anna.sees()[-1].message)
    await olga.says("/undo", ticket=1)

    deleted = testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.DELETE)
    assert [s.target for s in deleted] == [f"{first} {first + 1} {first + 2}"]
