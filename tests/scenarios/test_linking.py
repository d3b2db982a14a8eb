"""One person on two channels: joined by a code or by an operator, going on where the talk stopped, and two
again when it was a mistake.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.dialogs.linking import TRIES
from bot.model import CustomerMerge, Status
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer
from tests.conftest import DESKS

FORM = {"name": "before", "fields": [{"name": "order", "type": "order", "ask": {"ru": "Номер заказа?"}}]}


def in_telegram(testbot: TestBot) -> PlayedCustomer:
    return testbot.customer("Анна")


def in_vk(testbot: TestBot, name: str = "Аня", chat: str = "7") -> PlayedCustomer:
    return testbot.customer(name, channel="vk", chat=chat)


async def code_of(customer: PlayedCustomer) -> str:
    """A code, asked for in this channel."""
    await customer.says("/link")
    found = re.search(r"\d{4} \d{4}", customer.hears()[0])
    assert found, customer.hears()
    return found[0]


async def link(testbot: TestBot) -> tuple[PlayedCustomer, PlayedCustomer]:
    """Anna in both channels, known as one."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    code = await code_of(anna)
    await same.says(f"/link {code}")
    await same.presses("Да, это я")
    return anna, same


async def who(testbot: TestBot, customer: PlayedCustomer) -> int:
    talk = await testbot.service.store.conversation(customer.peer)
    assert talk is not None and talk.customer is not None
    return talk.customer


async def test_a_code_from_one_channel_joins_the_other(testbot: TestBot) -> None:
    """Asked first, joined then, told on both sides, and kept as an event."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    code = await code_of(anna)
    await same.says(f"/link {code}")
    assert "Анна" in same.hears()[0] and "telegram" in same.hears()[0]
    assert await who(testbot, anna) != await who(testbot, same)
    mark = len(testbot.channels["telegram"].said)
    await same.presses("Да, это я")

    assert await who(testbot, anna) == await who(testbot, same)
    assert "/unlink" in same.hears()[0]
    assert "vk" in testbot.channels["telegram"].said[mark].outbound.text.text
    (event,) = await testbot.service.store.events(kinds=["customers_joined"])
    assert event.data == {"into": 1, "other": 2}


async def test_the_code_may_be_sent_alone_where_it_was_asked_for(testbot: TestBot) -> None:
    """/link on both sides: plain digits are the code then, with or without the space."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    code = await code_of(anna)
    await same.says("связать аккаунты")
    await same.says(code.replace(" ", ""))
    await same.presses("Да, это я")

    assert await who(testbot, anna) == await who(testbot, same)


async def test_plain_digits_are_no_code_where_nobody_asked(testbot: TestBot) -> None:
    """An order number of eight digits is a question like any other."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    code = await code_of(anna)
    await same.says(code)

    assert not any("Это вы?" in text for text in same.hears())


async def test_no_means_no(testbot: TestBot) -> None:
    """A code that a stranger sent joins nothing when the customer says so, nor by an old button."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    await same.says(f"/link {await code_of(anna)}")
    await same.presses("Нет")
    await same.presses("Да, это я")

    assert await who(testbot, anna) != await who(testbot, same)


async def test_a_code_works_once_and_not_for_long(testbot: TestBot) -> None:
    """Ten minutes, one use; a newer code ends the older one, and nothing of it stays in the settings."""
    anna, same, other = in_telegram(testbot), in_vk(testbot), in_vk(testbot, "Пётр", "8")
    first = await code_of(anna)
    second = await code_of(anna)
    await same.says(f"/link {first}")
    assert "нет или он устарел" in same.hears()[0]
    await same.says(f"/link {second}")
    await same.presses("Да, это я")
    await other.says(f"/link {second}")
    assert "нет или он устарел" in other.hears()[0]
    third = await code_of(anna)
    await testbot.later(minutes=11)
    await other.says(f"/link {third}")

    assert "нет или он устарел" in other.hears()[0]


async def test_guessing_ends_soon(testbot: TestBot) -> None:
    """After five wrong codes even the right one is refused for an hour; every refusal is counted."""
    anna, same = in_telegram(testbot), in_vk(testbot)
    for n in range(TRIES):
        await same.says(f"/link 0000 000{n}")
    code = await code_of(anna)
    await same.says(f"/link {code}")
    assert "Слишком много" in same.hears()[0]
    assert len(await testbot.service.store.events(kinds=["link_refused"])) == TRIES + 1
    await testbot.later(minutes=61)
    await same.says(f"/link {await code_of(anna)}")

    assert "Это вы?" in same.hears()[0]


async def test_guessing_with_many_accounts_ends_too(
    testbot: TestBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All wrong codes of an hour are counted together."""
    monkeypatch.setattr("bot.dialogs.linking.ALL_TRIES", 3)
    code = await code_of(in_telegram(testbot))
    for n in range(3):
        await in_vk(testbot, chat=str(20 + n)).says("/link 0000 0000")
    same = in_vk(testbot)
    await same.says(f"/link {code}")

    assert "Слишком много" in same.hears()[0]


async def test_wrong_codes_tried_at_the_same_moment_all_count(
    testbot: TestBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns that are decided beside each other, as by several processes, lose none of them."""
    monkeypatch.setattr("bot.dialogs.linking.ALL_TRIES", 3)
    code = await code_of(in_telegram(testbot))
    for n in range(3):
        await in_vk(testbot, chat=str(20 + n)).says("/link 0000 0000", run=False)
    testbot.clock.advance(seconds=6)
    turns = [await testbot.store.take_turn(testbot.clock()) for _ in range(3)]
    await asyncio.gather(*(testbot.service.engine.take(turn) for turn in turns if turn is not None))
    same = in_vk(testbot)
    await same.says(f"/link {code}")

    assert "Слишком много" in same.hears()[0]


async def test_the_own_code_is_for_the_other_channel(testbot: TestBot) -> None:
    """Typed where it was given, it explains itself."""
    anna = in_telegram(testbot)
    await anna.says(f"/link {await code_of(anna)}")

    assert "другого канала" in anna.hears()[0]


async def test_the_open_ticket_goes_along(testbot: TestBot) -> None:
    """Opened in Telegram, gone on in VK: the operator hears it in the same topic and answers to VK, then back
    again.
    """
    anna, olga = in_telegram(testbot), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    _, same = await link(testbot)
    assert "№1" in same.hears()[0]
    await same.says("я теперь тут")
    assert any("я теперь тут" in o.text.text for o in await olga.sees(1))
    assert any("vk" in o.text.text for o in await olga.sees(1))
    await olga.says("Вижу, отвечаю здесь", ticket=1)
    assert "Вижу, отвечаю здесь" in same.hears()
    await anna.says("а теперь снова отсюда")
    await olga.says("И тут отвечаю", ticket=1)

    assert "И тут отвечаю" in anna.hears()
    assert [t.number for t in await testbot.service.store.tickets(open_only=False)] == [1]
    assert [e.data["channel"] for e in await testbot.service.store.events(kinds=["ticket_followed"])] == [
        "vk",
        "telegram",
    ]
    talk = await testbot.service.store.conversation(same.peer)
    assert talk is not None and (talk.status, talk.ticket) == (Status.BOT, None)


async def test_deadlines_follow_the_ticket(testbot: TestBot) -> None:
    """A timer set in the one channel still fires after the customer went on in the other."""
    anna = in_telegram(testbot)
    await anna.says("позовите оператора")
    _, same = await link(testbot)
    await same.says("я теперь тут")
    await testbot.later(hours=1)

    assert len(await testbot.service.store.events(kinds=["sla_breached"])) == 1


async def test_a_closed_ticket_is_opened_again_where_the_customer_comes_back(testbot: TestBot) -> None:
    """Closed in Telegram, asked for again in VK: the same number, the same operator, and the answers go to
    VK.
    """
    anna, olga = in_telegram(testbot), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await olga.says("/close", ticket=1)
    _, same = await link(testbot)
    await same.says("позовите оператора")
    await olga.says("Снова я", ticket=1)
    await same.says("ещё вопрос")

    assert "Снова я" in [s.outbound.text.text for s in testbot.channels["vk"].in_chat("7")]
    assert any("ещё вопрос" in o.text.text for o in await olga.sees(1))
    assert [t.number for t in await testbot.service.store.tickets(open_only=False)] == [1]
    here, there = [await testbot.service.store.conversation(c.peer) for c in (same, anna)]
    assert here is not None and there is not None
    assert (here.status, here.ticket, there.status, there.ticket) == (Status.OPERATOR, 1, Status.BOT, None)


async def test_words_from_both_channels_at_once_all_arrive(testbot: TestBot) -> None:
    """Four workers decide on what came in both channels at the same time: one ticket, every word once."""
    anna, olga = in_telegram(testbot), testbot.operator()
    await anna.says("позовите оператора")
    _, same = await link(testbot)
    for n in range(12):
        await (anna, same)[n % 2].says(f"слово-{n:02d}", run=False)
        if n % 3 == 0:
            await olga.says(f"ответ-{n:02d}", ticket=1, run=False)
        testbot.clock.advance(seconds=6)
        await asyncio.gather(*(testbot.service.engine.run_waiting() for _ in range(4)))
    await testbot.rest()
    shown = "\n".join(o.text.text for o in await olga.sees(1))
    answers = [
        s.outbound.text.text
        for c in testbot.channels.values()
        for s in c.said
        if s.outbound.text.text.startswith("ответ-")
    ]

    assert [shown.count(f"слово-{n:02d}") for n in range(12)] == [1] * 12
    assert sorted(answers) == ["ответ-00", "ответ-03", "ответ-06", "ответ-09"]
    assert [t.number for t in await testbot.service.store.tickets(open_only=False)] == [1]


async def test_the_operator_sees_both_histories(testbot: TestBot) -> None:
    """A ticket opened in VK shows what was said in Telegram before."""
    olga = testbot.operator()
    anna = in_telegram(testbot)
    await anna.says("Сколько идёт доставка?")
    _, same = await link(testbot)
    await same.says("позовите оператора")

    assert any("Сколько идёт доставка?" in o.text.text for o in await olga.sees(1))


async def test_the_last_article_comes_along(testbot: TestBot) -> None:
    """What was shown in Telegram is what a follow-up in VK is about."""
    anna = in_telegram(testbot)
    await anna.says("Сколько идёт доставка?")
    _, same = await link(testbot)
    talk = await testbot.service.store.conversation(same.peer)

    assert talk is not None and talk.state["last_article"] == "delivery"


async def test_what_was_told_once_is_not_asked_again(articles: Path) -> None:
    """A form filled in Telegram is not asked in VK; what only VK knew is kept, too; parted, each has their
    own again.
    """
    config = Config.model_validate({"dialogs": {"forms": [FORM]}})
    async with open_test_bot(articles, config=config) as testbot:
        store = testbot.service.store
        anna = in_telegram(testbot)
        await anna.says("позовите оператора")
        await anna.says("48213")
        await anna.says("/cancel")
        same = in_vk(testbot)
        await same.says("добрый день")
        await store.change_fields(2, {"город": "Казань"}, testbot.clock(), by="test")
        await same.says(f"/link {await code_of(anna)}")
        await same.presses("Да, это я")
        together = await store.customer(1)
        assert together is not None and dict(together.fields) == {"order": "48213", "город": "Казань"}
        await same.says("/unlink")
        apart = [await store.customer(1), await store.customer(2)]

        assert [dict(c.fields) for c in apart if c] == [{"order": "48213"}, {"город": "Казань"}]
        assert [[p.channel for p in c.peers] for c in apart if c] == [["telegram"], ["vk"]]


async def test_unlinking_parts_them_and_says_so(testbot: TestBot) -> None:
    """From either side; a second time there is nothing left to undo, and words go their own ways again."""
    anna, same = await link(testbot)
    await anna.says("/unlink")
    assert await who(testbot, anna) != await who(testbot, same)
    await same.says("/unlink")
    assert "нечего разъединять" in same.hears()[0]
    assert [
        e.kind for e in await testbot.service.store.events(kinds=["customers_joined", "customers_parted"])
    ] == ["customers_joined", "customers_parted"]


async def test_the_name_does_not_flip_between_channels(testbot: TestBot) -> None:
    """Operators see one name, whichever channel spoke last; parted, the platform's own name is back."""
    anna, same = await link(testbot)
    await same.says("добрый день")
    await anna.says("добрый день")
    await same.says("ещё раз")
    together = await testbot.service.store.customer(1)
    await same.says("/unlink")
    await same.says("это снова я")
    apart = await testbot.service.store.customer(2)

    assert together is not None and together.name == "Анна"
    assert apart is not None and apart.name == "Аня"


# --- from the desk


async def test_an_operator_joins_by_phone(testbot: TestBot) -> None:
    """/same finds who else has the phone of this ticket; nothing happens before the press; /apart undoes
    it.
    """
    anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
    await anna.says("добрый день")
    await testbot.service.store.change_fields(1, {"phone": "+79123456789"}, testbot.clock(), by="test")
    await same.says("позовите оператора, мой телефон 8 (912) 345-67-89")
    await olga.says("/same", ticket=1)
    assert await who(testbot, anna) != await who(testbot, same)
    await olga.presses("Анна", ticket=1)
    assert await who(testbot, anna) == await who(testbot, same) == 1
    assert any("/unlink" in text for text in [s.outbound.text.text for s in testbot.channels["vk"].said])
    await olga.says("/apart", ticket=1)
    assert await who(testbot, same) == 2
    assert [
        e.actor for e in await testbot.service.store.events(kinds=["customers_joined", "customers_parted"])
    ] == ["telegram:9001"] * 2


async def test_an_operator_may_name_the_other(testbot: TestBot) -> None:
    """By address, by e-mail; with nobody found, and with nothing joined, one clear line."""
    anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
    await anna.says("добрый день")
    await same.says("позовите оператора")
    await olga.says("/same a@b.ru", ticket=1)
    assert any("никого больше нет" in o.text.text for o in await olga.sees(1))
    await olga.says("/apart", ticket=1)
    assert any("ни с кем не объединён" in o.text.text for o in await olga.sees(1))
    await olga.says("/same telegram:1001", ticket=1)
    await olga.presses("Анна", ticket=1)

    assert await who(testbot, same) == 1


async def test_link_words_do_not_bother_the_operator(testbot: TestBot) -> None:
    """While an operator has the ticket, asking for a code and giving one are between the customer and the
    bot.
    """
    anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
    await same.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    code = await code_of(anna)
    await same.says(f"/link {code}")
    await same.presses("Да, это я")

    assert await who(testbot, anna) == await who(testbot, same)
    assert not any(code in o.text.text or "/link" in o.text.text for o in await olga.sees(1))


async def test_a_turn_under_way_is_decided_anew(testbot: TestBot) -> None:
    """A decision taken for the customer as they were before the joining is dropped, not committed to the
    wrong person.
    """
    anna, same = in_telegram(testbot), in_vk(testbot)
    await anna.says("добрый день")
    await same.says("добрый день")
    await same.says("Сколько идёт доставка?", run=False)
    testbot.clock.advance(seconds=6)
    store = testbot.service.store
    turn = await store.take_turn(testbot.clock())
    assert turn is not None and await store.join_customers(CustomerMerge(1, 2), testbot.clock(), by="test")
    await testbot.service.engine.take(turn)
    await testbot.rest()

    assert any("3–5 дней" in text for text in same.hears())
    assert len(same.sees()) == 1


async def test_forgetting_leaves_no_code_behind(testbot: TestBot) -> None:
    """A code that was just given names a customer: it goes with them."""
    anna = in_telegram(testbot)
    code = await code_of(anna)
    await testbot.service.store.forget_customer(1, testbot.clock())
    same = in_vk(testbot)
    await same.says(f"/link {code}")

    assert "нет или он устарел" in same.hears()[0]


SPELLINGS = [
    "+79123456789",
    "89123456789",
    "8 (912) 345-67-89",
    "9123456789",
    "7 912 345 67 89",
    "тел. 8.912.345.67.89",
]


@pytest.mark.parametrize("kind", list(DESKS))
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_same_knows_a_phone_that_stands_in_an_open_card(
    articles: Path, kind: str, spelling: str
) -> None:
    """However it was written there, however the operator writes it, or where they leave it to the ticket."""
    async with open_test_bot(articles, desk=DESKS[kind]) as testbot:
        anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
        await same.says("позовите оператора, мой телефон 8-912-345-67-89")
        await anna.says("позовите оператора")
        group = testbot.channels[testbot.place.channel]
        (card,) = [s.message for s in group.in_chat(testbot.place.chat) if s.outbound.name == "card:2"]
        await olga.says(f"/same {spelling}", ticket=2, quotes=card)
        (shown,) = [
            label for o in await olga.sees() for row in o.buttons for b in row if "vk" in (label := b.label)
        ]
        assert shown.startswith("Аня")

        await anna.says(f"мой номер {spelling}")  # told while an operator has the ticket
        await olga.says("/same", ticket=2, quotes=card)
        assert sum("vk" in b.label for o in await olga.sees() for row in o.buttons for b in row) == 2


async def test_same_knows_a_phone_of_a_ticket_that_is_closed(testbot: TestBot) -> None:
    """They came in the other channel last week."""
    anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
    await same.says("позовите оператора, мой телефон 8-912-345-67-89")
    await olga.says("Готово", ticket=1)
    await olga.says("/close", ticket=1)
    await anna.says("позовите оператора, +7 912 345 67 89")
    await olga.says("/same", ticket=2)

    assert any("Аня" in b.label for o in await olga.sees(2) for row in o.buttons for b in row)


async def test_what_is_taken_back_while_joined_does_not_return_when_parted(articles: Path) -> None:
    """The consent and the contacts of the other one are gone for good; a no to news is kept by both."""
    async with open_test_bot(articles, config=Config()) as testbot:
        anna, same = in_telegram(testbot), in_vk(testbot)
        await anna.says("добрый день")
        await same.says("добрый день")
        store, now = testbot.store, testbot.clock
        given = {"phone": "+79123456789", "_consent": "1", "_consent_at": "2026-11-20T09:00:00+00:00"}
        await store.change_fields(2, given, now(), by="test")
        await store.join_customers(CustomerMerge(1, 2), now(), by="test")
        await anna.says("отзываю согласие")
        assert "удалены" in anna.hears()[0]
        await anna.says("/stop")
        await store.join_customers(CustomerMerge(1, 2, undone=True), now(), by="test")
        both = [await store.customer(id) for id in (1, 2)]
        assert [dict(c.fields) for c in both if c] == [{"news": "off"}, {"news": "off"}]


async def test_a_block_that_ended_while_joined_does_not_return_when_parted(articles: Path) -> None:
    async with open_test_bot(articles, config=Config()) as testbot:
        anna, same, olga = in_telegram(testbot), in_vk(testbot), testbot.operator()
        await anna.says("добрый день")
        await same.says("позовите оператора")
        await olga.says("/block спам", ticket=1)
        store = testbot.store
        await store.join_customers(CustomerMerge(1, 2), testbot.clock(), by="test")
        await olga.says("/unblock", ticket=1)
        await store.join_customers(CustomerMerge(1, 2, undone=True), testbot.clock(), by="test")
        apart = await store.customer(2)
        assert apart is not None and "_blocked" not in apart.fields


async def test_who_waits_for_a_person_on_one_channel_is_not_asked_for_nps_on_the_other(
    articles: Path,
) -> None:
    """They are one person; whoever was helped is asked as ever."""
    asks = Config.model_validate({"nps": {"ask": True, "quiet": "1d"}, "rating": {"ask": False}})
    async with open_test_bot(articles, config=asks) as testbot:
        anna, same = in_telegram(testbot), in_vk(testbot)
        boris = testbot.customer("Борис", chat="1002")
        testbot.operator()
        for customer in (anna, boris):
            await customer.says("добрый день")
        await same.says("позовите оператора")
        await testbot.store.join_customers(CustomerMerge(1, 3), testbot.clock(), by="test")
        for customer in (anna, same, boris):
            customer.listens()
        for _ in range(8):
            await testbot.later(hours=6)
        assert any("посоветуете" in text for text in boris.hears())
        assert not any("посоветуете" in text for text in (*anna.hears(), *same.hears()))
