"""Incidents: announced by one command, heard by whoever asks about them, and told about once when they are
over.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.model import Priority
from bot.testing import TestBot, open_test_bot

DOWN = "/incident Сбой доставки в Казани. Чиним до 18:00"


async def _kinds(testbot: TestBot, *kinds: str) -> list[str]:
    return [e.kind for e in await testbot.service.store.events(kinds=kinds)]


async def test_who_asks_about_it_hears_it_first_and_once(testbot: TestBot) -> None:
    """The words come above the ordinary answer, with the offer of a person; the second question is answered
    as usual.
    """
    olga, anna, boris = testbot.operator(), testbot.customer(), testbot.customer("Борис", chat="1002")
    await olga.says(DOWN)
    assert any("Сбой №1 объявлен" in o.text.text for o in await olga.sees())
    await anna.says("Когда привезут заказ в Казань?")
    first = anna.sees()[0].outbound
    assert "Сбой доставки в Казани. Чиним до 18:00" in first.text.text and "3–5 дней" in anna.hears()[-1]
    assert [b.label for row in first.buttons for b in row] == ["Позвать оператора"]
    await anna.says("А сколько идёт доставка в Казань?")
    await boris.says("Как вернуть товар?")

    assert not any("Сбой" in text for text in (*anna.hears(), *boris.hears()))
    assert await _kinds(testbot, "incident_on", "incident_met") == ["incident_on", "incident_met"]


async def test_an_incident_is_the_answer_to_what_the_base_does_not_know(testbot: TestBot) -> None:
    """No «не знаю» below it and nobody is called by a timer; «да» calls a person."""
    olga, anna = testbot.operator(), testbot.customer()
    await olga.says("/incident Не приходят смс с кодом | код, смс")
    await anna.says("где мой код подтверждения")
    assert len(anna.hears()) == 1 and "Не приходят смс" in anna.hears()[0]
    await testbot.later(minutes=10)
    assert await testbot.service.store.tickets() == ()
    await anna.says("да")

    assert len(await testbot.service.store.tickets()) == 1


async def test_named_words_are_heard_in_any_form_and_mistyped(testbot: TestBot) -> None:
    """And nothing else is, where words are named."""
    olga, anna, boris = testbot.operator(), testbot.customer(), testbot.customer("Борис", chat="1002")
    await olga.says("/incident Пункты выдачи закрыты | самовывоз, пункт выдачи")
    await anna.says("а в пунктах выдчи что?")
    await boris.says("сколько стоит доставка")

    assert "Пункты выдачи закрыты" in anna.hears()[0] and not any("Пункты" in text for text in boris.hears())


async def test_a_topic_stands_for_its_articles(articles: Path) -> None:
    """Named behind the bar, also beside words; a question about another topic is not caught."""
    for name in ("cost", "delivery"):
        text = (articles / f"{name}.md").read_text("utf-8")
        (articles / f"{name}.md").write_text(text.replace("title:", "topic: Доставка\ntitle:", 1), "utf-8")
    async with open_test_bot(articles) as testbot:
        olga, anna, boris = testbot.operator(), testbot.customer(), testbot.customer("Борис", chat="1002")
        await olga.says("/incident У нас неполадки | доставка, чек")
        assert (
            "Сроки доставки" in (await olga.sees())[-1].text.text
            and "Стоимость доставки" in (await olga.sees())[-1].text.text
        )
        await anna.says("сколько стоит доставка")
        await boris.says("как вернуть товар")

        assert "У нас неполадки" in anna.hears()[0] and not any("неполадки" in text for text in boris.hears())


async def test_those_who_asked_are_told_once_when_it_is_over(articles: Path, tmp_path: Path) -> None:
    """Also over a restart; nobody else is, a blocked customer is not, and the desk hears how many were."""
    storage = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=storage) as testbot:
        olga, anna, boris, vera = (
            testbot.operator(),
            testbot.customer(),
            testbot.customer("Борис", channel="vk", chat="77"),
            testbot.customer("Вера", chat="1003"),
        )
        await olga.says(DOWN)
        await anna.says("Когда привезут заказ в Казань?")
        await boris.says("где моя доставка в казань")
        await vera.says("как оплатить заказ")
    async with open_test_bot(articles, storage=storage) as testbot:
        olga = testbot.operator()
        await olga.says("/incident off")
        await testbot.later(minutes=5)
        await olga.says("/incident off")
        told = [
            s.outbound
            for channel in testbot.channels.values()
            for s in channel.said
            if "Уже исправили" in s.outbound.text.text
        ]
        assert sorted(o.to.chat for o in told) == ["1001", "77"] and {o.priority for o in told} == {
            Priority.BULK
        }
        shown = [o.text.text for o in await olga.sees()]

    assert any("2 из 2" in text for text in shown) and "Сбоев сейчас нет." in shown[-1]


async def test_own_words_end_it_by_the_button_or_the_command(testbot: TestBot) -> None:
    """«/incident off 2 текст» says the text; the button under the list ends it too, a second press does
    nothing.
    """
    olga, anna = testbot.operator(), testbot.customer()
    await olga.says(DOWN)
    await olga.says("/incident Не проходит оплата картой")
    await anna.says("не могу оплатить картой заказ")
    await olga.says("/incident off")
    assert any("Какой снять" in o.text.text for o in await olga.sees())
    await olga.says("/incident off 2 Оплата снова работает, простите нас.")
    await testbot.later(minutes=1)
    assert "Оплата снова работает, простите нас." in anna.hears()[-1]
    await olga.says("/incident")
    await olga.presses("снять №1")
    await olga.presses("снять №1")

    assert testbot.service.desk.context.incidents.open == () and await _kinds(testbot, "incident_off") == [
        "incident_off",
        "incident_off",
    ]


async def test_who_is_in_talks_with_a_person_hears_it_later(testbot: TestBot) -> None:
    """The bot keeps silent while an operator has the ticket, and tells when the talk is over."""
    olga, anna = testbot.operator(), testbot.customer()
    await olga.says(DOWN)
    await anna.says("Когда привезут заказ в Казань?")
    await anna.presses("Позвать оператора")
    await olga.says("Слушаю", ticket=1)
    await olga.says("/incident off")
    await testbot.later(minutes=10)
    assert not any("Уже исправили" in text for text in anna.hears())
    await olga.presses("Закрыть", ticket=1)
    await testbot.later(minutes=31)

    assert (
        sum("Уже исправили" in s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001"))
        == 1
    )


async def test_only_supervisors_announce(articles: Path) -> None:
    """Where they are named; an operator gets one clear line and nothing changes."""
    async with open_test_bot(
        articles, config=Config.model_validate({"routing": {"supervisors": ["telegram:9009"]}})
    ) as testbot:
        await testbot.operator().says(DOWN)
        assert not testbot.service.desk.context.incidents.open
        assert any("только старший" in o.text.text for o in await testbot.operator().sees())
        await testbot.operator("Вера", id="9009").says(DOWN)

        assert [i.number for i in testbot.service.desk.context.incidents.open] == [1]


@pytest.mark.parametrize("text", ["/incident |", "/incident " + "а" * 800])
async def test_what_cannot_be_announced_is_said_how(testbot: TestBot, text: str) -> None:
    """No words, or too many: how it is written, and nothing is announced."""
    olga = testbot.operator()
    await olga.says(text)

    assert testbot.service.desk.context.incidents.open == () and any(
        "/incident Сбой доставки" in o.text.text for o in await olga.sees()
    )


async def test_at_night_nobody_is_woken(testbot: TestBot) -> None:
    """What is over at midnight is told in the morning."""
    olga, anna = testbot.operator(), testbot.customer()
    await olga.says(DOWN)
    await anna.says("Когда привезут заказ в Казань?")
    await testbot.later(hours=12)
    await olga.says("/incident off")
    assert any("с 09:00, ночью не беспокою" in o.text.text for o in await olga.sees())
    await testbot.later(hours=1)
    assert not any("Уже исправили" in text for text in anna.hears())
    await testbot.later(hours=8, minutes=1)

    assert any("Уже исправили" in text for text in anna.hears())


async def test_it_stands_on_the_board(testbot: TestBot) -> None:
    """While it lasts, with how many have asked."""
    olga, anna = testbot.operator(), testbot.customer()
    await anna.says("позовите оператора")
    await testbot.later(minutes=2)
    await olga.says(DOWN)
    await testbot.later(minutes=2)
    assert "🚧 Сбой №1" in [o.text.text for o in await olga.sees() if "Очередь" in o.text.text][-1]
    await olga.says("/incident off")
    await testbot.later(minutes=2)

    assert "🚧" not in [o.text.text for o in await olga.sees() if "Очередь" in o.text.text][-1]


async def test_whoever_was_blocked_meanwhile_does_not_hear_that_it_is_over(articles: Path) -> None:
    """A blocked customer hears nothing of what is said first."""
    async with open_test_bot(articles, config=Config()) as testbot:
        olga, anna = testbot.operator(), testbot.customer()
        await olga.says(DOWN)
        await anna.says("Когда привезут заказ в Казань?")
        await anna.says("позовите оператора")
        await olga.says("/block спам", ticket=1)
        anna.listens()
        await olga.says("/incident off Всё работает")
        await testbot.later(minutes=5)
        assert anna.hears() == []
