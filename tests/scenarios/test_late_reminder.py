"""Timers of the desk that come late, after the bot was down: nobody is called out of bed for them."""

from __future__ import annotations

from bot.testing import Theatre


def calls(theatre: Theatre) -> int:
    return sum("⏳ №1" in s.outbound.text.text for s in theatre.channels["telegram"].in_chat("-100500"))


async def test_a_reminder_that_was_missed_waits_for_the_morning(theatre: Theatre) -> None:
    """Due at noon, the bot is back at one in the night: said once, after ten."""
    await theatre.customer().says("позовите оператора")
    loud = len([s for s in theatre.channels["telegram"].in_chat("-100500") if not s.outbound.to.thread])
    theatre.clock.advance(hours=13)
    await theatre.later(minutes=1)
    await theatre.later(minutes=20)
    group = [s for s in theatre.channels["telegram"].in_chat("-100500") if not s.outbound.to.thread and s.outbound.name != "board"]
    assert len(group) <= loud and calls(theatre) == 0
    await theatre.later(hours=9)

    assert calls(theatre) == 1


async def test_a_reminder_at_the_last_minute_of_the_day_is_not_put_off(theatre: Theatre) -> None:
    """Due as the doors close and a moment late: said at once."""
    theatre.clock.advance(hours=7, minutes=44)
    await theatre.customer().says("позовите оператора")
    await theatre.later(minutes=16)

    assert calls(theatre) == 1
