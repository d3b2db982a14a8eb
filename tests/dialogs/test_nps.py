"""Would you recommend us: off by default, asked seldom, never near another survey, heard as a press or a
number.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.model import Priority
from bot.reports.periods import last_days
from bot.reports.report import make_report, read_facts
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer

ON = Config.model_validate({"nps": {"ask": True}})


async def _asked(testbot: TestBot, *people: PlayedCustomer, days: float = 2) -> None:
    """Everybody writes; time passes to the noon of another day."""
    for person in people:
        await person.says("как вернуть товар")
    for person in people:
        person.listens()
    await testbot.later(days=days, minutes=5)
    await testbot.later(minutes=5)


def _questions(person: PlayedCustomer) -> int:
    return sum("посоветуете" in s.outbound.text.text for s in person.channel.in_chat(person.peer.chat))


async def test_nobody_is_asked_unless_it_is_switched_on(testbot: TestBot) -> None:
    """Off by default."""
    anna = testbot.customer()
    await _asked(testbot, anna)

    assert _questions(anna) == 0


async def test_a_score_by_button_and_a_comment_for_the_desk(articles: Path) -> None:
    """Eleven buttons; the score is an event, the comment is shown in the desk, and a second press changes
    nothing.
    """
    async with open_test_bot(articles, config=ON) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await _asked(testbot, anna)
        asked = anna.sees()[-1].outbound
        assert [b.label for row in asked.buttons for b in row] == [
            str(n) for n in range(11)
        ] and asked.priority is Priority.MESSAGE
        await anna.presses("3")
        assert "исправить" in anna.hears()[-1]
        await anna.says("Курьер опоздал на день")
        assert any("3 из 10" in o.text.text and "Курьер опоздал" in o.text.text for o in await olga.sees())
        await anna.presses("10")
        assert "уже записан" in anna.hears()[-1]

        scores = [e.data["score"] for e in await testbot.service.store.events(kinds=("nps_scored",))]
        assert scores == [3]


async def test_a_number_is_heard_and_a_question_is_answered(articles: Path) -> None:
    """«9» is the score; what is no number goes to the other dialogs."""
    async with open_test_bot(articles, config=ON) as testbot:
        anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
        await _asked(testbot, anna, boris)
        await anna.says("9")
        await anna.says("Сколько стоит доставка?")
        await boris.says("как оплатить заказ")

        assert "350" in anna.hears()[-1] and "СБП" in boris.hears()[-1]
        assert len(await testbot.service.store.events(kinds=("nps_scored",))) == 1


async def test_asked_once_in_ninety_days(articles: Path) -> None:
    """Also when they write every week."""
    async with open_test_bot(articles, config=ON) as testbot:
        anna = testbot.customer()
        for _ in range(7):
            await _asked(testbot, anna, days=14)
        assert _questions(anna) == 1
        await _asked(testbot, anna, days=14)

        assert _questions(anna) == 2


@pytest.mark.parametrize(
    ("words", "tickets"),
    [
        ("операторы вежливые, отвечают быстро", 0),
        ("долго ждал оператора", 0),
        ("хорошие операторы", 0),
        ("позовите оператора, мне не привезли заказ", 1),
        ("оператора!", 1),
    ],
)
async def test_a_comment_about_operators_calls_none(articles: Path, words: str, tickets: int) -> None:
    """Who praises or scolds the operators does not ask for one."""
    async with open_test_bot(articles, config=ON, threads=False) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await _asked(testbot, anna)
        await anna.presses("3")
        await anna.says(words)
        assert len(await testbot.store.tickets(limit=5)) == tickets
        shown = [o for o in await olga.sees() if "3 из 10" in o.text.text and words in o.text.text]
        assert len(shown) == 1 - tickets


async def test_never_near_a_rating(articles: Path) -> None:
    """Who was asked for a rating is not asked this for two weeks, and the other way round."""
    async with open_test_bot(articles, config=ON) as testbot:
        anna, boris, olga = testbot.customer(), testbot.customer("Борис", chat="1002"), testbot.operator()
        await _asked(testbot, boris)
        assert _questions(boris) == 1
        for n, person in enumerate((anna, boris), 1):
            await person.says("позовите оператора")
            await olga.says("Готово", ticket=n)
            await olga.presses("Закрыть", ticket=n)
        await testbot.later(minutes=6)
        await testbot.later(days=3)
        await testbot.later(minutes=5)
        ratings = [e.ticket for e in await testbot.service.store.events(kinds=("rating_asked",))]

    assert _questions(anna) == 0 and ratings == [1]


@pytest.mark.parametrize("way", ["talks", "opted out", "wrote just now"])
async def test_not_who_is_busy_or_said_no(articles: Path, way: str) -> None:
    """A talk with a person, an opt-out, fresh words: nobody is asked into these."""
    async with open_test_bot(articles, config=ON) as testbot:
        anna = testbot.customer()
        await anna.says(
            "позовите оператора" if way == "talks" else "/stop" if way == "opted out" else "как вернуть товар"
        )
        if way == "wrote just now":
            await testbot.later(hours=23)
            await anna.says("как оплатить заказ")
        await testbot.later(hours=1 if way == "wrote just now" else 48)
        await testbot.later(minutes=5)

        assert _questions(anna) == 0


async def test_the_figure_has_its_definition_and_is_hidden_when_few_answered(articles: Path) -> None:
    """Promoters minus detractors in points; nothing below five answers."""
    async with open_test_bot(articles, config=ON) as testbot:
        people = [testbot.customer(f"Имя{n}", chat=str(3000 + n)) for n in range(6)]
        await _asked(testbot, *people)
        for score, person in zip((10, 9, 9, 7, 0), people, strict=False):
            await person.presses(str(score)) if score != 0 else await person.says("0")
        service = testbot.service
        period = last_days(7, testbot.clock(), service.hours.zone)
        report = make_report(await read_facts(service.store, service.hours, period, testbot.clock()), period)
        figure = report.figures["nps"]
        assert (figure.value, figure.n, figure.parts["asked"]) == (40.0, 5, 6.0)
        assert len(figure.cases) == 5
