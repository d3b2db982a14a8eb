"""After closing, where the owner wants it: thanks that never double the question for a rating, and whether
all is well some days later.
"""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer, PlayedOperator


def _config(**aftercare: object) -> Config:
    return Config.model_validate(
        {"aftercare": aftercare, "rating": {"ask": bool(aftercare.pop("rating", False))}}
    )


async def _helped(testbot: TestBot, *last: str) -> tuple[PlayedCustomer, PlayedOperator]:
    """Anna was helped by Olga, said *last*, and the ticket was closed at noon."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Сделали, заказ едет", ticket=1)
    for words in last:
        await anna.says(words)
    await olga.presses("Закрыть", ticket=1)
    anna.listens()
    return anna, olga


async def _kinds(testbot: TestBot) -> list[str]:
    return [
        e.kind for e in await testbot.store.events(kinds=["thanked", "check_in_asked", "check_in_answered"])
    ]


async def test_thanks_and_the_question_for_a_rating_are_one_message(articles: Path) -> None:
    """The same minute, one message."""
    async with open_test_bot(articles, config=_config(thanks=True, rating=True)) as testbot:
        anna, _ = await _helped(testbot, "спасибо")
        await testbot.later(minutes=6)
        [asked] = anna.hears()
        assert "Спасибо" in asked.splitlines()[0] and "Оцените" in asked and await _kinds(testbot) == []


async def test_thanks_alone_where_nobody_is_asked(articles: Path) -> None:
    """Once; and at night they wait for the morning."""
    async with open_test_bot(articles, config=_config(thanks=True)) as testbot:
        anna, _ = await _helped(testbot)
        await testbot.later(minutes=6)
        [thanks] = anna.hears()
        assert "Спасибо" in thanks and await _kinds(testbot) == ["thanked"]
        await testbot.later(days=2)
        assert anna.hears() == [thanks]
    async with open_test_bot(articles, config=_config(thanks=True)) as testbot:
        await testbot.later(hours=10)
        anna, _ = await _helped(testbot)
        await testbot.later(minutes=6)
        assert anna.hears() == []
        await testbot.later(hours=11)
        assert len(anna.hears()) == 1


async def test_who_leaves_angry_or_wants_no_messages_is_not_thanked(articles: Path) -> None:
    """It would mock; the question for a rating is asked all the same."""
    angry = "Отвратительный сервис, вы издеваетесь!!! Это просто позор"
    async with open_test_bot(articles, config=_config(thanks=True)) as testbot:
        anna, _ = await _helped(testbot, angry)
        await testbot.later(minutes=6)
        assert anna.hears() == []
    async with open_test_bot(articles, config=_config(thanks=True, rating=True)) as testbot:
        anna, _ = await _helped(testbot, angry)
        await testbot.later(minutes=6)
        assert ["Спасибо" in text for text in anna.hears()] == [False]


async def test_all_is_well_after_a_week(articles: Path) -> None:
    """Asked once in the hours for it; a yes in words is thanked for, nothing is opened."""
    async with open_test_bot(articles, config=_config(check_in="7d")) as testbot:
        anna, _ = await _helped(testbot)
        await testbot.later(days=6)
        assert anna.hears() == []
        await testbot.later(days=1, minutes=1)
        [asked] = anna.hears()
        assert "Всё ли теперь в порядке" in asked and "№1" in asked
        await anna.says("да")
        assert ("рад" in anna.hears()[-1] or "хорошо" in anna.hears()[-1]) and len(anna.hears()) == 1
        assert await _kinds(testbot) == ["check_in_asked", "check_in_answered"]
        ticket = await testbot.store.ticket(1)
        assert ticket is not None and ticket.status == "closed"


async def test_a_no_opens_the_ticket_again_for_whoever_had_it(articles: Path) -> None:
    """Its operator is told why; a second press opens nothing twice; what they write is carried."""
    async with open_test_bot(articles, config=_config(check_in="7d")) as testbot:
        anna, olga = await _helped(testbot)
        await testbot.later(days=7, minutes=1)
        await anna.presses("Нет, не всё")
        ticket = await testbot.store.ticket(1)
        assert ticket is not None and (ticket.status, ticket.operator) == ("operator", "telegram:9001")
        assert any("всё ли в порядке" in o.text.text for o in await olga.sees(1))
        await anna.presses("Нет, не всё")
        await anna.says("щётка опять не включается")
        assert any("опять не включается" in o.text.text for o in await olga.sees(1))
        assert len(await testbot.store.events(kinds=["ticket_reopened"])) == 1
        assert await testbot.store.check() == ()


async def test_a_no_beside_another_ticket_is_heard_there(articles: Path) -> None:
    """Whoever works on the open ticket learns that the older one is not settled."""
    async with open_test_bot(articles, config=_config(check_in="7d")) as testbot:
        anna, olga = await _helped(testbot)
        await testbot.later(days=7, minutes=1)
        await anna.says("позовите оператора")
        await anna.presses("Нет, не всё")
        assert {t.number: t.status for t in await testbot.store.tickets(open_only=False)} == {
            1: "closed",
            2: "waiting",
        }
        assert any("после обращения №1" in o.text.text for o in await olga.sees(2))
        assert len(await testbot.store.events(kinds=["check_in_answered"])) == 1
        assert "уже открыто" in anna.hears()[-1]


async def test_nobody_is_asked_who_wrote_opted_out_or_waits(articles: Path) -> None:
    """A customer who came back, who wants no messages, or whose ticket was opened again is left alone."""
    for words in ("Сколько идёт доставка?", "отписаться", "позовите оператора"):
        async with open_test_bot(articles, config=_config(check_in="2h")) as testbot:
            anna, _ = await _helped(testbot)
            await anna.says(words)
            anna.listens()
            await testbot.later(hours=3)
            assert await _kinds(testbot) == [], words


async def test_a_check_in_at_night_waits_for_the_morning(articles: Path) -> None:
    """Nobody is woken."""
    async with open_test_bot(articles, config=_config(check_in="10h")) as testbot:
        anna, _ = await _helped(testbot)
        await testbot.later(hours=10, minutes=5)
        assert anna.hears() == []
        await testbot.later(hours=11)
        assert len(anna.hears()) == 1


async def test_a_good_rating_is_no_return_and_a_low_one_is_the_supervisors(articles: Path) -> None:
    """Who gave a five is asked a week later; who gave a one is not."""
    for score, asked in (("5", 1), ("1", 0)):
        async with open_test_bot(articles, config=_config(check_in="7d", rating=True)) as testbot:
            anna, _ = await _helped(testbot)
            await testbot.later(minutes=6)
            await anna.presses(score)
            await testbot.later(days=7)
            assert (await _kinds(testbot)).count("check_in_asked") == asked, score


async def test_nobody_is_written_to_twice_a_day(articles: Path) -> None:
    """Whether all is well, a step of a sequence and the NPS question, all due on one day, keep apart."""
    settings = {
        "aftercare": {"check_in": "7d"},
        "rating": {"ask": False},
        "nps": {"ask": True, "quiet": "7d"},
        "sequences": {"care": {"event": "ticket_closed", "steps": [{"after": "7d", "text": "Всё цело?"}]}},
    }
    async with open_test_bot(articles, config=Config.model_validate(settings)) as testbot:
        anna, _ = await _helped(testbot)
        said: list[tuple[int, str]] = []
        for day in range(1, 13):
            for _ in range(6):
                anna.listens()
                await testbot.later(hours=4)
                said += [(day, text) for text in anna.hears()]
        assert [text.split(",")[0] for _, text in said] == ["Здравствуйте", "Всё цело?"]
        assert said[1][0] - said[0][0] == 1
