"""Operators see a remark on how their words sound where they see a preview; it holds nothing back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer, PlayedOperator

READY = "отказ: К сожалению, это невозможно.\nответ: Вернём деньги за 3 дня.\n"
OFFICIAL = "Уважаемые клиенты! Доставка осуществляется до 20:00."


@pytest.fixture
def settings(tmp_path: Path) -> Mapping[str, object]:
    folder = tmp_path / "canned"
    folder.mkdir()
    (folder / "ready.yaml").write_text(READY, "utf-8")
    return {"canned": {"folder": str(folder)}}


@pytest.fixture
async def desk(articles: Path, settings: Mapping[str, object]) -> AsyncIterator[TestBot]:
    async with open_test_bot(articles, config=Config.model_validate(settings)) as testbot:
        yield testbot


async def _waiting(testbot: TestBot) -> tuple[PlayedCustomer, PlayedOperator]:
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    anna.listens()
    return anna, olga


async def test_a_broadcast_is_remarked_upon_before_it_is_confirmed_and_sent_as_it_is(desk: TestBot) -> None:
    """The count stays, the remark stands below it with other words, the button sends what was written."""
    anna, olga = desk.customer(), desk.operator()
    await anna.says("как вернуть товар")
    await olga.says(f"/broadcast\n{OFFICIAL}")
    preview = (await olga.sees())[-1].text.text
    await olga.presses("Отправить: 1")
    await desk.later(minutes=5)

    assert "Получат: 1" in preview and "«Уважаемые клиенты» → Здравствуйте" in preview
    assert "«осуществляется» → делаем" in preview
    assert OFFICIAL in anna.hears()


async def test_an_incident_is_remarked_upon_and_declared_all_the_same(desk: TestBot) -> None:
    """Its refusal is none: what customers hear ends with what the bot will do."""
    _, olga = await _waiting(desk)
    await olga.says("/incident Данная услуга не работает. К сожалению, оплатить невозможно")
    told = (await olga.sees())[-1].text.text

    assert "Сбой №1 объявлен" in told and "«Данная услуга» → эта" in told and "невозможно» →" not in told


async def test_a_ready_answer_that_only_refuses_is_remarked_upon_in_its_preview(desk: TestBot) -> None:
    """The customer's copy has no remark; an answer that leads on has none either."""
    anna, olga = await _waiting(desk)
    await olga.says("/t отказ", ticket=1)
    refusing = (await olga.sees(1))[-1].text.text
    await olga.presses("Отправить клиенту", ticket=1)
    heard = anna.hears()
    await olga.says("/t ответ", ticket=1)
    leading = (await olga.sees(1))[-1].text.text

    assert "«невозможно» → скажите, что можно сделать" in refusing
    assert heard == ["К сожалению, это невозможно."] and "Как звучит" not in leading


async def test_words_that_are_asked_about_come_with_a_remark_and_others_go_at_once(desk: TestBot) -> None:
    """A remark never makes a question of its own: what was sent at once before is sent at once now."""
    anna, olga = await _waiting(desk)
    await olga.says("В соответствии с правилами, согласно регламенту, вернём деньги.", ticket=1)
    asked = (await olga.sees(1))[-1].text.text
    await olga.says("Заказ доставим в кратчайшие сроки.", ticket=1)

    assert "Точно отправить?" in asked and "«В соответствии с» → по" in asked
    assert anna.hears() == ["Заказ доставим в кратчайшие сроки."]


@pytest.mark.parametrize(
    ("tone", "told"),
    [({"check": False}, False), ({"own": [{"pattern": "клик*", "instead": "нажмите"}]}, True)],
)
async def test_the_business_adds_words_or_wants_no_remarks(
    articles: Path, tone: Mapping[str, object], told: bool
) -> None:
    """`tone.own` and `tone.check` of the config."""
    async with open_test_bot(articles, config=Config.model_validate({"tone": tone})) as testbot:
        _, olga = await _waiting(testbot)
        await olga.says("/broadcast\nУважаемые клиенты, кликните здесь.")
        preview = (await olga.sees())[-1].text.text

        assert ("«кликните» → нажмите" in preview, "Как звучит" in preview) == (told, told)
