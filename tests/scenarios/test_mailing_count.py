"""What is said of a broadcast at its end: who got it, who did not and why; also over a restart."""

from __future__ import annotations

from pathlib import Path

from bot.errors import PeerGone, Refused, Uncertain
from bot.storage.base import DeliveryStatus
from bot.testing import Theatre, open_theatre
from bot.testing.harness import Customer
from tests.scenarios.test_called import any_theatre, in_desk  # noqa: F401 - a fixture

NEWS = "Новинка: доставка за час!"


async def crowd(theatre: Theatre, count: int) -> list[Customer]:
    """So many customers who asked something."""
    people = [theatre.customer(f"Имя{n}", chat=str(2000 + n)) for n in range(count)]
    for person in people:
        await person.says("как вернуть товар")
    return people


def ends(theatre: Theatre) -> list[str]:
    """What the desk heard of broadcasts that are over."""
    return [o.text.text for o in in_desk(theatre) if "Рассылка" in o.text.text and "закончена" in o.text.text]


async def start(theatre: Theatre, count: int, *failures: Exception | None) -> None:
    """A broadcast to so many; the first messages of it meet these failures."""
    olga = theatre.operator()
    await olga.says(f"/broadcast {NEWS}")
    await olga.presses(f"Отправить: {count}", run=False)
    theatre.clock.advance(seconds=6)
    while not theatre.channels["telegram"].failures:
        await theatre.house.outbox.run_waiting()  # the desk has heard that it goes
        if not await theatre.house.store.fire_timers(theatre.clock()):
            await theatre.house.engine.run_waiting()
            if await rows(theatre, "pending"):
                theatre.channels["telegram"].failures.extend(failures)
    await theatre.rest()


async def rows(theatre: Theatre, status: DeliveryStatus) -> int:
    """How many messages of the newest broadcast are in this state."""
    found = await theatre.house.store.deliveries(status=(status,), name="mailing:b" + await number(theatre))
    return len(found)


async def number(theatre: Theatre) -> str:
    """The number of the newest broadcast."""
    events = await theatre.house.store.events(kinds=("broadcast_started",))
    return str(events[-1].data["number"])[1:] if events else ""


async def test_the_end_counts_what_arrived(any_theatre: Theatre) -> None:  # noqa: F811
    """Not what was put in the queue: who blocked the bot and what was refused is said apart."""
    await crowd(any_theatre, 12)
    await start(any_theatre, 12, PeerGone("blocked"), None, PeerGone("blocked"), Refused("bad"))
    for _ in range(4):
        await any_theatre.later(minutes=2)

    (told,) = ends(any_theatre)
    assert "доставлено 9 из 12" in told
    assert "Заблокировали бота: 2" in told and "Не удалось доставить: 1" in told
    (done,) = await any_theatre.house.store.events(kinds=("mailing_done",))
    assert (done.data["said"], done.data["blocked"], done.data["failed"], done.data["doubtful"]) == (9, 2, 1, 0)


async def test_nobody_waits_for_one_who_is_in_talks(any_theatre: Theatre) -> None:  # noqa: F811
    """The end is told at once; he gets it when his talk is over."""
    people = await crowd(any_theatre, 3)
    await people[1].says("позовите оператора")
    await start(any_theatre, 3, None)
    await any_theatre.later(minutes=2)

    (told,) = ends(any_theatre)
    assert "доставлено 2 из 3" in told and "Говорят с оператором: 1" in told
    await people[1].presses("Отменить")
    await any_theatre.later(minutes=40)
    await any_theatre.later(minutes=2)

    assert any(s.outbound.text.text == NEWS for s in any_theatre.channels["telegram"].in_chat("2001"))
    assert len(ends(any_theatre)) == 2 and "доставлено 3 из 3" in ends(any_theatre)[-1]


async def test_the_end_is_told_after_a_restart(articles: Path, tmp_path: Path) -> None:
    """Killed in the middle, one message in doubt: counted as what it is."""
    storage = str(tmp_path / "bot.db")
    async with open_theatre(articles, storage=storage) as theatre:
        await crowd(theatre, 20)
        olga = theatre.operator()
        await olga.says(f"/broadcast {NEWS}")
        await olga.presses("Отправить: 20", run=False)
        theatre.clock.advance(seconds=1)
        await theatre.house.engine.run_waiting()
        await theatre.house.store.fire_timers(theatre.clock())
        await theatre.house.engine.run_waiting()
        await theatre.house.store.take_deliveries(theatre.clock(), limit=3)  # and the power goes
        at = theatre.clock()
    async with open_theatre(articles, storage=storage) as theatre:
        theatre.clock.advance(seconds=(at - theatre.clock()).total_seconds())
        await theatre.house.store.recover(theatre.clock())
        for _ in range(5):
            await theatre.later(minutes=1)
        doubts = await rows(theatre, "unknown")

        (told,) = ends(theatre)
        assert f"доставлено {20 - doubts} из 20" in told
        assert doubts == 0 or f"Неизвестно, дошло ли: {doubts}" in told


async def test_a_doubt_is_no_delivery(theatre: Theatre) -> None:
    """What may have arrived is not sent again, and said as what it is."""
    await crowd(theatre, 4)
    await start(theatre, 4, Uncertain("cut"))
    for _ in range(3):
        await theatre.later(minutes=2)

    (told,) = ends(theatre)
    assert "доставлено 3 из 4" in told and "Неизвестно, дошло ли: 1" in told
