"""What operators, groups and incidents are is the store's: a start does not read history, and what another
process committed is known before the next decision.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import Problem, Refused
from bot.model import Event, Incident, Outbound, Peer, RichText
from bot.testing import OperatorsGroup, TestBot, open_test_bot

VERA: Mapping[str, object] = {"name": "Вера", "last_name": "", "username": "", "chat": "-100500"}


async def elsewhere(testbot: TestBot, *events: Event) -> None:
    """Another process of the service committed these: nobody here is told of it."""
    await testbot.store.enqueue((), testbot.clock(), events=events)


async def test_an_operator_met_by_another_process_can_be_given_a_ticket(testbot: TestBot) -> None:
    """The turn that names them was taken after they were met, wherever that was."""
    olga, anna = testbot.operator(), testbot.customer()
    await anna.says("Когда привезут заказ в Казань?")
    await anna.presses("Позвать оператора")
    await olga.says("Слушаю", ticket=1)
    await elsewhere(testbot, Event("operator_met", actor="telegram:9002", data=VERA))
    await olga.says("/transfer Вера", ticket=1)
    ticket = await testbot.store.ticket(1)

    assert ticket is not None and (ticket.operator, ticket.operator_name) == ("telegram:9002", "Вера")


async def test_who_was_put_out_elsewhere_acts_no_more(testbot: TestBot) -> None:
    """Another process heard that an operator left the group: from their next press on, here too."""
    olga, anna = testbot.operator(), testbot.customer()
    await anna.says("позовите оператора")
    await olga.says("на месте")
    await elsewhere(testbot, Event("operator_left", actor=f"telegram:{olga.sender.id}"))
    testbot.channels["telegram"].members[olga.sender.id] = "none"
    await olga.presses("Взять")
    ticket = await testbot.store.ticket(1)

    assert ticket is not None and (ticket.operator, ticket.status) == ("", "waiting")


async def test_an_incident_set_by_another_process_is_heard(testbot: TestBot) -> None:
    """The first customer who asks hears of it."""
    await elsewhere(testbot, Incident(1, "Сбой доставки в Казани", ("казань",)).event())
    anna = testbot.customer()
    await anna.says("Когда привезут заказ в Казань?")

    assert any("Сбой доставки в Казани" in text for text in anna.hears())


async def test_a_round_sees_what_another_process_changed(testbot: TestBot) -> None:
    """Also without any turn: the groups and the board follow within a round."""
    await elsewhere(testbot, Event("operator_met", actor="telegram:9002", data=VERA))
    assert not testbot.service.desk.context.roster.members()
    await testbot.service.rounds.go(testbot.clock())

    assert [m.name for m in testbot.service.desk.context.roster.members()] == ["Вера"]


SOCIAL = {"name": "social", "desk": {"channel": "telegram", "chat": "-200"}, "channels": ["vk"]}


async def test_a_failure_is_told_in_the_group_of_the_ticket(articles: Path, tmp_path: Path) -> None:
    """Also by a process that sends and never decided about that ticket."""
    file, config = str(tmp_path / "bot.db"), Config.model_validate({"teams": [SOCIAL]})
    async with open_test_bot(articles, config=config, storage=file) as testbot:
        await testbot.customer(channel="vk", chat="7").says("позовите оператора")
    async with open_test_bot(articles, config=config, storage=file) as testbot:
        testbot.channels["vk"].failures.append(Refused("VK 914: Message is too long", code="too_long"))
        answer = Outbound(Peer("vk", "7"), RichText("Вот ваш счёт"), ticket=1, author="operator")
        await testbot.store.enqueue((answer,), testbot.clock())
        await testbot.rest()

        told = [
            s.outbound for s in testbot.channels["telegram"].said if "Вот ваш счёт" in s.outbound.text.text
        ]
        assert [o.to.chat for o in told] == ["-200"]


async def test_topics_switched_on_are_seen_by_whoever_looks_next(articles: Path, tmp_path: Path) -> None:
    """How a calm group was is known to every process, so that the change is said once."""
    file, said = str(tmp_path / "bot.db"), []
    for minutes, forum in ((2, False), (4, True), (6, True)):
        async with open_test_bot(articles, desk=OperatorsGroup(forum=forum), storage=file) as testbot:
            await testbot.later(minutes=minutes)
            said.append(sum("Темы включены" in text for text in testbot.desk_texts()))

    assert said == [0, 1, 0]


async def test_a_refusal_met_by_another_process_is_looked_into(testbot: TestBot) -> None:
    """The process that sends is not the one that goes the rounds: in the next one the group is looked at."""
    await testbot.later(seconds=2)
    testbot.channels["telegram"].problems = (Problem("no right to manage topics", code="TG013"),)
    await testbot.later(seconds=2)
    before = len(testbot.desk_texts())
    refused = {"channel": testbot.place.channel, "chat": testbot.place.chat, "why": "not enough rights"}
    await elsewhere(testbot, Event("desk_refused", testbot.clock(), data=refused))
    await testbot.later(seconds=2)

    assert before == 0
    assert any("Управление темами" in text for text in testbot.desk_texts())


async def test_a_start_asks_for_no_events(articles: Path, tmp_path: Path) -> None:
    """Events are history for the reports; emptied, they take no operator, group or incident away."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        olga = testbot.operator()
        await olga.says("/incident Сбой доставки в Казани | казань")
        await testbot.customer().says("Когда привезут заказ в Казань?")
    with sqlite3.connect(file) as db:
        db.execute("delete from events")
    db.close()
    async with open_test_bot(articles, storage=file) as testbot:
        desk = testbot.service.desk.context
        assert [m.name for m in desk.roster.members()] == ["Ольга"]
        assert [i.number for i in desk.incidents.open] == [1] and desk.incidents.met(1) == 1


async def test_a_forgotten_customer_takes_no_operator_with_them(articles: Path, tmp_path: Path) -> None:
    """Who was met in the ticket of a customer keeps their name over a restart."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        olga, anna = testbot.operator(), testbot.customer()
        await anna.says("Когда привезут заказ в Казань?")
        await anna.presses("Позвать оператора")
        await olga.says("Слушаю", ticket=1)
        assert await testbot.store.forget_customer(1, testbot.clock())
    async with open_test_bot(articles, storage=file) as testbot:
        assert [m.name for m in testbot.service.desk.context.roster.members()] == ["Ольга"]


@pytest.mark.parametrize("password", ["another long password", ""])
async def test_sessions_outlive_a_restart_and_end_with_the_password(
    articles: Path, tmp_path: Path, password: str
) -> None:
    """The page's sessions are signed alike by every start and process, until the password is another one."""
    signed = []
    for word in ("a long password", "a long password", password):
        config = Config.model_validate({"web": {"password": word or None}})
        async with open_test_bot(articles, config=config, storage=str(tmp_path / "bot.db")) as testbot:
            signed.append(testbot.service.secret)

    assert signed[0] == signed[1] != signed[2]
