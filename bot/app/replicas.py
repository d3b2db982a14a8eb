"""What a process is among those that share a database: its leases by its roles, and what it reports."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

from bot.config.loader import Config
from bot.config.roles import EVERY_ROLE, ProcessRole
from bot.errors import ConfigError
from bot.knowledge.search import Knowledge
from bot.leases import PERIODIC, channel_lease
from bot.storage.base import Replica, Store
from bot.text.problems import problem


def wanted_leases(store: Store, roles: frozenset[ProcessRole], channels: Collection[str]) -> frozenset[str]:
    """What a process of these roles wants to do alone. Raises `ConfigError` where a store that belongs to one
    process would be without some role.
    """
    if not store.shared and roles != EVERY_ROLE:
        raise ConfigError([problem("leases.roles_alone")])
    wanted = {channel_lease(name) for name in channels} if ProcessRole.SEND in roles else set()
    return frozenset(wanted | {PERIODIC} if ProcessRole.DECIDE in roles else wanted)


def describe(config: Config, roles: frozenset[ProcessRole], knowledge: Knowledge) -> Replica:
    """What tells this process from others: its version, roles, articles and settings."""
    return Replica(
        "",
        version=_version(),
        roles=tuple(sorted(roles)),
        articles=knowledge.articles_version,
        settings=settings_version(config),
    )


def settings_version(config: Config) -> str:
    """The same for the same settings; of secrets it knows only whether they are there.

    The way to the database may be another on each machine.
    """
    return sha256(config.model_dump_json(exclude={"storage"}).encode()).hexdigest()[:12]


def _version() -> str:
    try:
        return version("otklik")
    except PackageNotFoundError:  # run from a folder that was never installed
        return ""
