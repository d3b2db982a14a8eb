"""What all parts of a service are made with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.base import Adapter
from bot.app.channels import open_adapters, open_webhooks
from bot.app.config_parts import follow_calendar, open_hours, open_knowledge, open_texts
from bot.app.stores import open_store, salt_of
from bot.clock import Clock
from bot.config.loader import Config
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.search import Knowledge
from bot.model import Peer
from bot.observability import LogObserver, Observers
from bot.storage.base import Store
from bot.text.phones import set_home


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a service gets in place of what the config names.

    *adapters* (or what makes them, given the salt) stand for the channels, *desk* is the operators' group if
    the config names none, *storage* the file of the store. *folders* may be read for attachments besides the
    articles' own; *knowledge* spares reading the articles again.
    """

    adapters: Mapping[str, Adapter] | Callable[[str], Mapping[str, Adapter]] | None = None
    clock: Clock | None = None
    desk: Peer | None = None
    storage: str | None = None
    folders: Sequence[Path] = ()
    log_events: bool = True
    knowledge: Knowledge | None = None


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

    @property
    def titles(self) -> dict[str, str]:
        """What people call the channels."""
        return {name: a.platform_name or name for name, a in self.adapters.items()}


async def open_parts(config: Config, overrides: Overrides) -> ServiceParts:
    clock = overrides.clock or Clock()
    set_home(config.hours.country)
    hours = open_hours(config)
    texts = open_texts(config, hours)
    knowledge = overrides.knowledge
    if knowledge is None:
        knowledge = await asyncio.to_thread(open_knowledge, config, channels=list(config.channels))
    follow_calendar(knowledge, clock, hours)
    store = open_store(config, clock, overrides.storage)
    salt = await salt_of(store)
    adapters = overrides.adapters
    if not isinstance(adapters, Mapping):
        adapters = adapters(salt) if adapters else open_adapters(config, clock, salt=salt)
    adapters = {**adapters, **open_webhooks(config, clock)}
    observers = Observers([LogObserver()] if overrides.log_events else [])
    return ServiceParts(config, clock, hours, texts, knowledge, store, salt, adapters, observers)
