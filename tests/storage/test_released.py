"""A database of every released schema, with a life in it, is taken over by this version.

`released/NAME.sql` is a dump written by the version that released step NAME: one customer with an open ticket
and a message nobody has decided on, one with a closed and rated ticket. A new step adds a file here; old
files stay as they are.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.model import RichText, Span, Style
from bot.storage.migrations import STEPS
from bot.testing import open_test_bot

RELEASED = sorted(Path(__file__).with_name("released").glob("*.sql"))


def test_each_released_step_has_its_database() -> None:
    """Whoever adds a step adds what it looked like when it was new."""
    assert [f.stem for f in RELEASED] == sorted(STEPS)


# What the service told itself before this version: a supervisor's order as a timer, and a request of
# another system that nobody has decided on.
WAITING = """
insert into timers(key, conversation, kind, due, data, created) values('order:1:9', 1, 'desk.order',
  1795165632000,
  '{"command":"priority","value":"2","by":"900","name":"Ольга","to":["telegram","-100500",""]}',
  1795165632000);
insert into inbox(channel, key, conversation, kind, at, received, ready, limit_at, payload) values('vk',
  'api:crm:k1', 3, 'timer', 1795165632000, 1795165632000, 1795165632000, 1795165632000,
  '{"key":"api:crm:k1","peer":{"channel":"vk","chat":"77"},"sender":{"id":"","name":"crm"},
    "at":"2026-11-20T08:27:12+00:00","kind":"timer","text":"api.say",
    "data":{"text":"Заказ **собран**","markdown":true}}');
update conversations set ready_at = 1795165632000, ready_max = 1795165632000, limit_at = 1795165632000
  where id = 3;
"""


@pytest.mark.parametrize("dump", RELEASED, ids=lambda f: f.stem)
async def test_what_an_old_version_told_itself_is_decided(dump: Path, articles: Path, tmp_path: Path) -> None:
    """A timer and a request that still wait in a database of then are carried out by this version."""
    file = tmp_path / "bot.db"
    with sqlite3.connect(file) as db:
        db.executescript(dump.read_text("utf-8"))
        db.executescript(WAITING)
    db.close()

    async with open_test_bot(articles, storage=str(file)) as testbot:
        for _ in range(100):
            testbot.key()
        await testbot.later(minutes=20)

        ticket = await testbot.service.store.ticket(1)
        assert ticket is not None and ticket.priority == 2
        heard = [s.outbound.text for s in testbot.channels["vk"].in_chat("77")]
        assert RichText("Заказ собран", (Span(Style.BOLD, 6, 6),)) in heard
        assert await testbot.service.store.check() == ()


@pytest.mark.parametrize("dump", RELEASED, ids=lambda f: f.stem)
async def test_an_old_database_lives_on(dump: Path, articles: Path, tmp_path: Path) -> None:
    """The waiting message is decided on once, the open ticket goes on with its operator, the closed one is in
    the report, nothing is wrong.
    """
    file = tmp_path / "bot.db"
    with sqlite3.connect(file) as db:
        db.executescript(dump.read_text("utf-8"))
    db.close()

    async with open_test_bot(articles, storage=str(file)) as testbot:
        store = testbot.service.store
        for _ in range(100):
            testbot.key()  # the first ones are in the dump
        await testbot.later(minutes=20)  # the dump was made at this hour
        assert await store.check() == ()
        olga, anna = testbot.operator(), testbot.customer()
        assert [o.text.text for o in await olga.sees(1) if "ещё вопрос" in o.text.text], (
            "the message that waited reached the desk"
        )
        await olga.says("Нашлась посылка", ticket=1)
        assert any(
            "Нашлась посылка" in s.outbound.text.text
            for s in testbot.channels["telegram"].in_chat(anna.peer.chat)
        )
        open_, closed = await store.ticket(1), await store.ticket(2)
        assert open_ is not None and (open_.status, open_.operator_name) == ("operator", "Ольга")
        assert closed is not None and (closed.status, closed.rating) == ("closed", 5)
        for ticket in (open_, closed):
            assert ticket.state.name and ticket.state.transcript and not ticket.state.unread
        said = [line.text for line in await store.history(1)]
        assert said[0] == "Сколько идёт доставка?" and said.count("ещё вопрос") == 1
        assert await store.forget_customer(1, testbot.clock())
        await testbot.rest()
        assert await store.check() == ()
