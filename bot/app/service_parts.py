"""What all parts of a service are made with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.base import Adapter, RecordedAdapter
from bot.adapters.played import PlayedAdapter
from bot.app.assistant import open_assistant
from bot.app.assistant_desk import open_assistant_channel
from bot.app.channels import open_adapters, open_webhooks
from bot.app.config_parts import follow_calendar, open_hours, open_knowledge, open_texts
from bot.app.replicas import describe, wanted_leases
from bot.app.stores import open_store, salt_of
from bot.clock import Clock
from bot.config.loader import Config
from bot.config.roles import EVERY_ROLE, ProcessRole
from bot.dialogs.flows.connector import Connector
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.search import Knowledge
from bot.leases import LeaseKeeper, follow_database
from bot.model import PLAYED, Peer
from bot.observability import LogObserver, Observers
from bot.storage.base import Store
from bot.text.phones import set_home

if TYPE_CHECKING:
    from bot.assistant.guarded_assistant import GuardedAssistant


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a service gets in place of what the config names.

    *adapters* (or what makes them, given the salt) stand for the channels, *desk* is the operators' group if
    the config names none, *storage* the file of the store, or an open one. *folders* may be read for
    attachments besides the articles' own; *connector* carries out the calls of flows; *knowledge* spares
    reading the articles again. *roles* are what this process does where several share the store, *replica* is
    its name among them.
    """

    adapters: Mapping[str, Adapter] | Callable[[str], Mapping[str, Adapter]] | None = None
    connector: Connector | None = None
    clock: Clock | None = None
    desk: Peer | None = None
    storage: str | Store | None = None
    folders: Sequence[Path] = ()
    log_events: bool = True
    knowledge: Knowledge | None = None
    roles: frozenset[ProcessRole] = EVERY_ROLE
    replica: str = ""


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What all parts of a service are made with."""

    config: Config
    clock: Clock
    hours: Hours
    texts: Texts
    knowledge: Knowledge
    store: Store
    salt: str
    adapters: Mapping[str, Adapter]
    observers: Observers
    roles: frozenset[ProcessRole]
    leases: LeaseKeeper
    assistant: GuardedAssistant | None = None

    @property
    def titles(self) -> dict[str, str]:
        """What people call the channels."""
        return {name: a.platform_name or name for name, a in self.adapters.items()}


async def open_parts(config: Config, overrides: Overrides) -> ServiceParts:
    """Raises `ConfigError`, `StorageError`; then the store is closed again."""
    clock = overrides.clock or Clock()
    set_home(config.hours.country)
    hours = open_hours(config)
    texts = open_texts(config, hours)
    knowledge = overrides.knowledge
    if knowledge is None:
        knowledge = await asyncio.to_thread(open_knowledge, config, channels=list(config.channels))
    follow_calendar(knowledge, clock, hours)
    store = overrides.storage
    if store is None or isinstance(store, str):
        store = open_store(config, clock, store, holder=overrides.replica)
    try:
        await follow_database(clock, store)
        salt = await salt_of(store)
        assistant = open_assistant(config, store, clock, hours.zone)
        adapters = _adapters(config, overrides, clock, salt)
        leases = LeaseKeeper(
            store,
            clock,
            wanted_leases(store, overrides.roles, adapters),
            describe=lambda: describe(config, overrides.roles, knowledge),
        )
    except BaseException:
        await store.close()
        raise
    for adapter in adapters.values():
        if isinstance(adapter, RecordedAdapter):
            adapter.know(store, texts)
    observers = Observers([LogObserver()] if overrides.log_events else [])
    return ServiceParts(
        config,
        clock,
        hours,
        texts,
        knowledge,
        store,
        salt,
        adapters,
        observers,
        overrides.roles,
        leases,
        assistant,
    )


def _adapters(config: Config, overrides: Overrides, clock: Clock, salt: str) -> Mapping[str, Adapter]:
    adapters = overrides.adapters
    if not isinstance(adapters, Mapping):
        adapters = adapters(salt) if adapters else open_adapters(config, clock, salt=salt)
    played = {PLAYED: PlayedAdapter(_shown_as(adapters))} if config.quality.mystery else {}
    return {
        **adapters,
        **open_webhooks(config, clock),
        **played,
        **open_assistant_channel(config, clock),
    }


def _shown_as(adapters: Mapping[str, Adapter]) -> str:
    """What operators read as the channel of a mystery customer: that of real ones."""
    return next((a.platform_name or name for name, a in adapters.items()), "Telegram")
