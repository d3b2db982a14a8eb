"""Broadcasts: counted and shown first, sent once, behind people's words, never to who does not want them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import PeerGone
from bot.model import Attachment, InboundKind, Media, Priority
from bot.testing import TestBot, open_test_bot
from bot.testing.faults import refused_inserts
from bot.testing.harness import PlayedCustomer

NEWS = "Новинка: доставка за час!"


async def _crowd(testbot: TestBot, count: int = 3) -> list[PlayedCustomer]:
    people = [testbot.customer(f"Имя{n}", chat=str(2000 + n)) for n in range(count)]
    for person in people:
        await person.says("как вернуть товар")
    return people


def _said(testbot: TestBot, text: str = NEWS) -> list[str]:
    return sorted(
        s.outbound.to.chat
        for c in testbot.channels.values()
        for s in c.said
        if s.outbound.text.text == text and s.outbound.to.chat != "-100500"
    )


async def test_counted_shown_and_sent_by_the_button_once(testbot: TestBot) -> None:
    """Nothing goes before the press; then each gets it once, after all others, with the button against it."""
    people, olga = await _crowd(testbot), testbot.operator()
    await olga.says(f"/broadcast\n{NEWS}")
    preview = (await olga.sees())[-1]
    assert "Получат: 3" in preview.text.text.replace("*", "") and _said(testbot) == []
    await olga.presses("Отправить: 3")
    await olga.presses("Отправить: 3")
    await testbot.later(minutes=5)
    sent = people[0].sees()[-1].outbound

    assert _said(testbot) == ["2000", "2001", "2002"]
    assert (
        sent.priority is Priority.BULK
        and sent.on_uncertain == "hold"
        and [b.label for row in sent.buttons for b in row] == ["Не присылать"]
    )
    assert any("доставлено 3 из 3" in o.text.text for o in await olga.sees())


async def test_a_segment_by_data_channel_words_and_article(articles: Path) -> None:
    """Each condition narrows it; of several values of one kind one is enough."""
    async with open_test_bot(articles) as testbot:
        olga = testbot.operator()
        anna, boris, vera = (
            testbot.customer("Анна"),
            testbot.customer("Борис", channel="vk", chat="77"),
            testbot.customer("Вера", chat="1003"),
        )
        await anna.says("Как вернуть товар?")
        await boris.says("сколько стоит доставка")
        await vera.says("хочу вернуть покупку, где мои денги")
        for line, who in (
            ("channel=vk", ["77"]),
            ('спрашивали="вернуть деньги,стоить"', ["1003", "77"]),
            ("статья=Возврат", ["1001", "1003"]),
            ("article=return channel=telegram asked=товар", ["1001"]),
            ("язык=ru канал=telegram,vk", ["1001", "1003", "77"]),
        ):
            await olga.says(f"/broadcast {line}\nПривет: {line}")
            if not who:
                continue
            await olga.presses(f"Отправить: {len(who)}")
            await testbot.later(minutes=1)
            assert _said(testbot, f"Привет: {line}") == who, line


async def test_a_field_of_the_customer_chooses(testbot: TestBot) -> None:
    """What a form or the CRM told is a condition by its own name."""
    people, olga = await _crowd(testbot), testbot.operator()
    store = testbot.service.store
    number = (await store.conversation(people[1].peer)).customer  # type: ignore[union-attr]
    await store.change_fields(number or 0, {"vip": "Yes"}, testbot.clock(), by="crm")
    await olga.says(f"/broadcast vip=yes\n{NEWS}")
    await olga.presses("Отправить: 1")

    assert _said(testbot) == ["2001"]


async def test_who_said_no_never_hears_one_again_until_they_want_to(testbot: TestBot) -> None:
    """By the button, by /stop, kept on the customer; /news turns it round.

    The end of their own incident is no broadcast.
    """
    people, olga = await _crowd(testbot), testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 3")
    await people[0].presses("Не присылать")
    assert "рассылок больше не будет" in people[0].hears()[-1]
    await people[1].says("/stop")
    await olga.says("/broadcast Вторая")
    assert "Отказались от рассылок: 2" in (await olga.sees())[-1].text.text
    await olga.presses("Отправить: 1")
    await people[0].says("/news")
    await olga.says("/broadcast Третья")
    await olga.presses("Отправить: 2")

    assert _said(testbot, "Вторая") == ["2002"] and _said(testbot, "Третья") == ["2000", "2002"]
    customer = await testbot.service.store.customer(2)
    assert customer is not None and customer.fields["news"] == "off"


async def test_an_opt_out_counts_also_after_the_list_was_made(testbot: TestBot) -> None:
    """Who says no, blocks us or is forgotten between two portions hears nothing of the rest."""
    people, olga = await _crowd(testbot, 20), testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 20", run=False)
    testbot.service.outbox.stop()
    await testbot.rest()
    first = len(_said(testbot))
    assert 0 < first < 20
    await people[19].says("/stop", run=False)
    await people[18].says("", kind=InboundKind.BLOCKED, run=False)
    gone = (await testbot.service.store.conversation(people[17].peer)).customer  # type: ignore[union-attr]
    await testbot.service.store.forget_customer(gone or 0, testbot.clock())
    await testbot.later(minutes=1)

    assert len(_said(testbot)) == 17 and not {"2019", "2018", "2017"} & set(_said(testbot))


async def test_a_restart_in_the_middle_repeats_nobody_and_forgets_nobody(
    articles: Path, tmp_path: Path
) -> None:
    """What a portion enqueued is sent, and the next one goes on behind it."""
    storage, sent = str(tmp_path / "bot.db"), []
    async with open_test_bot(articles, storage=storage) as testbot:
        await _crowd(testbot, 30)
        olga = testbot.operator()
        await olga.says(f"/broadcast {NEWS}")
        await olga.presses("Отправить: 30", run=False)
        testbot.clock.advance(seconds=1)
        await testbot.service.engine.run_waiting()
        await testbot.service.store.fire_timers(testbot.clock())
        await testbot.service.engine.run_waiting()
        sent += _said(testbot)
        at = testbot.clock()
    async with open_test_bot(articles, storage=storage) as testbot:
        (
            testbot.clock.set(at)
            if hasattr(testbot.clock, "set")
            else testbot.clock.advance(seconds=(at - testbot.clock()).total_seconds())
        )
        for _ in range(5):
            await testbot.later(seconds=5)
        sent += _said(testbot)

    assert sorted(sent) == sorted(str(2000 + n) for n in range(30))


async def test_a_broadcast_is_stopped_on_its_way(testbot: TestBot) -> None:
    """Who has not got it yet does not get it; a second stop finds nothing."""
    await _crowd(testbot, 40)
    olga = testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 40")
    first = len(_said(testbot))
    await olga.says("/broadcast stop")
    await testbot.later(minutes=5)
    assert len(_said(testbot)) <= first + 16 < 40
    await olga.says("/broadcast stop")

    assert "ничего не рассылается" in (await olga.sees())[-1].text.text


async def test_a_photo_goes_along(testbot: TestBot) -> None:
    """What the supervisor attached is in the preview and in every message, also in another channel."""
    await _crowd(testbot, 1)
    await testbot.customer("Борис", channel="vk", chat="77").says("как вернуть товар")
    olga = testbot.operator()
    await olga.says(f"/broadcast\n{NEWS}", attachments=(Attachment(Media.PHOTO, "file-1", "telegram"),))
    assert any(o.attachments for o in await olga.sees())
    await olga.presses("Отправить: 2")

    sent = [
        s.outbound
        for c in testbot.channels.values()
        for s in c.said
        if s.outbound.text.text == NEWS and s.outbound.to.chat != "-100500"
    ]
    assert [[a.ref for a in o.attachments] for o in sent] == [["file-1"], ["file-1"]]


async def test_blocked_customers_are_counted_out(testbot: TestBot) -> None:
    """Whoever blocked us is not in the count; one found out while sending leaves the rest alone."""
    people, olga = await _crowd(testbot), testbot.operator()
    await people[0].says("", kind=InboundKind.BLOCKED)
    await olga.says(f"/broadcast {NEWS}")
    assert "Недоступны: 1" in (await olga.sees())[-1].text.text
    await olga.presses("Отправить: 2", run=False)
    await testbot.service.engine.run_waiting()
    testbot.channels["telegram"].failures.extend([PeerGone("blocked")])
    await testbot.rest()
    await testbot.later(minutes=1)

    assert len(_said(testbot)) >= 1


async def test_answers_to_people_never_stand_behind_it(testbot: TestBot) -> None:
    """While a broadcast waits in the outbox, what a customer is answered goes out first."""
    people, olga = await _crowd(testbot, 10), testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 10", run=False)
    testbot.clock.advance(seconds=1)
    await testbot.service.engine.run_waiting()
    await testbot.service.store.fire_timers(testbot.clock())
    await testbot.service.engine.run_waiting()
    await people[3].says("как оплатить заказ", run=False)
    testbot.clock.advance(seconds=6)
    await testbot.service.engine.run_waiting()
    taken = await testbot.service.store.take_deliveries(testbot.clock(), limit=32)

    priorities = [d.outbound.priority for d in taken]
    assert (
        priorities.index(Priority.MESSAGE) < priorities.index(Priority.BULK)
        and Priority.MESSAGE not in priorities[priorities.index(Priority.BULK) :]
    )


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/broadcast", "Рассылок ещё не было"),
        ("/broadcast канал=ok\nТекст", "Канала «ok» нет. Есть: telegram, vk"),
        ("/broadcast дней=много\nТекст", "число от 1 до 366"),
        ("/broadcast статья=Луна\nТекст", "Статьи «Луна» нет"),
        ("/broadcast сбой=7\nТекст", "Сбоя №7 нет"),
        ("/broadcast vip=\nТекст", "У условия «vip» нет значения"),
        ("/broadcast vip=yes", "Рассылка: в первой строке"),
        ("/broadcast vip=yes\nТекст", "никто не подходит"),
    ],
)
async def test_bad_orders_are_answered_in_clear_words(testbot: TestBot, command: str, answer: str) -> None:
    """What is wrong, what there is instead, and nothing sent."""
    await _crowd(testbot, 1)
    olga = testbot.operator()
    await olga.says(command)

    assert answer in (await olga.sees())[-1].text.text.replace("`", "")


async def test_who_asked_about_an_incident_is_a_segment(testbot: TestBot) -> None:
    """Those who heard its words, also when it is over."""
    olga, anna, boris = testbot.operator(), testbot.customer(), testbot.customer("Борис", chat="1002")
    await olga.says("/incident Сбой доставки в Казани")
    await anna.says("когда доставка в казань")
    await boris.says("как оплатить")
    await olga.says("/incident off")
    await olga.says(f"/broadcast сбой=1\n{NEWS}")
    await olga.presses("Отправить: 1")

    assert _said(testbot) == ["1001"]


@pytest.mark.sqlite
async def test_a_portion_that_cannot_be_kept_is_tried_again(testbot: TestBot) -> None:
    """The disk fails for a moment in the middle: everybody gets it all the same, once."""
    await _crowd(testbot, 20)
    olga = testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    with refused_inserts(testbot.sqlite_store, "outbox", when="new.lane = 3"):
        await olga.presses("Отправить: 20")
        assert _said(testbot) == []
    for _ in range(4):
        await testbot.later(seconds=10)

    assert _said(testbot) == sorted(str(2000 + n) for n in range(20))
