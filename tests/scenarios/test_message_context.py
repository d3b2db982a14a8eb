"""What comes with a message and is not its author's own words: who and what is shown, and nobody takes it for
their words.
"""

from __future__ import annotations

import pytest

from bot.adapters.telegram.updates import TelegramReader
from bot.adapters.vk.updates import VkReader
from bot.model import Inbound, InboundKind, OutboundKind
from bot.testing import TestBot
from bot.testing.harness import DESK_CHAT

IVAN = {
    "type": "user",
    "sender_user": {"id": 77, "first_name": "Иван", "last_name": "Петров", "username": "ivan"},
}
BOT = 1


def update(testbot: TestBot, text: str = "", *, edited: bool = False, **more: object) -> Inbound:
    """A message of Anna, as Telegram tells it."""
    body = {
        "message_id": 500,
        "date": int(testbot.clock().timestamp()),
        "from": {"id": 1001, "first_name": "Анна"},
    }
    body |= {"chat": {"id": 1001, "type": "private"}} | ({"text": text} if text else {}) | more
    reader = TelegramReader("telegram", testbot.clock, bot_id=BOT)
    key = testbot.key().removeprefix("k")
    return reader.to_inbound({"update_id": int(key) + 9000, "edited_message" if edited else "message": body})


def vk(testbot: TestBot, text: str, **more: object) -> Inbound:
    """A message of user 5, as VK tells it."""
    number = int(testbot.key().removeprefix("k"))
    body = {"id": number, "conversation_message_id": number, "peer_id": 5, "from_id": 5, "text": text}
    body |= {"date": int(testbot.clock().timestamp())} | more
    found = VkReader("vk", 1, testbot.clock, lambda _: False).message(body)
    assert found is not None
    return found


async def shown(testbot: TestBot, number: int = 1) -> str:
    """The newest words in the ticket's topic."""
    return [o for o in await testbot.operator().sees(number) if o.kind is OutboundKind.SAY and o.text][
        -1
    ].text.text


@pytest.mark.parametrize(
    ("origin", "who"),
    [
        (IVAN, "Иван Петров"),
        ({"type": "hidden_user", "sender_user_name": "Скрытный"}, "Скрытный"),
        ({"type": "chat", "sender_chat": {"id": -5, "type": "supergroup", "title": "Дачники"}}, "Дачники"),
        (
            {"type": "channel", "chat": {"id": -6, "title": "Скидки", "username": "sales"}, "message_id": 9},
            "https://t.me/sales/9",
        ),
    ],
)
async def test_a_forward_tells_its_author(testbot: TestBot, origin: dict[str, object], who: str) -> None:
    """In the desk: who wrote it, and each line marked."""
    await testbot.customer().says("позовите оператора")
    await testbot.arrive(update(testbot, "Деньги\nверните", forward_origin=origin))

    text = await shown(testbot)
    assert who in text and "» Деньги\n» верните" in text


async def test_a_strangers_question_is_not_the_customers(testbot: TestBot) -> None:
    """The bot does not answer it; it asks for the customer's own words, and a person sees who wrote what."""
    anna = testbot.customer()
    await testbot.arrive(update(testbot, "Сколько идёт доставка?", forward_origin=IVAN))
    [asked] = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001")]
    assert "своими словами" in asked
    await testbot.arrive(update(testbot, "позовите оператора", forward_origin=IVAN))
    assert await testbot.service.store.ticket(1) is None, "a stranger's wish opens nothing"
    await anna.says("позовите оператора")

    seen = [o.text.text for o in await testbot.operator().sees(1) if o.kind is OutboundKind.SAY]
    assert "Иван Петров" in seen[0] and "» Сколько идёт доставка?" in seen[0], "in the card"
    assert any("Иван Петров" in t and "» Сколько идёт доставка?" in t for t in seen[1:]), (
        "as a whole below it"
    )


async def test_ones_own_forwarded_words_are_ones_own(testbot: TestBot) -> None:
    """A forwarded message of the customer themselves is answered like any other."""
    own = {"type": "user", "sender_user": {"id": 1001, "first_name": "Анна"}}
    inbound = update(testbot, "Сколько идёт доставка?", forward_origin=own)
    assert inbound.text == "Сколько идёт доставка?"


async def test_the_answered_words_of_the_bot_are_shown(testbot: TestBot) -> None:
    """A reply to the bot's earlier answer: the operator sees what it was."""
    await testbot.customer().says("позовите оператора")
    answer = {"message_id": 3, "text": "Доставка стоит 300 рублей", "from": {"id": BOT, "is_bot": True}}
    await testbot.arrive(update(testbot, "это дорого", reply_to_message=answer))

    text = await shown(testbot)
    assert "» Доставка стоит 300 рублей" in text and "бота" in text and text.endswith("\nэто дорого")


async def test_the_quoted_part_is_shown(testbot: TestBot) -> None:
    """Of a partial quote the chosen words, even where the whole message is in the desk."""
    await testbot.customer().says("позовите оператора")
    answer = {"message_id": 3, "text": "Размеры: S, M, L", "from": {"id": BOT, "is_bot": True}}
    said = update(
        testbot, "вот этот", reply_to_message=answer, quote={"text": "M", "position": 12, "is_manual": True}
    )
    await testbot.arrive(said)

    assert "» M\n" in await shown(testbot)


async def test_a_reply_to_another_chat_and_to_a_story(testbot: TestBot) -> None:
    """Where it comes from, the quoted words, and the photo."""
    await testbot.customer().says("позовите оператора")
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
    origin = {"type": "channel", "chat": {"id": -6, "title": "Скидки"}, "message_id": 9}
    external = {"origin": origin, "photo": photo}
    await testbot.arrive(
        update(testbot, "такое есть?", external_reply=external, quote={"text": "Куртка", "position": 0})
    )
    sent = [o for o in await testbot.operator().sees(1) if o.kind is OutboundKind.SAY][-1]
    assert "Скидки" in sent.text.text and "» Куртка" in sent.text.text and sent.attachments

    story = {"chat": {"id": -6, "title": "Магазин", "username": "shop"}, "id": 4}
    await testbot.arrive(update(testbot, "беру", reply_to_story=story))
    assert "Магазин" in await shown(testbot) and "https://t.me/shop/s/4" in await shown(testbot)


async def test_vk_forwards_tell_their_authors_to_the_innermost(testbot: TestBot) -> None:
    """Authors by their page, and what a forwarded message itself answers."""
    await testbot.customer(channel="vk", chat="5").says("позовите оператора")
    inner = {"from_id": 8, "text": "Когда отправите?"}
    photo = {"type": "photo", "photo": {"owner_id": 1, "id": 2, "sizes": []}}
    forwarded = {"from_id": 7, "text": "Завтра", "reply_message": {**inner, "attachments": [photo]}}
    said = vk(testbot, "обещали!", fwd_messages=[forwarded])
    assert len(said.attachments) == 1, "the photo of the answered message"
    await testbot.arrive(said)

    text = "\n".join(o.text.text for o in await testbot.operator().sees(1) if o.kind is OutboundKind.SAY)
    for words in ("https://vk.com/id7", "» Завтра", "https://vk.com/id8", "» Когда отправите?", "обещали!"):
        assert words in text


async def test_a_vk_reply_to_the_bots_answer_is_shown(testbot: TestBot) -> None:
    """VK tells the answered words with the message."""
    await testbot.customer(channel="vk", chat="5").says("позовите оператора")
    answered = {"from_id": -1, "id": 900, "conversation_message_id": 90, "text": "Доставка 300 рублей"}
    await testbot.arrive(vk(testbot, "это дорого", reply_message=answered))

    text = await shown(testbot)
    assert "» Доставка 300 рублей" in text and "бота" in text and text.endswith("\nэто дорого")


async def test_a_vk_forward_alone_is_asked_about(testbot: TestBot) -> None:
    """The customer is asked for their own words."""
    await testbot.arrive(vk(testbot, "", fwd_messages=[{"from_id": 7, "text": "Сколько идёт доставка?"}]))
    [asked] = [s.outbound.text.text for s in testbot.channels["vk"].in_chat("5")]
    assert "своими словами" in asked


async def test_long_forwards_are_parted(testbot: TestBot) -> None:
    """Many long forwarded texts reach the desk whole, in calls the platform takes."""
    await testbot.customer(channel="vk", chat="5").says("позовите оператора")
    before = len(await testbot.operator().sees(1))
    many = [{"from_id": 7, "text": f"начало{n} " + "слово " * 500 + f"конец{n}"} for n in range(5)]
    await testbot.arrive(vk(testbot, "вот", fwd_messages=many))

    posts = [o.text.text for o in (await testbot.operator().sees(1))[before:] if o.kind is OutboundKind.SAY]
    assert len(posts) > 3 and all(len(p) <= 4096 for p in posts)
    whole = "\n".join(posts)
    assert all(f"начало{n}" in whole and f"конец{n}" in whole for n in range(5)) and whole.endswith("вот")


async def test_a_ticket_that_comes_back_brings_the_forward(testbot: TestBot) -> None:
    """Forwarded to the bot after the ticket was closed, or with the request for a person: the desk sees whose
    words.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await olga.says("/close", ticket=1)
    await testbot.arrive(update(testbot, "Так и не привезли", forward_origin=IVAN))
    later = [update(testbot, "позовите оператора"), update(testbot, "И не звонят", forward_origin=IVAN)]
    await testbot.arrive(*later)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status != "closed"
    [text] = [
        o.text.text
        for o in await olga.sees(1)
        if o.kind is OutboundKind.SAY and "» И не звонят" in o.text.text
    ]
    assert text.count("Иван Петров") == 2 and "» Так и не привезли" in text


async def quoting(testbot: TestBot, text: str, part: str, *, of: str, kind: str = "message") -> None:
    """Olga answers a part of what the desk shows."""
    peer_thread = await testbot.operator().thread(1)
    body = {
        "message_id": 800,
        "date": int(testbot.clock().timestamp()),
        "from": {"id": 9001, "first_name": "Ольга"},
        "chat": {"id": int(DESK_CHAT), "type": "supergroup"},
        "is_topic_message": True,
        "message_thread_id": int(peer_thread),
        "text": text,
        "reply_to_message": {"message_id": int(of), "text": "…", "from": {"id": BOT, "is_bot": True}},
        "quote": {"text": part, "position": 0, "is_manual": True},
    }
    reader = TelegramReader("telegram", testbot.clock, bot_id=BOT)
    await testbot.arrive(reader.to_inbound({"update_id": int(testbot.key()[1:]) + 9000, kind: body}))


def number_of(testbot: TestBot, text: str) -> str:
    return [
        s.message for s in testbot.channels["telegram"].in_chat(DESK_CHAT) if text in s.outbound.text.text
    ][-1]


async def test_the_operators_quote_reaches_the_customer(testbot: TestBot) -> None:
    """The customer's own words that are answered stand above the answer; after an edit, too."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    await anna.says("Есть ли красный? И сколько стоит доставка?", message="40")
    of = number_of(testbot, "красный")
    await quoting(testbot, "Да, есть", "Есть ли красный?", of=of)
    assert anna.hears()[-1] == "» Есть ли красный?\nДа, есть"

    await quoting(testbot, "Нет, только синий", "Есть ли красный?", of=of, kind="edited_message")
    assert (anna.sees()[-1].outbound.kind, anna.hears()[-1]) == (
        OutboundKind.EDIT,
        "» Есть ли красный?\nНет, только синий",
    )


async def test_a_quote_of_the_desks_words_stays_inside(testbot: TestBot) -> None:
    """What the customer never wrote is not told to them by a quote."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    await anna.says("Есть ли красный?", message="40")
    await quoting(testbot, "Да, есть", "Клиент сложный", of=number_of(testbot, "красный"))
    assert anna.hears()[-1] == "Да, есть"


async def test_an_edit_of_a_forwarding_is_no_word_of_the_customer(testbot: TestBot) -> None:
    """An edited message keeps its context."""
    edited = update(testbot, "чужое", edited=True, forward_origin=IVAN)
    assert (edited.kind, edited.text, len(edited.context)) == (InboundKind.EDIT, "", 1)
