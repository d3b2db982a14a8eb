"""What every store must do: subclass `StoreContract`, give it your store, and pytest runs the laws over it.

    class TestMyStore(StoreContract):
        @pytest_asyncio.fixture
        async def store(self) -> AsyncIterator[Store]:
            store = await MyStore.open(...)
            yield store
            await store.close()

The store must be empty at first and use the clock `bot.testing.store_scene.NOON` where a method is given no time of its own.
"""

from __future__ import annotations

import pytest

from bot.testing.store_audience import AudienceContract
from bot.testing.store_deliveries import DeliveriesContract, DeskContract
from bot.testing.store_finishing import FinishingContract
from bot.testing.store_people import PeopleContract, UpkeepContract
from bot.testing.store_turns import IntakeContract, TakingContract


@pytest.mark.asyncio
class StoreContract(IntakeContract, TakingContract, FinishingContract, DeliveriesContract, DeskContract, PeopleContract, UpkeepContract, AudienceContract):
    """Every law of the store as a test of one sentence."""
