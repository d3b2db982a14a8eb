"""Broadcasts: counted and shown first, sent once, behind people's words, never to who does not want them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import PeerGone
from bot.model import Attachment, InboundKind, Lane, Media
from bot.testing import Theatre, open_theatre
from bot.testing.harness import Customer

NEWS = "Новинка: доставка за час!"


async def _crowd(theatre: Theatre, count: int = 3) -> list[Customer]:
    people = [theatre.customer(f"Имя{n}", chat=str(2000 + n)) for n in range(count)]
    for person in people:
        await person.says("как вернуть товар")
    return people


def _said(theatre: Theatre, text: str = NEWS) -> list[str]:
    return sorted(s.outbound.to.chat for c in theatre.channels.values() for s in c.said if s.outbound.text.text == text and s.outbound.to.chat != "-100500")


async def test_counted_shown_and_sent_by_the_button_once(theatre: Theatre) -> None:
    """Nothing goes before the press; then each gets it once, in the last lane, with the button against it."""
    people, olga = await _crowd(theatre), theatre.operator()
    await olga.says(f"/broadcast\n{NEWS}")
    preview = (await olga.sees())[-1]
    assert "Получат: 3" in preview.text.text.replace("*", "") and _said(theatre) == []
    await olga.presses("Отправить: 3")
    await olga.presses("Отправить: 3")
    await theatre.later(minutes=5)
    sent = people[0].sees()[-1].outbound

    assert _said(theatre) == ["2000", "2001", "2002"]
    assert sent.lane is Lane.BULK and sent.on_doubt == "hold" and [b.label for row in sent.buttons for b in row] == ["Не присылать"]
    assert any("доставлено 3 из 3" in o.text.text for o in await olga.sees())


async def test_a_segment_by_data_channel_words_and_article(articles: Path) -> None:
    """Each condition narrows it; of several values of one kind one is enough."""
    async with open_theatre(articles) as theatre:
        olga = theatre.operator()
        anna, boris, vera = theatre.customer("Анна"), theatre.customer("Борис", channel="vk", chat="77"), theatre.customer("Вера", chat="1003")
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
            await theatre.later(minutes=1)
            assert _said(theatre, f"Привет: {line}") == who, line


async def test_a_field_of_the_customer_chooses(theatre: Theatre) -> None:
    """What a form or the CRM told is a condition by its own name."""
    people, olga = await _crowd(theatre), theatre.operator()
    store = theatre.house.store
    number = (await store.conversation(people[1].peer)).customer  # type: ignore[union-attr]
    await store.change_fields(number or 0, {"vip": "Yes"}, theatre.clock(), by="crm")
    await olga.says(f"/broadcast vip=yes\n{NEWS}")
    await olga.presses("Отправить: 1")

    assert _said(theatre) == ["2001"]


async def test_who_said_no_never_hears_one_again_until_he_wants_to(theatre: Theatre) -> None:
    """By the button, by /stop, kept on the customer; /news turns it round. The end of his own incident is no broadcast."""
    people, olga = await _crowd(theatre), theatre.operator()
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

    assert _said(theatre, "Вторая") == ["2002"] and _said(theatre, "Третья") == ["2000", "2002"]
    customer = await theatre.house.store.customer(2)
    assert customer is not None and customer.fields["news"] == "off"


async def test_an_opt_out_counts_also_after_the_list_was_made(theatre: Theatre) -> None:
    """Who says no, blocks us or is forgotten between two portions hears nothing of the rest."""
    people, olga = await _crowd(theatre, 20), theatre.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 20", run=False)
    theatre.house.outbox.stop()
    await theatre.rest()
    first = len(_said(theatre))
    assert 0 < first < 20
    await people[19].says("/stop", run=False)
    await people[18].says("", kind=InboundKind.BLOCKED, run=False)
    gone = (await theatre.house.store.conversation(people[17].peer)).customer  # type: ignore[union-attr]
    await theatre.house.store.forget_customer(gone or 0, theatre.clock())
    await theatre.later(minutes=1)

    assert len(_said(theatre)) == 17 and not {"2019", "2018", "2017"} & set(_said(theatre))


async def test_a_restart_in_the_middle_repeats_nobody_and_forgets_nobody(articles: Path, tmp_path: Path) -> None:
    """What a portion promised is sent, and the next one goes on behind it."""
    storage, sent = str(tmp_path / "bot.db"), []
    async with open_theatre(articles, storage=storage) as theatre:
        await _crowd(theatre, 30)
        olga = theatre.operator()
        await olga.says(f"/broadcast {NEWS}")
        await olga.presses("Отправить: 30", run=False)
        theatre.clock.advance(seconds=1)
        await theatre.house.engine.run_waiting()
        await theatre.house.store.fire_timers(theatre.clock())
        await theatre.house.engine.run_waiting()
        sent += _said(theatre)
        at = theatre.clock()
    async with open_theatre(articles, storage=storage) as theatre:
        theatre.clock.set(at) if hasattr(theatre.clock, "set") else theatre.clock.advance(seconds=(at - theatre.clock()).total_seconds())
        for _ in range(5):
            await theatre.later(seconds=5)
        sent += _said(theatre)

    assert sorted(sent) == sorted(str(2000 + n) for n in range(30))


async def test_a_broadcast_is_stopped_on_its_way(theatre: Theatre) -> None:
    """Who has not got it yet does not get it; a second stop finds nothing."""
    await _crowd(theatre, 40)
    olga = theatre.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 40")
    first = len(_said(theatre))
    await olga.says("/broadcast stop")
    await theatre.later(minutes=5)
    assert len(_said(theatre)) <= first + 16 < 40
    await olga.says("/broadcast stop")

    assert "ничего не рассылается" in (await olga.sees())[-1].text.text


async def test_a_photo_goes_along(theatre: Theatre) -> None:
    """What the supervisor attached is in the preview and in every message, also in another channel."""
    await _crowd(theatre, 1)
    await theatre.customer("Борис", channel="vk", chat="77").says("как вернуть товар")
    olga = theatre.operator()
    await olga.says(f"/broadcast\n{NEWS}", attachments=(Attachment(Media.PHOTO, "file-1", "telegram"),))
    assert any(o.attachments for o in await olga.sees())
    await olga.presses("Отправить: 2")

    sent = [s.outbound for c in theatre.channels.values() for s in c.said if s.outbound.text.text == NEWS and s.outbound.to.chat != "-100500"]
    assert [[a.ref for a in o.attachments] for o in sent] == [["file-1"], ["file-1"]]


async def test_blocked_customers_are_counted_out(theatre: Theatre) -> None:
    """Whoever blocked us is not in the count; one found out while sending leaves the rest alone."""
    people, olga = await _crowd(theatre), theatre.operator()
    await people[0].says("", kind=InboundKind.BLOCKED)
    await olga.says(f"/broadcast {NEWS}")
    assert "Недоступны: 1" in (await olga.sees())[-1].text.text
    await olga.presses("Отправить: 2", run=False)
    await theatre.house.engine.run_waiting()
    theatre.channels["telegram"].failures.extend([PeerGone("blocked")])
    await theatre.rest()
    await theatre.later(minutes=1)

    assert len(_said(theatre)) >= 1


async def test_answers_to_people_never_stand_behind_it(theatre: Theatre) -> None:
    """While a broadcast waits in the outbox, what a customer is answered goes out first."""
    people, olga = await _crowd(theatre, 10), theatre.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses("Отправить: 10", run=False)
    theatre.clock.advance(seconds=1)
    await theatre.house.engine.run_waiting()
    await theatre.house.store.fire_timers(theatre.clock())
    await theatre.house.engine.run_waiting()
    await people[3].says("как оплатить заказ", run=False)
    theatre.clock.advance(seconds=6)
    await theatre.house.engine.run_waiting()
    taken = await theatre.house.store.take_deliveries(theatre.clock(), limit=32)

    lanes = [d.outbound.lane for d in taken]
    assert lanes.index(Lane.WORDS) < lanes.index(Lane.BULK) and Lane.WORDS not in lanes[lanes.index(Lane.BULK) :]


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
async def test_bad_orders_are_answered_in_clear_words(theatre: Theatre, command: str, answer: str) -> None:
    """What is wrong, what there is instead, and nothing sent."""
    await _crowd(theatre, 1)
    olga = theatre.operator()
    await olga.says(command)

    assert answer in (await olga.sees())[-1].text.text.replace("`", "")


async def test_who_asked_about_an_incident_is_a_segment(theatre: Theatre) -> None:
    """Those who heard its words, also when it is over."""
    olga, anna, boris = theatre.operator(), theatre.customer(), theatre.customer("Борис", chat="1002")
    await olga.says("/incident Сбой доставки в Казани")
    await anna.says("когда доставка в казань")
    await boris.says("как оплатить")
    await olga.says("/incident off")
    await olga.says(f"/broadcast сбой=1\n{NEWS}")
    await olga.presses("Отправить: 1")

    assert _said(theatre) == ["1001"]


async def test_a_portion_that_cannot_be_kept_is_tried_again(theatre: Theatre) -> None:
    """The disk fails for a moment in the middle: everybody gets it all the same, once."""
    await _crowd(theatre, 20)
    olga, db = theatre.operator(), theatre.house.store._db
    await olga.says(f"/broadcast {NEWS}")
    db.execute("create temp table broken(x)")
    db.execute("create temp trigger full before insert on outbox when new.lane = 3 and exists(select 1 from broken) begin select raise(abort, 'disk full'); end")
    db.execute("insert into broken values(1)")
    await olga.presses("Отправить: 20")
    assert _said(theatre) == []
    db.execute("delete from broken")
    for _ in range(4):
        await theatre.later(seconds=10)

    assert _said(theatre) == sorted(str(2000 + n) for n in range(20))
