"""A questionnaire goes to a segment, is answered with branches, counted, and forgotten with the customer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.cli.site import site_of
from bot.handoff.outreach.questionnaire_results import AskedStep, QuestionnaireResult, results
from bot.model import Priority
from bot.testing import TestBot
from bot.testing.harness import PlayedCustomer
from bot.web.server import build_app
from bot.web.users import PageRole, may
from tests.flows.conftest import OpenedFlows

SURVEY = """
title: Как вам магазин
questionnaire:
  invite: {ru: Ответьте на два вопроса?, en: Two questions for you?}
  remind: 1d
steps:
  - {id: score, ask: "Оценка от 0 до 10?", type: number}
  - when:
      - {answer: score, below: 7, go: why}
  - {id: best, ask: Что лучше всего?, type: choice, options: [Цены, {text: Доставка, value: delivery}]}
  - {end: Спасибо!}
  - {id: why, ask: Что не так?, optional: true}
  - {end: Разберёмся.}
"""
STEPS = (
    AskedStep("score", "Оценка", "number"),
    AskedStep("best", "Лучшее", "choice", (("Цены", "Цены"), ("delivery", "Доставка"))),
    AskedStep("why", "Что не так", "text"),
)


async def sent(testbot: TestBot, count: int = 3, line: str = "опрос=osen") -> list[PlayedCustomer]:
    """*count* customers who know the bot, and a supervisor who sends."""
    people = [testbot.customer(f"Имя{n}", chat=str(2000 + n)) for n in range(count)]
    for person in people:
        await person.says("как вернуть товар")
        person.listens()
    olga = testbot.operator()
    await olga.says(f"/broadcast {line}")
    await olga.presses("Отправить")
    await testbot.later(minutes=5)
    return people


async def found(testbot: TestBot) -> QuestionnaireResult:
    return await results(testbot.store, "osen", STEPS)


async def test_it_is_sent_answered_by_branches_and_counted(opened: OpenedFlows) -> None:
    """Each gets it once, behind all other messages, with the button against it; who was not asked a question
    is not counted at it, and words of answers come without what is personal.
    """
    async with opened(SURVEY, name="osen") as (testbot, _):
        happy, sad, silent = await sent(testbot)
        (invitation,) = happy.sees()
        assert invitation.outbound.text.text == "Ответьте на два вопроса?"
        assert invitation.outbound.priority is Priority.BULK
        assert [b.label for row in invitation.outbound.buttons for b in row] == ["Ответить", "Не присылать"]
        await happy.presses("Ответить")
        await happy.says("9")
        await happy.presses("Доставка")
        assert happy.hears() == ["Спасибо!"]
        await sad.presses("Ответить")
        await sad.says("3")
        await sad.says("курьер не позвонил на +7 912 345-67-89")
        assert sad.hears() == ["Разберёмся."]

        came = await found(testbot)
        assert (came.sent, came.begun, came.done, round(came.share, 2)) == (3, 2, 2, 0.67)
        score, best, why = came.steps
        assert (score.answered, score.mean, best.counts) == (2, 6.0, [("Цены", 0), ("Доставка", 1)])
        assert why.answered == 1 and why.words[0].startswith("курьер") and "345" not in why.words[0]
        await happy.presses("Ответить")
        assert happy.hears() == ["Вы уже ответили, спасибо! Ещё раз не нужно."]
        assert len(silent.sees()) == 1


async def test_who_begins_anew_is_counted_once(opened: OpenedFlows) -> None:
    """The last way through counts, without the answers of a branch that was left."""
    async with opened(SURVEY, name="osen") as (testbot, _):
        (anna,) = await sent(testbot, 1)
        await anna.presses("Ответить")
        await anna.says("2")
        await anna.says("отмена")
        await anna.presses("Ответить")
        await anna.says("10")

        came = await found(testbot)
        assert came.begun == 1 and came.steps[0].counts == [("10", 1)] and came.steps[2].answered == 0


async def test_who_is_silent_is_reminded_once_by_day(opened: OpenedFlows) -> None:
    """After a day, in the hours of writing first; neither who answered nor who said no."""
    async with opened(SURVEY, name="osen") as (testbot, _):
        done, silent, off = await sent(testbot)
        await done.presses("Ответить")
        await done.says("9")
        await done.presses("Цены")
        await off.presses("Не присылать")
        for person in (done, silent, off):
            person.listens()
        await testbot.later(seconds=timedelta(hours=23).total_seconds())
        assert silent.hears() == []
        await testbot.later(seconds=timedelta(hours=2).total_seconds())
        assert silent.hears() == ["Напомню о коротком опросе:\n\nОтветьте на два вопроса?"]
        await testbot.later(seconds=timedelta(days=3).total_seconds())

        assert len(silent.hears()) == 1 and not any("Напомню" in t for p in (done, off) for t in p.hears())


async def test_forgetting_takes_the_words_and_leaves_the_figures(opened: OpenedFlows) -> None:
    async with opened(SURVEY, name="osen") as (testbot, _):
        (anna,) = await sent(testbot, 1)
        await anna.presses("Ответить")
        await anna.says("3")
        await anna.says("упаковка порвана")
        everything = str(await testbot.store.export_customer(1))
        assert "упаковка порвана" in everything and "questionnaire_answered" in everything
        await testbot.store.forget_customer(1, testbot.clock())

        came = await found(testbot)
        assert came.steps[0].mean == 3.0 and came.steps[2].answered == 1 and came.steps[2].words == []


async def test_the_page_shows_what_was_answered_and_gives_a_table(opened: OpenedFlows) -> None:
    """Words are masked and never markup or a formula; customers have no names there."""
    async with opened(SURVEY, name="osen") as (testbot, _):
        (anna,) = await sent(testbot, 1)
        await anna.presses("Ответить")
        await anna.says("3")
        await anna.says("=1+1 стало <b>хуже</b>, верните как было, пишите на anna@example.ru")
        client: TestClient[Any, Any] = TestClient(TestServer(build_app(site_of(testbot.service).services)))
        await client.start_server()
        try:
            shown = await (await client.get("/flows/osen", headers={"Accept": "text/html"})).text()
            table = (await (await client.get("/flows/osen/answers.csv")).read()).decode("utf-8-sig")
        finally:
            await client.close()

    assert "Получили: 1. Начали: 1. Ответили до конца: 1 (100%)." in shown and "Имя0" not in shown
    assert "&lt;b&gt;хуже" in shown and "<b>хуже" not in shown and "anna@example" not in shown + table
    rows = [row.split(";") for row in table.splitlines()]
    assert [row[2:] for row in rows[:2]] == [["вопрос", "ответ"], ["Оценка от 0 до 10?", "3"]]
    assert rows[2][3].startswith("'=1+1")


async def test_a_supervisor_sends_it_from_the_page_once(opened: OpenedFlows) -> None:
    """Counted first; the same form twice is one sending, and unclear conditions send nothing."""
    async with opened(SURVEY, name="osen") as (testbot, _):
        anna = testbot.customer()
        await anna.says("как вернуть товар")
        anna.listens()
        html = {"Accept": "text/html"}
        client: TestClient[Any, Any] = TestClient(TestServer(build_app(site_of(testbot.service).services)))
        await client.start_server()
        try:
            unclear = await (await client.get("/flows/osen?to=channel=fax", headers=html)).text()
            counted = await (await client.get("/flows/osen?to=", headers=html)).text()
            fields = dict(re.findall(r'name="(csrf|key)" (?:content|value)="([^"]+)"', counted))
            for _ in range(2):
                sent = await client.post("/flows/osen/send", data=fields, headers=html, allow_redirects=False)
                assert sent.status == 303
                await testbot.later(minutes=5)
        finally:
            await client.close()

        assert "fax" in unclear and "/send" not in unclear and "Отправить: 1" in counted
        assert anna.hears() == ["Ответьте на два вопроса?"]
        assert not may(PageRole.EDITOR, "POST", "/flows/osen/send")


@pytest.mark.parametrize(
    ("line", "said"),
    [("опрос=vesna", "Опроса «vesna» нет. Есть: osen."), ("опрос=osen vip=yes", "никто не подходит")],
)
async def test_what_cannot_be_sent_is_told(opened: OpenedFlows, line: str, said: str) -> None:
    async with opened(SURVEY, name="osen") as (testbot, _):
        await testbot.customer().says("как вернуть товар")
        olga = testbot.operator()
        await olga.says(f"/broadcast {line}")

        assert said in (await olga.sees())[-1].text.text
