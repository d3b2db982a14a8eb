"""The place a waiting customer is told: their team's queue, by what really comes first, and honest about when
people go home.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

from bot.config.loader import Config
from bot.handoff.queue.queue import Queue
from bot.model import Peer, Ticket, TicketState, WaitingTickets
from bot.testing import TestBot, open_test_bot

SOCIAL = {"name": "social", "channels": ["vk"], "operators": ["telegram:9001"]}
BEFORE_CLOSING = timedelta(hours=7, minutes=58)  # from the test bot's noon to 19:58


def shop(**sections: object) -> Config:
    return Config.model_validate({"hours": {"country": None}, **sections})


def last_told(testbot: TestBot, chat: str, channel: str = "telegram") -> str:
    return testbot.channels[channel].in_chat(chat, kind=None)[-1].outbound.text.text


async def test_the_place_is_counted_in_the_teams_own_queue(articles: Path) -> None:
    """Three wait for anybody; who waits for a team of its own is first there, at the opening and by /status,
    and nothing is edited.
    """
    async with open_test_bot(articles, config=shop(teams=[SOCIAL])) as testbot:
        for n in range(3):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        boris = testbot.customer("Борис", channel="vk", chat="1002")
        await boris.says("позовите оператора")
        assert "Вы первый в очереди" in last_told(testbot, "1002", "vk")
        before = len(testbot.channels["vk"].said)
        await testbot.later(seconds=30)
        assert len(testbot.channels["vk"].said) == before
        await boris.says("/status")
        assert "Вы 1-й в очереди" in last_told(testbot, "1002", "vk")
        await testbot.customer(chat="2003").says("позовите оператора")
        assert "Вы 4-й в очереди" in last_told(testbot, "2003")


def test_a_label_is_no_queue_of_its_own() -> None:
    """A team with neither people nor a group of its own is answered from the common queue; the urgent come
    before the others.
    """
    waiting = (WaitingTickets("", 0, 3), WaitingTickets("label", 0, 2), WaitingTickets("social", 0, 4))
    queue = Queue(line=lambda team: team if team == "social" else "")

    def before(team: str, priority: int = 0) -> int:
        return queue.before_new(
            Ticket(99, 1, Peer("t", "1"), priority=priority, state=TicketState(team=team)), waiting
        )

    assert (before(""), before("label"), before("social"), before("social", 2)) == (5, 5, 4, 0)


async def test_the_thousand_and_first_is_not_told_to_be_first(articles: Path, tmp_path: Path) -> None:
    """However many wait, the place by /status is the true one."""
    file = tmp_path / "bot.db"
    async with open_test_bot(articles, config=shop(), storage=str(file)) as testbot:
        await testbot.customer(chat="2000").says("позовите оператора")
        with sqlite3.connect(file) as db:
            rows = "with recursive n(n) as (select 2 union all select n + 1 from n where n < 1200) "
            db.execute(
                f"insert into conversations(id, channel, chat, private, status, created) {rows}"
                " select 1000 + n, 'telegram', 'x' || n, 1, 'waiting', 0 from n"
            )  # fmt: skip
            db.execute(
                "insert into tickets(number, conversation, channel, chat, thread, status, reason, opened,"
                f" data) {rows} select n, 1000 + n, 'telegram', 'x' || n, '', 'waiting', t.reason, t.opened +"
                " n, t.data from n, tickets t where t.number = 1"
            )
        db.close()
        anna = testbot.customer()
        await anna.says("позовите оператора")
        assert "Вы 1201-й в очереди" in last_told(testbot, "1001")
        await anna.says("/status")
        assert "Вы 1201-й в очереди" in last_told(testbot, "1001")


async def test_who_comes_just_before_closing_hears_the_next_day(articles: Path) -> None:
    """Two minutes before closing: till when people are there, and when they are next."""
    async with open_test_bot(articles, config=shop()) as testbot:
        testbot.clock.advance(seconds=BEFORE_CLOSING.total_seconds())
        await testbot.customer().says("позовите оператора")

        assert "Операторы работают до 20:00; если не успеют, ответят завтра с 10:00" in last_told(
            testbot, "1001"
        )


async def test_a_ticket_taken_after_closing_promises_no_answer_now(articles: Path) -> None:
    """The operator has it; when working time begins is said."""
    async with open_test_bot(articles, config=shop()) as testbot:
        await testbot.customer().says("позовите оператора")
        testbot.clock.advance(hours=9)
        await testbot.operator().says("/take", ticket=1)

        told = last_told(testbot, "1001")
        assert "Ольга" in told and "сейчас ответит" not in told and "завтра в 10:00" in told


async def test_a_night_in_between_is_no_wait(articles: Path) -> None:
    """Three were answered in the morning after an evening; the next hears five minutes, not twelve hours."""
    async with open_test_bot(articles, config=shop()) as testbot:
        testbot.clock.advance(hours=7, minutes=57)
        for n in range(3):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        testbot.clock.advance(hours=14, minutes=4)
        for n in range(3):
            await testbot.operator().says("Здравствуйте", ticket=n + 1)
        await testbot.customer().says("позовите оператора")

        assert "около 5 минут" in last_told(testbot, "1001")
