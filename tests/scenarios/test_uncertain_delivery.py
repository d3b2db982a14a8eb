"""Words of an operator that may have arrived or not: sent again by themselves, or asked about, as the owner
wants it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import Uncertain
from bot.model import OutboundKind
from bot.testing import TestBot, open_test_bot

ASK = Config.model_validate({"routing": {"in_doubt": "ask"}})


@pytest.fixture
async def asking(articles: Path) -> AsyncIterator[TestBot]:
    async with open_test_bot(articles, config=ASK) as opened:
        yield opened


def heard(testbot: TestBot) -> list[str]:
    return [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001")]


async def taken(testbot: TestBot) -> None:
    await testbot.customer().says("позовите оператора")
    await testbot.operator().presses("Взять", ticket=1)
    testbot.channels["telegram"].failures.extend([Uncertain("cut")])


async def test_by_default_they_are_sent_again(testbot: TestBot) -> None:
    """Better twice than never; nobody is asked."""
    await taken(testbot)
    await testbot.operator().says("Посылка в пути", ticket=1)
    await testbot.later(seconds=10)

    assert heard(testbot).count("Посылка в пути") == 1
    assert not any("неизвестно" in o.text.text for o in await testbot.operator().sees(1))


async def test_an_operator_is_asked_and_decides(asking: TestBot) -> None:
    """The notice stands in the topic with a button; pressed once it sends once, pressed again it is an old
    button.
    """
    await taken(asking)
    olga = asking.operator()
    await olga.says("Посылка в пути", ticket=1)
    await asking.later(minutes=2)

    assert "Посылка в пути" not in heard(asking)
    [asked] = [o for o in await olga.sees(1) if "неизвестно, получил ли" in o.text.text]
    assert asked.buttons and asked.quotes
    await olga.presses("Отправить ещё раз", ticket=1)
    await olga.presses("Отправить ещё раз", ticket=1)
    assert heard(asking).count("Посылка в пути") == 1
    assert (await asking.service.store.counts())["deliveries_unknown"] == 0


async def test_a_death_in_the_middle_of_a_send_is_asked_about_after_the_start(
    articles: Path, tmp_path: Path
) -> None:
    """What was under way when the process died is in doubt as well."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, config=ASK, storage=file) as first:
        await taken(first)
        first.channels["telegram"].failures.clear()
        olga = first.operator()
        await olga.says("Посылка в пути", ticket=1, run=False)
        first.clock.advance(seconds=6)
        while await first.service.engine.run_waiting():
            pass
        moment = first.clock()
        words = [
            d
            for d in await first.service.store.take_deliveries(moment)
            if d.outbound.text.text == "Посылка в пути"
        ]
        assert words, "it is under way, and the process dies"
    async with open_test_bot(articles, config=ASK, storage=file) as second:
        second.clock.at = moment
        await second.service.outbox.take_over()
        await second.rest()

        assert any("неизвестно, получил ли" in o.text.text for o in await second.operator().sees(1))
        assert not [
            s
            for s in second.channels["telegram"].in_chat("1001", kind=OutboundKind.SAY)
            if "Посылка" in s.outbound.text.text
        ]
