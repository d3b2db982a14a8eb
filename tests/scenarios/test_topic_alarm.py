"""A topic that customers ask about unusually often is told in the group: once, with a way to announce it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config.loader import Config
from bot.reports.rises import past_windows
from bot.testing import TestBot, open_test_bot

QUESTION = "как вернуть товар"


async def _asked(testbot: TestBot, count: int, first: int) -> None:
    for n in range(first, first + count):
        await testbot.customer(f"Имя{n}", chat=str(3000 + n)).says(QUESTION)


@pytest.fixture
async def weeks(articles: Path) -> AsyncIterator[TestBot]:
    """Four weeks in which two customers an hour ask about a return at this time."""
    config = Config.model_validate({"report": {"topic_alarm_least": 5}})
    async with open_test_bot(articles, config=config) as testbot:
        for week in range(4):
            for hour in range(3):
                await _asked(testbot, 2, 6 * week + 2 * hour)
                testbot.clock.advance(hours=1)
            testbot.clock.advance(days=7, hours=-3)
        testbot.clock.advance(hours=1)
        yield testbot


async def test_a_rise_is_told_once_with_examples(weeks: TestBot) -> None:
    """Again only after it has been calm; the usual level and what customers wrote stand in it."""
    olga = weeks.operator()
    await olga.says("/queue")
    await _asked(weeks, 14, 100)
    await weeks.later(minutes=6)
    told = [o for o in await olga.sees() if "больше обычного" in o.text.text]
    assert len(told) == 1
    assert "14 клиентов" in told[0].text.text and "обычно в это время 2" in told[0].text.text
    assert f"• {QUESTION}" in told[0].text.text
    await weeks.later(minutes=6)
    await weeks.later(minutes=6)
    assert len([o for o in await olga.sees() if "больше обычного" in o.text.text]) == 1

    await weeks.later(hours=3)  # calm again
    weeks.clock.advance(days=7, hours=-3)
    await _asked(weeks, 30, 200)
    await weeks.later(minutes=6)
    assert len([o for o in await olga.sees() if "больше обычного" in o.text.text]) == 2
    kinds = [e.kind for e in await weeks.store.events(kinds=("topic_rose", "topic_calm"))]
    assert kinds == ["topic_rose", "topic_calm", "topic_rose"]


async def test_its_button_leads_to_an_incident(weeks: TestBot) -> None:
    """Two presses: what customers will read, then it is announced, and who asks about the topic hears it."""
    olga = weeks.operator()
    await olga.says("/queue")
    await _asked(weeks, 14, 100)
    await weeks.later(minutes=6)
    await olga.presses("Объявить сбой")
    shown = (await olga.sees())[-1].text.text
    assert "сначала услышат" in shown and "/incident" in shown
    assert not weeks.service.desk.context.incidents.open
    await olga.presses("Объявить так")
    anna = weeks.customer("Анна", chat="5000")
    await anna.says(QUESTION)

    assert len(weeks.service.desk.context.incidents.open) == 1
    assert "сейчас много обращений" in anna.hears()[0]


async def test_who_knows_of_it_hears_no_more_for_a_day(weeks: TestBot) -> None:
    """The message says who knows; a new rise within a day is recorded and not told."""
    olga = weeks.operator()
    await olga.says("/queue")
    await _asked(weeks, 14, 100)
    await weeks.later(minutes=6)
    await olga.presses("сутки не напоминать")
    assert any("Ольга в курсе" in o.text.text for o in await olga.sees())
    await weeks.later(hours=3)
    await _asked(weeks, 20, 200)
    await weeks.later(minutes=6)

    assert len(await weeks.store.events(kinds=("topic_rose",))) == 2
    assert len([o for o in await olga.sees() if "больше обычного" in o.text.text]) == 1


async def test_a_young_service_and_a_usual_hour_are_silent(testbot: TestBot) -> None:
    """Without weeks to compare with nothing is told, however many come."""
    olga = testbot.operator()
    await olga.says("/queue")
    await _asked(testbot, 20, 0)
    await testbot.later(minutes=6)

    assert not any("обычного" in o.text.text for o in await olga.sees())


def test_eleven_o_clock_stays_eleven_when_the_clocks_are_changed() -> None:
    """Berlin went from summer to winter time on 25 October 2026."""
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 10, 28, 11, 0, tzinfo=zone)
    _, same, _ = past_windows(now, 1, zone)

    assert same[1].astimezone(zone).hour == 11 and same[1] - same[0] == timedelta(hours=1)
    assert (now - same[1]) == timedelta(days=7)  # by the wall; an hour less has passed
    assert now.timestamp() - same[1].timestamp() == 7 * 86400 + 3600
