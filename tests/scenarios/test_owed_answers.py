"""What the bot itself owes: tried again within a minute, then given to a person or said aloud."""

from __future__ import annotations

from datetime import timedelta

from bot.errors import RetryLater, Uncertain
from bot.outbox import MAX_DOUBTS
from bot.testing import TestBot

LATE = timedelta(seconds=60)


async def test_an_answer_in_doubt_to_the_end_brings_a_person(testbot: TestBot) -> None:
    """Each try broke: nobody knows whether the answer arrived, so the customer gets a person within a minute,
    once.
    """
    testbot.channels["telegram"].failures.extend([Uncertain("cut")] * MAX_DOUBTS)
    await testbot.customer().says("сколько стоит доставка")
    for _ in range(8):
        await testbot.later(seconds=20)

    store = testbot.service.store
    assert [t.reason for t in await store.tickets()] == ["unanswered"]
    assert any("не смог доставить ответ" in text for text in testbot.desk_texts())
    assert not [o for o in await store.owed(testbot.clock(), LATE) if o.stage == "unanswered"]


async def test_a_turn_whose_worker_was_lost_is_taken_anew(testbot: TestBot) -> None:
    """Somebody holds the conversation and never ends: after two minutes it is decided by another, and the
    customer has the answer.
    """
    anna = testbot.customer()
    await anna.says("сколько стоит доставка", run=False)
    testbot.clock.advance(seconds=6)
    assert await testbot.service.store.take_turn(testbot.clock()) is not None
    await testbot.later(seconds=130)

    assert any("350 рублей" in text for text in anna.hears())


async def test_a_send_that_nobody_is_at_goes_again(testbot: TestBot) -> None:
    """The task that sent it is gone: within a minute and a half it goes again, with the doubt on record."""
    anna = testbot.customer()
    await anna.says("сколько стоит доставка", run=False)
    testbot.clock.advance(seconds=6)
    await testbot.service.engine.run_waiting()
    assert await testbot.service.store.take_deliveries(testbot.clock())
    await testbot.later(seconds=80)

    assert any("350 рублей" in text for text in anna.hears())
    assert [d.doubts for d in await testbot.service.store.deliveries() if "350" in d.outbound.text.text] == [
        1
    ]


async def test_answers_that_do_not_go_out_are_said_aloud_once(testbot: TestBot) -> None:
    """The channel of the customer is out for minutes: the operators hear of it, and not every round."""
    ildar = testbot.customer("Ильдар", channel="vk", chat="2001")
    testbot.channels["vk"].failures.extend([RetryLater("no connection", after=40, counts=False)] * 6)
    await ildar.says("сколько стоит доставка")
    for _ in range(4):
        await testbot.later(seconds=40)
    assert sum("ответы не уходят" in text for text in testbot.desk_texts()) == 1
    for _ in range(6):
        await testbot.later(seconds=40)

    assert any("350 рублей" in s.outbound.text.text for s in testbot.channels["vk"].said)
    assert await testbot.service.store.owed(testbot.clock(), LATE) == ()
