"""How the bot is doing, for machines that watch it: alive, ready, and numbers.

Never whose words, only how many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from bot.adapters.base import Adapter, Health
from bot.errors import StorageError
from bot.handoff.sla.debts import LATE
from bot.knowledge.base import KnowledgeStatus
from bot.model import Event, OwedStage
from bot.observability import redact
from bot.storage.base import Store
from bot.web.replica_health import ReplicaHealth, replica_health

if TYPE_CHECKING:
    from bot.assistant.guarded_assistant import AssistantState

UNKNOWN = float("nan")


class Metrics:
    """The numbers of this process. Labels are channels, results and kinds, never people."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._turns = Counter("otklik_turns", "Turns decided", ["result", "dialog"], registry=self.registry)
        self._latency = Histogram(
            "otklik_decision_seconds",
            "From taking a turn to its commit",
            registry=self.registry,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
        )
        self._events = Counter("otklik_events", "Events by kind", ["kind"], registry=self.registry)
        self._kept = Gauge(
            "otklik_store", "What the store holds, by what it is", ["what"], registry=self.registry
        )
        self._up = Gauge(
            "otklik_channel_up", "1 while the channel works", ["channel", "kind"], registry=self.registry
        )
        self._lag = Gauge(
            "otklik_channel_lag_seconds",
            "Since the channel last heard from its platform",
            ["channel"],
            registry=self.registry,
        )
        self._owed = Gauge(
            "otklik_owed",
            "What the bot owes for longer than a minute, by stage",
            ["stage"],
            registry=self.registry,
        )
        self._oldest = Gauge(
            "otklik_owed_oldest_seconds",
            "How long the oldest of it has been owed",
            ["stage"],
            registry=self.registry,
        )
        self._articles = Gauge("otklik_articles", "Articles that can answer", registry=self.registry)
        self._lease_held = Gauge(
            "otklik_lease_held", "1 while this replica holds the lease", ["name"], registry=self.registry
        )
        self._lease_epoch = Gauge(
            "otklik_lease_epoch", "How often the lease changed hands", ["name"], registry=self.registry
        )
        self._turn_lag = Gauge(
            "otklik_turn_lag_seconds",
            "For how long the turn that has been due longest waits",
            registry=self.registry,
        )
        self._delivery_lag = Gauge(
            "otklik_delivery_lag_seconds",
            "For how long the delivery that has been due longest waits",
            registry=self.registry,
        )
        self._skew = Gauge(
            "otklik_clock_skew_seconds",
            "How far the clock of this machine is ahead of the database's",
            registry=self.registry,
        )
        self._replicas = Gauge("otklik_replicas", "Processes at work on the database", registry=self.registry)

    def decided(self, *, result: str, dialog: str, seconds: float) -> None:
        """A turn was decided and committed."""
        self._turns.labels(result, dialog).inc()
        self._latency.observe(seconds)

    def seen(self, event: Event) -> None:
        """As an `Observer`.

        An event `turn` (data: result, dialog, seconds) is a turn that was decided and committed.
        """
        if event.kind == "turn":
            seconds = event.data.get("seconds")
            self.decided(
                result=str(event.data.get("result", "")),
                dialog=str(event.data.get("dialog", "")),
                seconds=float(seconds) if isinstance(seconds, (int, float)) else 0.0,
            )
            return
        self._events.labels(event.kind).inc()

    def show_replica(self, replica: ReplicaHealth) -> None:
        """What the next `render` tells of this process among the others."""
        self._lease_held.clear()
        self._lease_epoch.clear()
        for lease in replica.leases:
            self._lease_held.labels(lease.name).set(lease.name in replica.held)
            self._lease_epoch.labels(lease.name).set(lease.epoch)
        self._turn_lag.set(UNKNOWN if replica.turn_lag is None else replica.turn_lag)
        self._delivery_lag.set(UNKNOWN if replica.delivery_lag is None else replica.delivery_lag)
        self._skew.set(replica.skew)
        self._replicas.set(len(replica.living) if replica.shared else 1)

    def render(
        self,
        counts: Mapping[str, int],
        channels: Mapping[str, Adapter],
        articles: int,
        now: datetime,
        owed: Mapping[str, Mapping[str, float]],
    ) -> bytes:
        """Everything in the text form of Prometheus; of *channels*, none that is another replica's."""
        self._up.clear()
        self._lag.clear()
        for stage, told in owed.items():
            self._owed.labels(stage).set(told["count"])
            self._oldest.labels(stage).set(told["oldest_seconds"])
        for what, count in counts.items():
            self._kept.labels(what).set(count)
        for name, adapter in channels.items():
            self._up.labels(name, adapter.kind).set(adapter.health.state == "working")
            if adapter.health.last_poll is not None:
                self._lag.labels(name).set(_lag(adapter.health, now) or 0.0)
        self._articles.set(articles)
        return generate_latest(self.registry)


def _lag(health: Health, now: datetime) -> float | None:
    return None if health.last_poll is None else max(0.0, (now - health.last_poll).total_seconds())


def channel_report(
    adapter: Adapter, stale: timedelta, now: datetime, *, standby: bool = False
) -> dict[str, object]:
    """One channel for /readyz; `ready` is false when it fails, or has heard nothing for longer than
    *stale*. On *standby* another replica has it, and nothing of it is awaited here.
    """
    health = adapter.health
    lag = _lag(health, now)
    silent = health.polls and lag is not None and lag > stale.total_seconds()
    return {
        "kind": adapter.kind,
        "state": "standby" if standby else health.state,
        "ready": standby or (health.state == "working" and not silent),
        "last_poll": health.last_poll.isoformat() if health.last_poll else None,
        "lag": None if lag is None else round(lag, 1),
        "last_error": redact(health.last_error),
        "details": {key: redact(value) for key, value in health.details.items()},
    }


async def owing(store: Store, now: datetime) -> dict[str, dict[str, float]]:
    """By stage: how much the bot owes for longer than a minute, and for how long the oldest of it.

    Raises `StorageError`.
    """
    found: dict[str, dict[str, float]] = {
        stage: {"count": 0, "oldest_seconds": 0.0} for stage in get_args(OwedStage)
    }
    for one in await store.owed(now, LATE):
        told = found[one.stage]
        told["count"] += 1
        told["oldest_seconds"] = max(told["oldest_seconds"], round((now - one.since).total_seconds(), 1))
    return found


async def report(
    store: Store,
    channels: Mapping[str, Adapter],
    knowledge: KnowledgeStatus | None,
    stale: timedelta,
    now: datetime,
) -> tuple[dict[str, object], Literal[200, 503]]:
    """What /readyz answers. Ready means: storage works, articles are loaded, every channel works that is not
    another replica's.
    """
    replica = ReplicaHealth(now, store.holder, store.shared)
    try:
        replica = await replica_health(store, channels, now)
        counts = await store.counts()
        storage: dict[str, object] = {"ready": True, "counts": dict(counts), "owed": await owing(store, now)}
    except StorageError as error:
        storage = {"ready": False, "last_error": redact(str(error))}

    def told(awaited: bool) -> dict[str, dict[str, object]]:
        return {
            name: channel_report(adapter, stale, now, standby=replica.is_standby(name))
            for name, adapter in channels.items()
            if adapter.health.awaited is awaited
        }

    reports = told(True)
    known = {
        "ready": knowledge is not None and knowledge.articles > 0,
        "articles": knowledge.articles if knowledge else 0,
        "broken": knowledge.broken if knowledge else 0,
        "embeddings": knowledge.model if knowledge else "",
        "loading": knowledge.loading if knowledge else False,
    }
    ready = bool(storage["ready"]) and bool(known["ready"]) and all(r["ready"] for r in reports.values())
    return {
        "ready": ready,
        "storage": storage,
        "knowledge": known,
        "channels": reports,
        "webhooks": told(False),
        "replica": replica.as_json(),
    }, (200 if ready else 503)


async def assistant_report(ask: Callable[[], Awaitable[AssistantState]]) -> dict[str, object]:
    """The optional assistant for /readyz: whether it works or rests, why, and what it has spent today."""
    try:
        state = await ask()
    except StorageError:
        return {"state": "unknown"}
    return {
        "state": "resting" if state.is_resting else "working",
        "model": state.model,
        "failures": state.circuit.failures,
        "last_error": state.circuit.reason,
        "calls_today": state.spent.calls,
        "tokens_today": state.spent.tokens,
    }


def metrics_response(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
