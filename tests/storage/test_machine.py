"""Both stores live through random days like their model."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings

from bot.storage.base import Store
from bot.storage.postgres.store import PostgresStore
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_machine import StoreMachine
from bot.testing.contracts.store_scene import NOON
from tests.postgres import Cluster
from tests.storage.test_contract import CHANNELS, FOR_EVER


class SqliteMachine(StoreMachine):
    """In memory."""

    def open(self) -> Store:
        return SqliteStore.open(":memory:", now=lambda: NOON)


class PostgresMachine(StoreMachine):
    """In a database of its own for each day."""

    cluster: ClassVar[Cluster]

    def open(self) -> Store:
        store = PostgresStore.open(self.cluster.database(), now=lambda: NOON, own_time=True)
        self.run(store.renew(CHANNELS, NOON, FOR_EVER))
        return store

    def sender_ends(self) -> None:
        self.run(self.store.give_up(CHANNELS))
        self.run(self.store.renew(CHANNELS, NOON, FOR_EVER))


@pytest.fixture(scope="module", autouse=True)
def cluster(postgres: Cluster) -> None:
    PostgresMachine.cluster = postgres


TestSqliteMachine = SqliteMachine.TestCase
TestPostgresMachine = PostgresMachine.TestCase
DAYS = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSqliteMachine.settings = DAYS
TestPostgresMachine.settings = settings(DAYS, max_examples=12)
