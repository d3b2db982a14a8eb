"""Timers of the desk that come late, after the bot was down: nobody is called out of bed for them."""

from __future__ import annotations

from bot.testing import TestBot


def calls(testbot: TestBot) -> int:
    return len(testbot.desk_texts("⏳ №1"))


async def test_a_reminder_that_was_missed_waits_for_the_morning(testbot: TestBot) -> None:
    """Due at noon, the bot is back at one in the night: said once, after ten."""
    await testbot.customer().says("позовите оператора")
    loud = len([s for s in testbot.channels["telegram"].in_chat("-100500") if not s.outbound.to.thread])
    testbot.clock.advance(hours=13)
    await testbot.later(minutes=1)
    await testbot.later(minutes=20)
    group = [
        s
        for s in testbot.channels["telegram"].in_chat("-100500")
        if not s.outbound.to.thread and s.outbound.name != "board"
    ]
    assert len(group) <= loud and calls(testbot) == 0
    await testbot.later(hours=9)

    assert calls(testbot) == 1


async def test_a_reminder_at_the_last_minute_of_the_day_is_not_put_off(testbot: TestBot) -> None:
    """Due as the desk closes and a moment late: said at once."""
    testbot.clock.advance(hours=7, minutes=44)
    await testbot.customer().says("позовите оператора")
    await testbot.later(minutes=16)

    assert calls(testbot) == 1
