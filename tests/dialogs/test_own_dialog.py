"""A dialog of one's own with the public names alone: it asks, hears the answer, sets timers, asks a service
over HTTP, and calls a person.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import (
    Button,
    Outcome,
    Turn,
    ask,
    asked,
    cancel_timer,
    fired_timer,
    hand_over,
    reply,
    set_timer,
)
from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot

WORDS = """
repair:
  number: "Номер квитанции?"
  again: "Номер — это шесть цифр. {{ told }} раз спросил."
  state: "Ремонт {{ number }}: {{ state }}."
  stopped: "Хорошо, не буду напоминать."
desk.reason.repair_late: "ремонт задержался"
"""


class Workshop:
    """The dialog of a workshop; `url` is where its repairs are kept."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __call__(self, turn: Turn) -> Outcome | None:
        if (late := fired_timer(turn, "late")) is not None:
            return hand_over(turn, "repair_late") if late.facts["number"] else None
        text = turn.text.lower()
        if text == "не напоминай":
            return cancel_timer(turn, reply(turn, "repair.stopped"), "late")
        question = asked(turn)
        if question is None:
            no = Button("Нет квитанции", "no_receipt")
            return ask(turn, "repair.number", buttons=[no], told=1) if "ремонт" in text else None
        if turn.press is not None and turn.press.action == "no_receipt":
            return hand_over(turn, "repair_no_receipt", apology=True)
        if "доставка" in text:
            return None
        if not text.isdigit():
            told = question.facts["told"]
            assert isinstance(told, int)
            return ask(turn, "repair.again", told=told + 1)
        return await self._looked_up(turn, text)

    async def _looked_up(self, turn: Turn, number: str) -> Outcome:
        async with (
            aiohttp.ClientSession(self.url) as client,
            client.get("/repairs", params={"number": number}) as answer,
        ):
            if answer.status == 404:
                return hand_over(turn, "repair_unknown")
            state = (await answer.json())["state"]
        said = reply(turn, "repair.state", number=number, state=state)
        return set_timer(turn, said, turn.now + timedelta(days=1), "late", number=number)


@pytest.fixture
async def workshop() -> AsyncIterator[str]:
    """The service of the workshop: one repair is known."""

    async def repairs(request: web.Request) -> web.Response:
        if request.query["number"] != "481516":
            raise web.HTTPNotFound
        return web.json_response({"state": "ждём деталь"})

    application = web.Application()
    application.router.add_get("/repairs", repairs)
    server = TestServer(application)
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workshop: str) -> Config:
    """Our dialogs go before the workshop's: an answer reaches it all the same."""
    (tmp_path / "texts").mkdir()
    for lang in ("ru", "en"):
        (tmp_path / "texts" / f"{lang}.yaml").write_text(WORDS, "utf-8")
    monkeypatch.setattr(sys.modules[__name__], "workshop_dialog", Workshop(workshop), raising=False)
    monkeypatch.setitem(sys.modules, "workshop", sys.modules[__name__])
    order = ["human", "greeting", "smalltalk", "workshop:workshop_dialog", "faq"]
    return Config.model_validate(
        {
            "dialogs": {"order": order},
            "wording": {"folder": str(tmp_path / "texts")},
            "rating": {"ask": False},
        }
    )


@pytest.fixture
async def bot(articles: Path, config: Config) -> AsyncIterator[TestBot]:
    async with open_test_bot(articles, config=config) as opened:
        yield opened


async def reasons(bot: TestBot) -> list[str]:
    return [t.reason for t in await bot.service.store.tickets()]


async def test_it_asks_and_hears_the_answer(bot: TestBot) -> None:
    """The number goes to whoever asked for it, what was asked is told again with what was kept beside it."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    assert anna.hears() == ["Номер квитанции?"]
    await anna.says("да")
    assert anna.hears() == ["Номер — это шесть цифр. 2 раз спросил."], "not a word for small talk"
    await anna.says("481516")

    assert anna.hears() == ["Ремонт 481516: ждём деталь."]
    await anna.says("Спасибо!")
    assert anna.hears() and "шесть цифр" not in anna.hears()[0], "nothing is asked any more"


async def test_another_question_meanwhile_leaves_its_own_open(bot: TestBot) -> None:
    """Returning None passes the words on; the number that comes afterwards still counts."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    await anna.says("Сколько идёт доставка?")
    assert any("3–5 дней" in text for text in anna.hears())
    await anna.says("481516")

    assert anna.hears() == ["Ремонт 481516: ждём деталь."]


async def test_a_question_is_forgotten_after_a_night(bot: TestBot) -> None:
    """A number that comes the next day answers nothing."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    await bot.later(hours=9)
    await anna.says("481516")

    assert not any("Ремонт" in text for text in anna.hears())


async def test_a_person_can_always_be_called_instead_of_an_answer(bot: TestBot) -> None:
    """A request for a person goes before every open question."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    await anna.says("позовите человека")

    assert await reasons(bot) == ["asked"]


async def test_it_hands_over_with_its_own_reason(bot: TestBot) -> None:
    """The customer hears it, the card says why, and the operator's answer comes back."""
    anna, olga = bot.customer(), bot.operator()
    await anna.says("Что с моим ремонтом?")
    await anna.says("000000")
    assert await reasons(bot) == ["repair_unknown"]
    assert any("оператор" in text.lower() for text in anna.hears())
    assert any("repair_unknown" in shown.text.text for shown in await olga.sees(1))
    await olga.says("Квитанция старая, нашёл", ticket=1)

    assert any("Квитанция старая, нашёл" in text for text in anna.hears())


async def test_a_button_of_its_own_hands_over_with_an_apology(bot: TestBot) -> None:
    """What was pressed reaches the dialog that offered it."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    await anna.presses("Нет квитанции")

    assert await reasons(bot) == ["repair_no_receipt"]
    assert any("прос" in text.lower() or "извин" in text.lower() for text in anna.hears())


async def test_its_timer_wakes_it_once(bot: TestBot) -> None:
    """After a day the dialog is asked again and calls a person, in the words of the texts."""
    anna, olga = bot.customer(), bot.operator()
    await anna.says("Что с моим ремонтом?")
    await anna.says("481516")
    await bot.later(hours=23)
    assert await reasons(bot) == []
    await bot.later(hours=2)
    assert await reasons(bot) == ["repair_late"]
    await bot.later(hours=30)

    assert await reasons(bot) == ["repair_late"]
    assert any("ремонт задержался" in shown.text.text for shown in await olga.sees(1))


async def test_a_cancelled_timer_wakes_nobody(bot: TestBot) -> None:
    """Said in time, nothing follows."""
    anna = bot.customer()
    await anna.says("Что с моим ремонтом?")
    await anna.says("481516")
    await anna.says("не напоминай")
    await bot.later(days=3)

    assert await reasons(bot) == []


async def test_outside_of_a_dialog_nobody_is_there_to_hand_over_to() -> None:
    """Whoever calls it elsewhere is told so at once."""
    with pytest.raises(LookupError, match="call it in a dialog"):
        hand_over(None, "lost")  # type: ignore[arg-type]
