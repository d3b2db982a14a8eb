"""What the bot itself owes: tried again within a minute, then given to a person or said aloud."""

from __future__ import annotations

from datetime import timedelta

from bot.errors import RetryLater, Uncertain
from bot.outbox import MAX_DOUBTS
from bot.testing import Theatre

LATE = timedelta(seconds=60)


def shown(theatre: Theatre) -> list[str]:
    return [s.outbound.text.text for s in theatre.channels["telegram"].in_chat("-100500")]


async def test_an_answer_in_doubt_to_the_end_brings_a_person(theatre: Theatre) -> None:
    """Each try broke: nobody knows whether the answer arrived, so the customer gets a person within a minute, once."""
    theatre.channels["telegram"].failures.extend([Uncertain("cut")] * MAX_DOUBTS)
    await theatre.customer().says("сколько стоит доставка")
    for _ in range(8):
        await theatre.later(seconds=20)

    store = theatre.house.store
    assert [t.reason for t in await store.tickets()] == ["unanswered"]
    assert any("не смог доставить ответ" in text for text in shown(theatre))
    assert not [o for o in await store.owed(theatre.clock(), LATE) if o.stage == "unanswered"]


async def test_a_turn_whose_worker_was_lost_is_taken_anew(theatre: Theatre) -> None:
    """Somebody holds the conversation and never ends: after two minutes it is decided by another, and the customer has the answer."""
    anna = theatre.customer()
    await anna.says("сколько стоит доставка", run=False)
    theatre.clock.advance(seconds=6)
    assert await theatre.house.store.take_turn(theatre.clock()) is not None
    await theatre.later(seconds=130)

    assert any("350 рублей" in text for text in anna.hears())


async def test_a_send_that_nobody_is_at_goes_again(theatre: Theatre) -> None:
    """The task that sent it is gone: within a minute and a half it goes again, with the doubt on record."""
    anna = theatre.customer()
    await anna.says("сколько стоит доставка", run=False)
    theatre.clock.advance(seconds=6)
    await theatre.house.engine.run_waiting()
    assert await theatre.house.store.take_deliveries(theatre.clock())
    await theatre.later(seconds=80)

    assert any("350 рублей" in text for text in anna.hears())
    assert [d.doubts for d in await theatre.house.store.deliveries() if "350" in d.outbound.text.text] == [1]


async def test_answers_that_do_not_go_out_are_said_aloud_once(theatre: Theatre) -> None:
    """The channel of the customer is out for minutes: the operators hear of it, and not every round."""
    ildar = theatre.customer("Ильдар", channel="vk", chat="2001")
    theatre.channels["vk"].failures.extend([RetryLater("no connection", after=40, counts=False)] * 6)
    await ildar.says("сколько стоит доставка")
    for _ in range(4):
        await theatre.later(seconds=40)
    assert sum("ответы не уходят" in text for text in shown(theatre)) == 1
    for _ in range(6):
        await theatre.later(seconds=40)

    assert any("350 рублей" in s.outbound.text.text for s in theatre.channels["vk"].said)
    assert await theatre.house.store.owed(theatre.clock(), LATE) == ()
