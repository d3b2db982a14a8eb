"""A clarification helps: it offers what may be meant, in words that differ on a phone's button, and nothing
where the articles have nothing to do with the question.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.telegram.calls import keyboard
from bot.adapters.vk.calls import LABEL, cut
from bot.model import Outbound
from bot.testing import TestBot, open_test_bot

CHANNELS = ("telegram", "vk")
RENTAL = {
    "price": ("Сколько стоит прокат", ["цена проката", "почём велик на день"], "300 ₽ в час, 1200 ₽ в день."),
    "deposit": ("Залог", ["нужен ли залог", "какой залог"], "Залог 3000 ₽ или паспорт."),
    "hours": ("Часы работы", ["до скольки вы работаете"], "С 9 до 21 без выходных."),
    "place": ("Где вы находитесь", ["адрес проката"], "Парк у реки, вход с набережной."),
    "kids": ("Детские велосипеды", ["есть велосипед для ребёнка"], "Есть, от трёх лет, и кресла."),
    "broken": ("Велосипед сломался", ["прокололось колесо"], "Позвоните нам, приедем и заменим."),
    "bring": ("Доставка велосипедов", ["можете привезти велосипед"], "Привозим по городу за 500 ₽."),
    "booking": ("Как забронировать", ["хочу забронировать на субботу"], "На сайте или по телефону."),
}
LONG = "Возврат денег за заказ, оплаченный картой"
TWINS = {
    "site": (f"{LONG} на сайте", ["вернуть деньги оплата на сайте"], "Деньги вернутся за три дня."),
    "courier": (f"{LONG} курьеру", ["вернуть деньги оплата курьеру"], "Деньги вернутся за десять дней."),
    "hours": ("Часы работы", ["до скольки вы работаете"], "С 9 до 21 без выходных."),
}


@pytest.fixture(params=["rental", "twins"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TestBot]:
    folder = tmp_path / "kb"
    folder.mkdir()
    for name, (title, aliases, body) in (RENTAL if request.param == "rental" else TWINS).items():
        text = f'---\ntitle: "{title}"\naliases: [{", ".join(aliases)}]\n---\n\n{body}\n'
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    async with open_test_bot(folder, threads=False) as testbot:
        yield testbot


@pytest.mark.parametrize("shop", ["rental"], indirect=True)
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "question",
    ["сколько лететь до Луны", "как приготовить борщ", "почему небо голубое", "who won the world cup"],
)
async def test_what_no_article_speaks_of_is_never_a_list(shop: TestBot, channel: str, question: str) -> None:
    """A base of eight articles offers a person, and no titles that have nothing to do with it."""
    anna = shop.customer(channel=channel)
    await anna.says(question)

    assert labels(anna.sees()[-1].outbound) in (["Позвать оператора"], ["Talk to a person"])
    for title, _, _ in RENTAL.values():
        assert title not in anna.hears()[-1]


@pytest.mark.parametrize("shop", ["twins"], indirect=True)
async def test_titles_that_a_button_would_cut_to_the_same_text_differ_on_it(shop: TestBot) -> None:
    """On both platforms, and the message names them in full; a number and a part of a title choose."""
    for channel in CHANNELS:
        anna = shop.customer(channel=channel)
        await anna.says("верните деньги за заказ")
        shown = anna.sees()[-1].outbound
        first, second = (cut(label, LABEL) for label in labels(shown)[:2])
        assert "на сайте" in first + second and "курьеру" in first + second
        assert all(f"{LONG} {end}" in shown.text.text for end in ("на сайте", "курьеру"))
        if channel == "telegram":
            assert (drawn := keyboard(shown.buttons, 1)) is not None
            assert len({row[0].text[:38] for row in drawn.inline_keyboard}) == len(drawn.inline_keyboard)
        await anna.says("курьеру")
        assert "десять дней" in anna.hears()[-1]


@pytest.mark.parametrize("shop", ["twins"], indirect=True)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_none_of_these_is_a_button_and_leads_to_a_person(shop: TestBot, channel: str) -> None:
    """Nobody is asked twice: the next thing said offers a person, and yes calls one."""
    anna = shop.customer(channel=channel)
    await anna.says("верните деньги за заказ")
    await anna.presses("Ничего из этого")
    assert labels(anna.sees()[-1].outbound) == ["Позвать оператора"]
    await anna.says("lf")
    assert "№1" in shop.desk_texts()[-1] or any("№1" in text for text in shop.desk_texts())


@pytest.mark.parametrize("shop", ["rental"], indirect=True)
async def test_the_floor_is_told_where_the_decision_is_explained(shop: TestBot) -> None:
    """`why` shows what the mean of both scores had to reach, and the sentence says that it did not."""
    answer = await shop.service.knowledge.ask("сколько лететь до Луны")
    why: dict[str, Any] = dict(answer.why)
    assert why["thresholds"]["offer"] == 1.0 and why["scope"] >= 0.35
    assert "вряд ли то" in why["sentence"] and why["decision"] == "handoff"


def labels(shown: Outbound) -> list[str]:
    return [b.label for row in shown.buttons for b in row]
