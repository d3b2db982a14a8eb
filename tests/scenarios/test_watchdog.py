"""Never stranded: whoever waits with nobody responsible is brought to somebody, loudly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.handoff.sla.watchdog import Watchdog
from bot.model import InboundKind, Outcome, Peer, Result, Status
from bot.testing import TestBot, open_test_bot

DESK = "-100500"


async def test_a_card_that_was_refused_is_shown_again_loudly(testbot: TestBot) -> None:
    """The desk never got the card: the watchdog posts it and says how long the customer has been waiting."""
    anna, olga = testbot.customer(), testbot.operator()
    testbot.channels["telegram"].failures.extend([None, Refused("chat not found")])
    await anna.says("позовите оператора")
    assert testbot.desk_texts() == []
    await testbot.later(minutes=3)

    assert any("позовите оператора" in o.text.text for o in await olga.sees(1))
    assert any("🚨" in text and "№1" in text and "Анна" in text for text in testbot.desk_texts())
    before = len(testbot.desk_texts())
    await testbot.later(minutes=5)
    assert len(testbot.desk_texts()) == before, "once is enough"


async def test_a_conversation_without_a_ticket_gets_one(testbot: TestBot) -> None:
    """A person should be there, the customer spoke last, and no ticket is open."""
    anna = testbot.customer()
    await anna.says("Сколько идёт доставка?")
    store = testbot.service.store
    await anna.says("ау", run=False)
    testbot.clock.advance(seconds=6)
    turn = await store.take_turn(testbot.clock())
    assert turn is not None
    await store.finish_turn(turn, Outcome("test", Result.IGNORED, status=Status.WAITING), testbot.clock())
    await testbot.later(minutes=3)

    tickets = await store.tickets()
    assert [t.reason for t in tickets] == ["stranded"]
    assert any("ау" in text for text in testbot.desk_texts())


async def test_a_conversation_nobody_needs_goes_back_to_the_bot(testbot: TestBot) -> None:
    """The operator spoke last and there is no ticket: the bot answers again."""
    ildar = testbot.customer("Ильдар", channel="vk", chat="2001")
    await ildar.says("Сколько идёт доставка?")
    await ildar.says("отвечу сама", kind=InboundKind.STEPPED_IN)
    store = testbot.service.store
    await testbot.later(minutes=61)

    conversation = await store.conversation(ildar.peer)
    assert conversation is not None and conversation.status is Status.BOT


async def test_who_leaves_the_group_leaves_their_tickets_to_the_others(testbot: TestBot) -> None:
    """The ticket is in the queue again, and the desk is told."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Смотрю", ticket=1)
    left = olga.inbound(
        Peer("telegram", DESK), InboundKind.MEMBER, private=False, data={"user": "9001", "status": "none"}
    )
    await testbot.arrive(left)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")
    assert any("больше не в группе" in text for text in testbot.desk_texts())


async def test_nobody_takes_it_is_said_after_once_twice_and_four_times_the_limit(testbot: TestBot) -> None:
    """15, 30 and 60 minutes: loud, and not a flood."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    said = []
    for minutes in (14, 2, 12, 3, 26, 4):
        await testbot.later(minutes=minutes)
        said.append(sum("⏳" in text for text in testbot.desk_texts()))

    assert said == [0, 1, 1, 2, 2, 3]


async def test_the_bot_put_out_of_the_group_shows_everything_when_it_is_back(testbot: TestBot) -> None:
    """What could not be shown meanwhile is shown then."""
    olga = testbot.operator()
    testbot.channels["telegram"].failures.extend([None, Refused("bot was kicked")])
    await testbot.customer().says("позовите оператора")
    await olga.does(InboundKind.REMOVED)
    assert [e.kind for e in await testbot.service.store.events(kinds=["desk_lost"])] == ["desk_lost"]
    await testbot.arrive(
        olga.inbound(
            Peer("telegram", DESK),
            InboundKind.ADDED,
            private=False,
            data={"before": "kicked", "status": "administrator"},
        )
    )

    assert any("позовите оператора" in o.text.text for o in await olga.sees(1))


async def test_nothing_is_found_where_everything_is_in_order(testbot: TestBot) -> None:
    """No round adds a word to a desk that works."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Смотрю", ticket=1)
    for _ in range(3):
        await testbot.later(minutes=4)

    assert await testbot.service.store.events(kinds=["stranded_found"]) == ()


async def test_time_left_in_another_process_still_comes(articles: Path, tmp_path: Path) -> None:
    """A reminder promised before a restart comes after it, once."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        await testbot.customer().says("позовите оператора")
    async with open_test_bot(articles, storage=file) as testbot:
        await testbot.later(minutes=16)
        await testbot.later(minutes=1)

        assert sum("⏳" in text for text in testbot.desk_texts()) == 1


async def test_a_backlog_is_looked_at_in_portions(testbot: TestBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """One round looks at some of the open tickets, the next one at the following: nobody is left out, also
    behind a thousand others.
    """
    monkeypatch.setattr("bot.handoff.sla.watchdog.PORTION", 2)
    for n in range(5):
        await testbot.customer(chat=str(3000 + n)).says("позовите оператора")
    watchdog, tickets = Watchdog(testbot.service.desk.context), await testbot.service.store.tickets()
    assert [t.number for _ in range(3) for t in watchdog.portion(tickets)] == [1, 2, 3, 4, 5, 1]
