"""Why something did not arrive, in the operators' words: no platform's raw error reaches them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import DeliveryError, PeerGone, Problem, Refused
from bot.testing import TestBot, open_test_bot

RAW = "VK 100: One of the parameters specified was missing or invalid"


async def notice(testbot: TestBot, error: DeliveryError) -> str:
    """What stands in the desk after an operator's answer failed with *error*."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Смотрю", ticket=1)
    testbot.channels["telegram"].failures.append(error)
    await olga.says("Вот ваш счёт", ticket=1)
    texts = testbot.desk_texts()
    return next(text for text in texts if text.startswith("❗"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("the file is too big for a bot to download", code="file_large"), "слишком большой"),
        (Refused("HTTP 404", code="file_gone"), "Приложите его заново"),
        (Refused("PHOTO_INVALID", code="file_unfit"), "другом формате"),
        (Refused("VK 914: Message is too long", code="too_long"), "Разделите"),
        (Refused("VK 909: too old", code="not_editable"), "Напишите новое"),
        (Refused("VK 15: Access denied", code="rights"), "bot doctor"),
        (PeerGone("Forbidden: bot was blocked by the user"), "нельзя написать"),
        (Refused(RAW), "в журнале"),
        (Refused(RAW, code="a code of a foreign adapter"), "в журнале"),
    ],
)
async def test_the_reason_is_said_in_words(testbot: TestBot, error: DeliveryError, words: str) -> None:
    """Each code has a sentence that says what to do; what has none gets a neutral one."""
    said = await notice(testbot, error)

    assert words in said and "Вот ваш счёт" in said
    assert str(error) not in said


async def test_the_raw_text_stays_on_record(testbot: TestBot) -> None:
    """Who looks for the cause finds what the platform said."""
    await notice(testbot, Refused(RAW))

    (event,) = await testbot.service.store.events(kinds=["delivery_failed"])
    assert event.data["reason"] == RAW


async def test_the_alarm_names_the_right_that_lacks(articles: Path) -> None:
    """A card that did not reach the group: why, and the step that mends it."""
    async with open_test_bot(articles) as testbot:
        channel = testbot.channels["telegram"]
        channel.problems = (Problem("may not write", code="TG016"),)
        await testbot.later(minutes=2)
        channel.failures.extend([None, Refused("not enough rights to send text messages to the chat")])
        await testbot.customer().says("позовите оператора")
        await testbot.later(minutes=3)

        (alarm,) = alarms(testbot)
        assert "Боту запрещено писать в группу" in alarm and "Показываю снова" in alarm


async def test_shown_again_in_vain_is_said(articles: Path) -> None:
    """The second alarm does not promise what failed once: it says so, and what to look at."""
    async with open_test_bot(articles) as testbot:
        channel = testbot.channels["telegram"]
        channel.failures.extend([None, Refused("chat not found")])
        await testbot.customer().says("позовите оператора")
        await testbot.later(minutes=1)  # the board is out
        channel.failures.extend([None, Refused("chat not found")])  # the alarm passes, the card does not
        await testbot.later(minutes=3)
        await testbot.later(minutes=11)

        first, *_, second = alarms(testbot)
        assert "Показываю снова" in first and "снова не дошла" not in first
        assert "снова не дошла" in second and "bot doctor" in second and "Показываю снова" not in second


def alarms(testbot: TestBot) -> list[str]:
    texts = testbot.desk_texts()
    return [text for text in texts if text.startswith("🚨")]
