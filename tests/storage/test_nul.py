"""The character NUL in what a person or another system wrote harms nobody, whichever the store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.model import Customer, Inbound, Outcome, Peer, Result, Sender, Ticket
from bot.storage.base import ScheduledInbound, Store
from bot.storage.postgres.store import PostgresStore
from bot.storage.sqlite.store import SqliteStore
from bot.testing.harness import NOON


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore.open(":memory:", now=lambda: NOON)
    else:
        url = request.getfixturevalue("database")
        opened = PostgresStore.open(url, now=lambda: NOON, own_time=True)
    yield opened
    await opened.close()


async def test_a_nul_in_words_and_fields(store: Store) -> None:
    """The message is decided, its customer is found by other fields, and so are all others."""
    for number, text in enumerate(("до\0мой", "домой")):
        peer, sender = Peer("telegram", str(number)), Sender(str(number), "Ан\0на")
        inbound = Inbound(f"{number}", peer, sender, NOON, text=text)
        await store.accept("telegram", [ScheduledInbound(inbound, NOON, NOON)])
        turn = await store.take_turn(NOON)
        assert turn is not None and turn.customer is not None
        fields = {"phone": f"+7912345678{number}", "note": text}
        changed = Customer(turn.customer.id, "Ан\0на", fields=fields)
        opened = Ticket(number + 1, turn.conversation.id, peer, reason=text, opened=NOON)
        outcome = Outcome("test", Result.HANDED_OFF, customer=changed, opens=opened)
        await store.finish_turn(turn, outcome, NOON)

    for number in range(2):
        found = await store.find_customers({"phone": f"+7912345678{number}"})
        assert len(found) == 1
        assert await store.change_fields(found[0].id, {"note": "а\0б"}, NOON, by="crm")
    assert len(await store.queue()) == len(await store.tickets())
    assert (await store.history(1))[0].text in ("до\0мой", "до\ufffdмой")
    assert not await store.check()
