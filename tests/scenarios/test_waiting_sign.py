"""Who waits and writes on is heard: one short sign for a burst, with the honest place or hour, on every
channel.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.handoff.queue.acknowledgement import PAUSE
from bot.model import Attachment, InboundKind, Media
from bot.testing import TestBot

VOICE, PHOTO = (
    Attachment(Media.VOICE, ref="v1", channel="telegram"),
    Attachment(Media.PHOTO, ref="p1", channel="telegram"),
)


def signs(heard: list[str], lang: str = "ru") -> list[str]:
    return [text for text in heard if {"ru": "Добавил к обращению", "en": "Added to request"}[lang] in text]


@pytest.mark.parametrize("channel", ["telegram", "vk"])
@pytest.mark.parametrize(
    "sent", [{"attachments": (PHOTO,)}, {"attachments": (VOICE,)}, {"text": "заказ был красного цвета"}]
)
async def test_what_is_sent_while_waiting_gets_one_sign(
    testbot: TestBot, channel: str, sent: dict[str, Any]
) -> None:
    """Also seconds after the bot's own words: silence looks like loss."""
    anna = testbot.customer(channel=channel)
    await anna.says("позовите оператора")
    await anna.says(sent.get("text", ""), attachments=sent.get("attachments", ()))

    assert len(signs(anna.hears())) == 1 and "№1" in anna.hears()[-1] and "1-й в очереди" in anna.hears()[-1]


async def test_a_burst_has_one_sign(testbot: TestBot) -> None:
    """What follows within a minute is carried quietly; after a rest the next burst is heard again."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    start = len(testbot.channels["telegram"].said)
    await anna.says("заказ был красного цвета", "а пришёл синий", "и без коробки")
    for word in ("ещё царапина сбоку", "и ручка отпала", "кажется, это всё"):
        await testbot.later(seconds=20)
        await anna.says(word)
    anna.listens(start)
    assert len(signs(anna.hears())) == 1
    shown = "\n".join(o.text.text for o in await olga.sees(1))
    assert all(w in shown for w in ("красного", "синий", "коробки", "царапина", "ручка", "всё"))

    testbot.clock.advance(seconds=PAUSE.total_seconds())
    await anna.says("вот ещё номер партии")
    assert len(signs(anna.hears())) == 1


async def test_a_clock_set_back_silences_nobody(testbot: TestBot) -> None:
    """The last sign seems to lie ahead: the customer hears the next one all the same."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    await anna.says("заказ был красного цвета")
    testbot.clock.advance(hours=-3)
    await anna.says("а пришёл синий")

    assert len(signs(anna.hears())) == 1


async def test_the_sign_names_the_place_as_it_is(testbot: TestBot) -> None:
    """Those who asked later are not counted before them, whatever stands in the queue behind."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    for n in range(4):
        await testbot.customer("Пётр", chat=f"20{n}").says("позовите оператора")
    await anna.says("заказ был красного цвета")

    assert ["1-й в очереди" in text for text in signs(anna.hears())] == [True]


async def test_at_night_the_sign_names_the_hour(testbot: TestBot) -> None:
    """Nobody is at work: when they will answer, in the customer's language."""
    testbot.clock.advance(hours=12)  # midnight in Moscow
    ann = testbot.customer("Ann", language="en")
    await ann.says("I want to talk to a human")
    await ann.says("", attachments=(PHOTO,))

    assert ["10:00" in text for text in signs(ann.hears(), "en")] == [True]


async def test_a_ticket_that_was_taken_is_quiet(testbot: TestBot) -> None:
    """An operator has the ticket: the bot keeps out of the talk."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await anna.says("", attachments=(VOICE,))

    assert anna.hears() == []


async def test_no_sign_for_a_customer_who_left(testbot: TestBot) -> None:
    """Blocking the bot is no message."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    await anna.says("", kind=InboundKind.BLOCKED)

    assert signs(anna.hears()) == []
