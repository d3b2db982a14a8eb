"""Who gets a ticket, in which order, and what a waiting customer is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.config.loader import Config, read_config
from bot.errors import ConfigError
from bot.handoff.queue.queue import changed_much
from bot.handoff.sla.hours import Hours
from bot.handoff.sla.time_parsing import ParsedTime, TimeFault, read_moment
from bot.model import OutboundKind
from bot.testing import TestBot, open_test_bot

DESK = "-100500"
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))


def config(**sections: Any) -> Config:
    return Config.model_validate(sections)


async def owners(testbot: TestBot) -> list[str]:
    return [
        t.operator.removeprefix("telegram:")
        for t in sorted(await testbot.service.store.tickets(), key=lambda t: t.number)
    ]


async def test_round_robin_gives_to_everybody_in_turn(articles: Path) -> None:
    """Three operators, six tickets: two each; one who is away gets none."""
    async with open_test_bot(articles, config=config(routing={"assign": "round_robin"})) as testbot:
        people = [
            testbot.operator(name, id=id) for name, id in (("Ольга", "1"), ("Павел", "2"), ("Рита", "3"))
        ]
        for person in people:
            await person.says("на месте")
        for n in range(6):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        assert sorted(await owners(testbot)) == ["1", "1", "2", "2", "3", "3"]
        await people[0].says("/away")
        for n in range(2):
            await testbot.customer(chat=str(3000 + n)).says("позовите оператора")

        assert sorted((await owners(testbot))[6:]) == ["2", "3"]


async def test_least_loaded_keeps_the_limit(articles: Path) -> None:
    """Nobody is given more than the limit; what is left waits for everybody."""
    async with open_test_bot(
        articles, config=config(routing={"assign": "least_loaded", "limit": 2})
    ) as testbot:
        for name, id in (("Ольга", "1"), ("Павел", "2")):
            await testbot.operator(name, id=id).says("на месте")
        for n in range(5):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")

        assert sorted(await owners(testbot)) == ["", "1", "1", "2", "2"]


async def test_a_team_gets_what_it_answers_for(articles: Path) -> None:
    """By channel here; the rest goes to the desk of all."""
    async with open_test_bot(
        articles,
        config=config(
            teams=[{"name": "social", "desk": {"channel": "telegram", "chat": "-200"}, "channels": ["vk"]}]
        ),
    ) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.customer("Ильдар", channel="vk", chat="7").says("позовите оператора")

        said = {
            chat: " ".join(s.outbound.text.text for s in testbot.channels["telegram"].in_chat(chat))
            for chat in (DESK, "-200")
        }
        assert "№1" in said[DESK] and "№2" not in said[DESK]
        assert "№2" in said["-200"] and "№1" not in said["-200"]


async def test_a_full_team_overflows_to_the_desk_of_all(articles: Path) -> None:
    """With two waiting there the third comes here, and says why."""
    team = {
        "name": "social",
        "desk": {"channel": "telegram", "chat": "-200"},
        "channels": ["vk"],
        "overflow": 2,
    }
    async with open_test_bot(articles, config=config(teams=[team])) as testbot:
        for n in range(3):
            await testbot.customer("Ильдар", channel="vk", chat=str(n)).says("позовите оператора")

        here = testbot.desk_texts()
        assert any("№3" in text for text in here) and any("длинная очередь" in text for text in here)
        assert not any("№1" in text for text in here)


async def test_urgent_ones_go_first(articles: Path) -> None:
    """Keywords and what is known of the customer raise the priority; the queue and the place follow."""
    rules = [{"words": ["суд", "прокурат"], "add": 2}, {"fields": {"vip": "yes"}, "add": 3}]
    async with open_test_bot(articles, config=config(routing={"priority": rules})) as testbot:
        await testbot.customer().says("позовите оператора")
        boris = testbot.customer("Борис", chat="1002")
        await boris.says("позовите оператора, подаю в суд")
        await boris.says("/status")
        assert any("1-й в очереди" in text for text in boris.hears())
        olga = testbot.operator()
        await olga.says("/queue")

        shown = (await olga.sees())[-1].text.text
        assert shown.index("№2") < shown.index("№1")


async def test_the_place_is_put_right_when_it_changed_much(testbot: TestBot) -> None:
    """Fourth in the queue becomes second: the message that told the place is edited, nobody is woken."""
    crowd = [testbot.customer(chat=str(2000 + n)) for n in range(4)]
    for customer in crowd:
        await customer.says("позовите оператора")
    await testbot.later(seconds=1)
    olga = testbot.operator()
    for n in (1, 2):
        await olga.says("/close", ticket=n)
    await testbot.later(seconds=30)

    edits = [s.outbound for s in testbot.channels["telegram"].in_chat("2003", kind=OutboundKind.EDIT)]
    assert len(edits) == 1 and "2-й в очереди" in edits[0].text.text


async def test_the_new_place_comes_with_the_usual_wait(testbot: TestBot) -> None:
    """Once it is known how long people wait, the changed place says it, too."""
    olga = testbot.operator()
    for n in range(4):
        await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        testbot.clock.advance(minutes=3)
        await olga.says("Здравствуйте", ticket=n + 1)
        await olga.says("/close", ticket=n + 1)
    for n in range(4):
        await testbot.customer(chat=str(3000 + n)).says("позовите оператора")
    for n in (5, 6):
        await olga.says("/close", ticket=n)
    await testbot.later(seconds=30)

    edit = testbot.channels["telegram"].in_chat("3003", kind=OutboundKind.EDIT)[-1].outbound
    assert "2-й в очереди, обычно отвечают около 5 минут" in edit.text.text


async def test_who_was_passed_on_the_way_in_hears_their_real_place(articles: Path) -> None:
    """An urgent one is told at once that they are first, and nothing else afterwards."""
    async with open_test_bot(
        articles, config=config(routing={"priority": [{"words": ["суд"], "add": 2}]})
    ) as testbot:
        for n in range(3):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        boris = testbot.customer("Борис", chat="1002")
        await boris.says("позовите оператора, подаю в суд")
        await testbot.later(seconds=30)

        told = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1002", kind=None)]
        assert len(told) == 1 and "первый в очереди" in told[0]


async def test_details_and_status(testbot: TestBot) -> None:
    """«Дополнить» invites, what follows is carried; /status without a ticket says that there is none."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("/status")
    assert any("обращений у вас нет" in text for text in anna.hears())
    await anna.says("позовите оператора")
    await anna.presses("Дополнить")
    assert any("подробности" in text for text in anna.hears())
    await anna.says("заказ 48213")

    assert any(o.text.text == "заказ 48213" for o in await olga.sees(1))


async def test_the_topic_comes_from_the_answer_that_did_not_help(testbot: TestBot) -> None:
    """What the bot answered last names the ticket's topic."""
    anna = testbot.customer()
    await anna.says("Сколько идёт доставка?")
    await anna.says("позовите оператора")

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.topic == "Сроки доставки"


@pytest.mark.parametrize(
    ("text", "hours", "rest"),
    [
        ("2h", 2, ""),
        ("30 мин", 0.5, ""),
        ("через 3 часа", 3, ""),
        ("завтра 10:00", 22, ""),
        ("завтра", 22, ""),
        ("завтра до обеда уточню на складе", 25, "уточню на складе"),
        ("18:30", 6.5, ""),
        ("9:00", 21, ""),
        ("пн", 70, ""),
        ("в субботу в 12:00", 24, ""),
        ("25.11 14:00, позвоню", 122, "позвоню"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, hours: float, rest: str) -> None:
    """From a Friday noon on."""
    assert read_moment(text, FRIDAY, Hours()) == ParsedTime(FRIDAY + timedelta(hours=hours), rest)


@pytest.mark.parametrize("text", ["", "вчера", "сегодня 9:00", "когда-нибудь", "31.02", "25:70", "900d"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    """Past, impossible, or too far."""
    assert isinstance(read_moment(text, FRIDAY, Hours()), TimeFault)


def test_when_a_place_changed_much() -> None:
    """First at last, half as far, three places; one step alone is no news."""
    assert [changed_much(*pair) for pair in ((2, 1), (4, 2), (9, 6), (5, 4), (3, 3), (2, 5))] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]


STRANDING = {
    "teams: [{name: a, desk: {channel: vk, chat: '5'}}]": "а общей нет",
    "sla: {escalate_to: nobody}": "команды «nobody» нет",
    "hours: {week: {}}": "никто никогда не ответит",
    "sla: {policies: [{first_reply: 3h, resolution: 1h}]}": "позже, чем решение всего вопроса",
    "teams: [{name: a}, {name: a}]": "встречается дважды",
}


@pytest.mark.parametrize("text", STRANDING)
def test_a_config_that_could_strand_a_customer_is_refused(tmp_path: Path, text: str) -> None:
    """Said at start, with the line and the reason."""
    file = tmp_path / "config.yaml"
    file.write_text("channels: {vk: {type: vk, group_id: 1}}\n" + text + "\n", "utf-8")
    with pytest.raises(ConfigError) as refused:
        read_config(file, environment={})

    assert STRANDING[text] in str(refused.value)


async def test_a_silent_assignee_is_passed_over(articles: Path) -> None:
    """Who was given a ticket and kept silent is not given it again at once."""
    async with open_test_bot(
        articles, config=config(routing={"assign": "least_loaded", "silent_operator": "20m"})
    ) as testbot:
        for name, id in (("Ольга", "1"), ("Павел", "2")):
            await testbot.operator(name, id=id).says("на месте")
        await testbot.customer().says("позовите оператора")
        first = (await owners(testbot))[0]
        await testbot.later(minutes=21)

        assert (await owners(testbot))[0] not in ("", first)


async def test_when_the_desk_of_all_is_lost_another_group_gets_its_tickets(articles: Path) -> None:
    """The bot is put out of the main group: what waited there comes to the team's, loudly; the supervisor
    hears of it themselves.
    """
    from bot.model import InboundKind, Peer

    settings = config(
        teams=[{"name": "social", "desk": {"channel": "telegram", "chat": "-200"}, "channels": ["vk"]}],
        routing={"supervisors": ["telegram:9009"]},
    )
    async with open_test_bot(articles, config=settings) as testbot:
        await testbot.customer().says("позовите оператора")
        olga = testbot.operator()
        await testbot.arrive(olga.inbound(Peer("telegram", DESK), InboundKind.REMOVED, private=False))
        await testbot.later(minutes=3)

        there = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("-200")]
        assert any("позовите оператора" in text for text in there) and any("🚨" in text for text in there)
        assert any("🚨" in s.outbound.text.text for s in testbot.channels["telegram"].in_chat("9009"))
