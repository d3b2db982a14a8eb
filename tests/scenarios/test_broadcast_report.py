"""What is said of a broadcast at its end: who got it, who did not and why; also over a restart."""

from __future__ import annotations

from pathlib import Path

from bot.errors import PeerGone, Refused, Uncertain
from bot.storage.base import DeliveryStatus
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer

NEWS = "Новинка: доставка за час!"


async def crowd(testbot: TestBot, count: int) -> list[PlayedCustomer]:
    """So many customers who asked something."""
    people = [testbot.customer(f"Имя{n}", chat=str(2000 + n)) for n in range(count)]
    for person in people:
        await person.says("как вернуть товар")
    return people


def ends(testbot: TestBot) -> list[str]:
    """What the desk heard of broadcasts that are over."""
    return [
        o.text.text for o in testbot.desk_posts() if "Рассылка" in o.text.text and "закончена" in o.text.text
    ]


async def start(testbot: TestBot, count: int, *failures: Exception | None) -> None:
    """A broadcast to so many; the first messages of it meet these failures."""
    olga = testbot.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses(f"Отправить: {count}", run=False)
    testbot.clock.advance(seconds=6)
    while not testbot.channels["telegram"].failures:
        await testbot.service.outbox.run_waiting()  # the desk has heard that it goes
        if not await testbot.service.store.fire_timers(testbot.clock()):
            await testbot.service.engine.run_waiting()
            if await rows(testbot, "pending"):
                testbot.channels["telegram"].failures.extend(failures)
    await testbot.rest()


async def rows(testbot: TestBot, status: DeliveryStatus) -> int:
    """How many messages of the newest broadcast are in this state."""
    found = await testbot.service.store.deliveries(status=(status,), name="mailing:b" + await number(testbot))
    return len(found)


async def number(testbot: TestBot) -> str:
    """The number of the newest broadcast."""
    events = await testbot.service.store.events(kinds=("broadcast_started",))
    return str(events[-1].data["number"])[1:] if events else ""


async def test_the_end_counts_what_arrived(any_testbot: TestBot) -> None:
    """Not what was put in the queue: who blocked the bot and what was refused is said apart."""
    await crowd(any_testbot, 12)
    await start(any_testbot, 12, PeerGone("blocked"), None, PeerGone("blocked"), Refused("bad"))
    for _ in range(4):
        await any_testbot.later(minutes=2)

    (told,) = ends(any_testbot)
    assert "доставлено 9 из 12" in told
    assert "Заблокировали бота: 2" in told and "Не удалось доставить: 1" in told
    (done,) = await any_testbot.service.store.events(kinds=("mailing_done",))
    assert (done.data["said"], done.data["blocked"], done.data["failed"], done.data["doubtful"]) == (
        9,
        2,
        1,
        0,
    )


async def test_nobody_waits_for_one_who_is_in_talks(any_testbot: TestBot) -> None:
    """The end is told at once; they get it when their talk is over."""
    people = await crowd(any_testbot, 3)
    await people[1].says("позовите оператора")
    await start(any_testbot, 3, None)
    await any_testbot.later(minutes=2)

    (told,) = ends(any_testbot)
    assert "доставлено 2 из 3" in told and "Говорят с оператором: 1" in told
    await people[1].presses("Отменить")
    await any_testbot.later(minutes=40)
    await any_testbot.later(minutes=2)

    assert any(s.outbound.text.text == NEWS for s in any_testbot.channels["telegram"].in_chat("2001"))
    assert len(ends(any_testbot)) == 2 and "доставлено 3 из 3" in ends(any_testbot)[-1]


async def test_the_end_is_told_after_a_restart(articles: Path, tmp_path: Path) -> None:
    """Killed in the middle, one message in doubt: counted as what it is."""
    storage = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=storage) as testbot:
        await crowd(testbot, 20)
        olga = testbot.operator()
        await olga.says(f"/broadcast {NEWS}")
        await olga.presses("Отправить: 20", run=False)
        testbot.clock.advance(seconds=1)
        await testbot.service.engine.run_waiting()
        await testbot.service.store.fire_timers(testbot.clock())
        await testbot.service.engine.run_waiting()
        await testbot.service.store.take_deliveries(testbot.clock(), limit=3)  # and the power goes
        at = testbot.clock()
    async with open_test_bot(articles, storage=storage) as testbot:
        testbot.clock.advance(seconds=(at - testbot.clock()).total_seconds())
        await testbot.service.store.recover(testbot.clock())
        for _ in range(5):
            await testbot.later(minutes=1)
        doubts = await rows(testbot, "unknown")

        (told,) = ends(testbot)
        assert f"доставлено {20 - doubts} из 20" in told
        assert doubts == 0 or f"Неизвестно, дошло ли: {doubts}" in told


async def test_a_doubt_is_no_delivery(testbot: TestBot) -> None:
    """What may have arrived is not sent again, and said as what it is."""
    await crowd(testbot, 4)
    await start(testbot, 4, Uncertain("cut"))
    for _ in range(3):
        await testbot.later(minutes=2)

    (told,) = ends(testbot)
    assert "доставлено 3 из 4" in told and "Неизвестно, дошло ли: 1" in told
