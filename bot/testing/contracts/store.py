"""What every store must do: subclass `StoreContract`, give it your store, and pytest runs the laws over it.

    class TestMyStore(StoreContract):
        @pytest_asyncio.fixture
        async def store(self) -> AsyncIterator[Store]:
            store = await MyStore.open(...)
            yield store
            await store.close()

The store must be empty at first and use the clock `bot.testing.contracts.store_scene.NOON` where a method is
given no time of its own.
"""

from __future__ import annotations

import pytest

from bot.testing.contracts.store_chats import ChatsContract
from bot.testing.contracts.store_commit import CommitContract
from bot.testing.contracts.store_desk import DeskStateContract
from bot.testing.contracts.store_outbox import DeliveriesContract, DeskContract
from bot.testing.contracts.store_privacy import MaintenanceContract, PeopleContract
from bot.testing.contracts.store_purge import PurgeContract
from bot.testing.contracts.store_recipients import AudienceContract, ConversationListContract
from bot.testing.contracts.store_turns import InboxContract, TurnContract


@pytest.mark.asyncio
class StoreContract(
    InboxContract,
    TurnContract,
    CommitContract,
    DeliveriesContract,
    DeskContract,
    PeopleContract,
    MaintenanceContract,
    PurgeContract,
    AudienceContract,
    ConversationListContract,
    DeskStateContract,
    ChatsContract,
):
    """Every law of the store as a test of one sentence."""
