"""The embedded store lives through random days like its model."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from bot.storage.base import Store
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_machine import StoreMachine
from bot.testing.contracts.store_scene import NOON


class SqliteMachine(StoreMachine):
    """In memory."""

    def open(self) -> Store:
        return SqliteStore.open(":memory:", now=lambda: NOON)


TestSqliteMachine = SqliteMachine.TestCase
TestSqliteMachine.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
