"""How this process is doing among those that share its database: its leases, what waits for how long, and who
else is at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import StorageError
from bot.leases import LASTING, PERIODIC, channel_lease
from bot.storage.base import Lease, Replica, Store

PATIENCE = 5.0  # seconds for the database's answer
LATELY = timedelta(minutes=10)  # for which a replica that fell silent is still named


@dataclass(frozen=True, slots=True)
class ReplicaHealth:
    """What /readyz and /metrics tell of a replica; a service of one process is one, without leases.

    The lags are seconds: for how long the turn, or the delivery, that has been due longest waits by now;
    None where the database does not tell. `replicas` are those that reported lately, also those that are
    silent now; `held` are names of leases.
    """

    at: datetime
    name: str = ""
    shared: bool = False
    roles: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    leases: tuple[Lease, ...] = ()
    replicas: tuple[Replica, ...] = ()
    turn_lag: float | None = None
    delivery_lag: float | None = None

    @property
    def skew(self) -> float:
        """Seconds that the clock of this machine is ahead of the database's."""
        return next((r.skew for r in self.replicas if r.name == self.name), 0.0)

    @property
    def living(self) -> tuple[Replica, ...]:
        return living(self.replicas, self.at)

    def is_standby(self, channel: str) -> bool:
        """Whether another replica is to send to the channel and to poll it, so that nothing of it is awaited
        here.
        """
        return self.shared and channel_lease(channel) not in self.held

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "roles": list(self.roles),
            "lag": {"turns": self.turn_lag, "deliveries": self.delivery_lag},
            "skew": round(self.skew, 3),
            "leases": {
                lease.name: {
                    "held": lease.name in self.held,
                    "holder": lease.holder if lease.until > self.at else "",
                    "epoch": lease.epoch,
                    "until": lease.until.isoformat(),
                }
                for lease in self.leases
            },
            "replicas": [self._told(replica) for replica in self.replicas],
        }

    def _told(self, replica: Replica) -> dict[str, object]:
        return {
            "name": replica.name,
            "alive": replica in self.living,
            "version": replica.version,
            "roles": list(replica.roles),
            "articles": replica.articles,
            "settings": replica.settings,
            "skew": round(replica.skew, 3),
            "seen": replica.seen.isoformat() if replica.seen else None,
        }


def living(replicas: Sequence[Replica], now: datetime) -> tuple[Replica, ...]:
    """Those that reported within the time that a lease lasts."""
    return tuple(r for r in replicas if r.seen is not None and r.seen >= now - LASTING)


async def replica_health(store: Store, channels: Collection[str], now: datetime) -> ReplicaHealth:
    """How it is now, as the database has it. Raises `StorageError`, also where that does not answer in
    time.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            due, delivery = await store.next_due(now), await store.next_delivery(now)
            leases, replicas = await store.leases(), await store.replicas(now - LATELY)
    except TimeoutError as error:
        raise StorageError(f"no answer within {PATIENCE:.0f} seconds") from error
    wanted = {PERIODIC, *map(channel_lease, channels)}
    mine = {x.name for x in leases if x.holder == store.holder and x.until > now}
    return ReplicaHealth(
        now,
        store.holder,
        store.shared,
        next((r.roles for r in replicas if r.name == store.holder), ()),
        frozenset(mine) if store.shared else frozenset(wanted),
        leases,
        replicas,
        _waited(due, now),
        _waited(delivery, now),
    )


def _waited(due: datetime | None, now: datetime) -> float:
    return 0.0 if due is None else round(max(0.0, (now - due).total_seconds()), 1)
