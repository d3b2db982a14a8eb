"""After a low score: seen by the supervisor with an apology ready, sent with one tap or edited, reminded of,
never sent twice.
"""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.model import InboundKind
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer, PlayedOperator

VERA = Config.model_validate({"routing": {"supervisors": ["telegram:9009"]}})


async def _rated(testbot: TestBot, score: str = "2") -> tuple[PlayedCustomer, PlayedOperator]:
    anna, olga, vera = testbot.customer(), testbot.operator(), testbot.operator("Вера", id="9009")
    await anna.says("позовите оператора")
    await vera.says("слежу", ticket=None)
    await olga.says("Ну что ещё", ticket=1)
    await olga.presses("Закрыть", ticket=1)
    await testbot.later(minutes=6)
    await anna.presses(score)
    await testbot.later(minutes=4)
    anna.listens()
    return anna, vera


async def _followup(testbot: TestBot) -> object:
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None
    return ticket.state.followup


async def test_one_tap_sends_the_apology_once(articles: Path) -> None:
    """The supervisor sees it ready, the customer gets it in their name, a second tap says that it is done."""
    async with open_test_bot(articles, config=VERA) as testbot:
        anna, vera = await _rated(testbot)
        shown = next(o for o in await vera.sees(1) if "2 из 5" in o.text.text)
        assert "Анна, простите" in shown.text.text and await _followup(testbot) == "open"
        await vera.presses("Отправить извинение", ticket=1)
        await vera.presses("Отправить извинение", ticket=1)

        assert [t for t in anna.hears() if "простите" in t] == [anna.hears()[0]] and await _followup(
            testbot
        ) == "done"
        edited = (await vera.sees(1))[-1]
        assert (
            any("извинение по №1 (оценка 2) отправлено" in o.text.text for o in await vera.sees(1))
            and edited is not None
        )


async def test_it_can_be_edited_first(articles: Path) -> None:
    """«Изменить» gives the text to copy; /sorry sends what was made of it to the customer, though the ticket
    is closed.
    """
    async with open_test_bot(articles, config=VERA) as testbot:
        anna, vera = await _rated(testbot, "1")
        await vera.presses("Изменить", ticket=1)
        assert "/sorry" in (await vera.sees(1))[-1].text.text and anna.hears() == []
        await vera.says("/sorry Анна, виноваты. Дарим скидку 10 %.", ticket=1)

        assert anna.hears() == ["Анна, виноваты. Дарим скидку 10 %."]
        assert "Позвать оператора" in {
            b.label for s in anna.sees() for row in s.outbound.buttons for b in row
        }


async def test_an_operator_may_not_and_a_good_score_opens_nothing(articles: Path) -> None:
    """Only supervisors apologise; four stars need no apology."""
    async with open_test_bot(articles, config=VERA) as testbot:
        anna, _ = await _rated(testbot)
        await testbot.operator().presses("Отправить извинение", ticket=1)
        assert anna.hears() == [] and await _followup(testbot) == "open"
    async with open_test_bot(articles, config=VERA) as testbot:
        _, vera = await _rated(testbot, "4")
        await vera.says("/sorry Простите", ticket=1)
        assert "нет низкой оценки" in (await vera.sees(1))[-1].text.text and await _followup(testbot) == ""


async def test_nobody_looked_for_a_day(testbot: TestBot) -> None:
    """Reminded once, aloud; after «Разобрано» the list is empty and nothing more comes."""
    _, vera = await _rated(testbot)
    await vera.says("/followups")
    assert "№1 · 2 из 5" in (await vera.sees())[-1].text.text
    await testbot.later(hours=25)
    await testbot.later(hours=25)
    assert sum("сутки никто не разобрал" in o.text.text for o in await vera.sees()) == 1
    await vera.presses("Разобрано", ticket=1)
    await vera.says("/followups")

    assert (
        "Неразобранных низких оценок нет" in (await vera.sees())[-1].text.text
        and await _followup(testbot) == "done"
    )


async def test_who_blocked_us_cannot_be_apologised_to(testbot: TestBot) -> None:
    """Said to the supervisor, and the follow-up stays open."""
    anna, vera = await _rated(testbot)
    await anna.says("", kind=InboundKind.BLOCKED)
    await vera.presses("Отправить извинение", ticket=1)

    assert await _followup(testbot) == "open"
