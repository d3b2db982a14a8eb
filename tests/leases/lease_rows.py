"""Leases and replicas as a database keeps them, in memory: for keepers that tests drive by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import HandClock
from bot.errors import StorageError
from bot.storage.base import Lease, Replica


class LeaseRows:
    """What all processes see. While `away` nothing is answered; `slow` seconds pass in each answer."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.leases: dict[str, Lease] = {}
        self.replicas: dict[str, Replica] = {}
        self.away = False
        self.slow = 0.0

    def connect(self, holder: str) -> LeaseConnection:
        return LeaseConnection(self, holder)

    def holder(self, name: str) -> str:
        """Who may do it by the database's time; "" where nobody may."""
        lease = self.leases.get(name)
        return lease.holder if lease is not None and lease.until > self.clock() else ""


class LeaseConnection:
    """The rows as one process reaches them."""

    shared = True

    def __init__(self, rows: LeaseRows, holder: str) -> None:
        self.rows, self.holder = rows, holder

    async def renew(self, names: Collection[str], now: datetime, lasting: timedelta) -> Mapping[str, Lease]:
        self._ask()
        for name in names:
            old = self.rows.leases.get(name)
            if old is None or old.holder == self.holder or old.until <= now:
                epoch = 1 if old is None else old.epoch + (old.holder != self.holder)
                self.rows.leases[name] = Lease(name, self.holder, epoch, now + lasting)
        self.rows.clock.advance(seconds=self.rows.slow)
        return {name: x for name in names if (x := self.rows.leases[name]).holder == self.holder}

    async def give_up(self, names: Collection[str]) -> None:
        self._ask()
        for name in names:
            if (lease := self.rows.leases.get(name)) is not None and lease.holder == self.holder:
                self.rows.leases[name] = replace(lease, until=self.rows.clock())

    async def leases(self) -> tuple[Lease, ...]:
        self._ask()
        return tuple(self.rows.leases.values())

    async def report(self, replica: Replica, now: datetime) -> None:
        self._ask()
        self.rows.replicas[replica.name] = replace(replica, seen=now)

    async def replicas(self, since: datetime) -> tuple[Replica, ...]:
        self._ask()
        return tuple(r for r in self.rows.replicas.values() if r.seen is not None and r.seen >= since)

    async def clock(self) -> datetime | None:
        self._ask()
        return self.rows.clock()

    def _ask(self) -> None:
        if self.rows.away:
            raise StorageError("the database is away")
