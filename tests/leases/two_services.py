"""Several services on one database of PostgreSQL, with channels that tests look into and a clock in their
hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import MappingProxyType

from bot.adapters.base import Accept, ChatInfo, Files
from bot.app import Overrides, Service, build_service
from bot.clock import HandClock
from bot.config.loader import Config
from bot.config.roles import EVERY_ROLE, ProcessRole
from bot.model import Inbound, InboundKind, Outbound, Peer, Sender, Sent
from bot.storage.postgres.store import PostgresStore
from bot.testing.fakes import FakeAdapter
from bot.testing.harness import DESK_CHAT, NOON

CHANNELS = ("telegram", "vk")
_keys = count(1)


class PolledAdapter(FakeAdapter):
    """A fake channel that tells whether it is polled, and from where on.

    While `answers` is not set, the platform answers no question and takes no message; `asked` tells that it
    was tried.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, forum=name == "telegram")
        self.polled, self.cursors = False, list[str | None]()
        self.calls: Accept | None = None
        self.answers, self.asked = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.hinted: list[str] = []

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        self.polled = True
        self.cursors.append(cursor)
        self.health.state = "working"
        try:
            await asyncio.Event().wait()
        finally:
            self.polled = False

    async def chat_info(self, chat: str) -> ChatInfo:
        self.asked.set()
        await self.answers.wait()
        return await super().chat_info(chat)

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        self.asked.set()
        await self.answers.wait()
        return await super().send(outbound, nonce=nonce, target=target, files=files)

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        self.hinted.append(outbound_chat)

    def take_calls(self, accept: Accept) -> None:
        self.calls = accept


@dataclass
class Cluster:
    """A database, and the services that a test opened on it."""

    url: str
    articles: Path
    clock: HandClock = field(default_factory=lambda: HandClock(NOON))
    services: dict[str, Service] = field(default_factory=dict)
    stores: list[PostgresStore] = field(default_factory=list)

    async def open(
        self,
        name: str,
        *,
        roles: frozenset[ProcessRole] = EVERY_ROLE,
        settings: Mapping[str, object] = MappingProxyType({}),
    ) -> Service:
        """A service as one more process on the database."""
        store = PostgresStore.open(self.url, now=self.clock, holder=name, own_time=True)
        self.stores.append(store)
        knowledge = {"folder": str(self.articles), "embeddings": {"model": "off"}}
        self.services[name] = service = await build_service(
            Config.model_validate({**settings, "knowledge": knowledge}),
            Overrides(
                adapters={channel: PolledAdapter(channel) for channel in CHANNELS},
                clock=self.clock,
                desk=Peer("telegram", DESK_CHAT),
                storage=store,
                log_events=False,
                roles=roles,
            ),
        )
        return service

    async def beat(self, *alive: Service, seconds: int = 0) -> None:
        """Heartbeats every three seconds of those that live, for so long."""
        for moment in range(0, seconds + 1, 3):
            if moment:
                self.clock.advance(seconds=3)
            for service in alive:
                await service.leases.beat()

    async def close(self) -> None:
        for store in self.stores:
            await store.close()


@asynccontextmanager
async def opened(url: str, articles: Path) -> AsyncIterator[Cluster]:
    """A cluster, closed at the end."""
    cluster = Cluster(url, articles)
    try:
        yield cluster
    finally:
        await cluster.close()


def channels(service: Service) -> Mapping[str, PolledAdapter]:
    """The fake channels of a service."""
    return {n: a for n, a in service.adapters.items() if isinstance(a, PolledAdapter)}


def polled(service: Service) -> set[str]:
    """The channels that it polls now."""
    return {name for name, adapter in channels(service).items() if adapter.polled}


def said(service: Service, channel: str) -> list[str]:
    """The texts that it sent to a channel, in order."""
    return [s.outbound.text.text for s in channels(service)[channel].said]


def question(cluster: Cluster, text: str, *, channel: str = "vk", chat: str = "1001") -> Inbound:
    """What a customer writes there."""
    key = f"q{next(_keys)}"
    peer, sender = Peer(channel, chat), Sender(chat, "Анна")
    return Inbound(key, peer, sender, cluster.clock(), InboundKind.MESSAGE, text, private=True, message=key)
