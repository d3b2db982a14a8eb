"""Where everything is kept, and what is kept there for all processes and starts."""

from __future__ import annotations

import hmac
import inspect
import secrets
from collections.abc import Callable
from typing import cast

from bot.app.entry_points import brought, known_names
from bot.clock import Clock
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.storage.base import Store
from bot.storage.sqlite.store import SqliteStore
from bot.text.problems import problem


def open_store(config: Config, clock: Clock, place: str | None = None, *, holder: str = "") -> Store:
    """Where everything is kept: a file of SQLite (*place* in place of the configured one), or what another
    package brings for the scheme of `storage.url`. *holder* names this process where several share the store.
    Raises `ConfigError`, `StorageError`.
    """
    if place is not None or config.storage.is_file:
        return SqliteStore.open(place or config.storage_path, now=clock)
    scheme = config.storage.url.partition("://")[0]
    opened = _brought_store(scheme)
    if opened is None:
        known = known_names("bot.stores", "sqlite")
        raise ConfigError([problem("config.store_kind", scheme=scheme, known=known)])
    taken = inspect.signature(cast(Callable[..., Store], opened)).parameters
    settings = {
        "listen_url": config.storage.listen_url or "",
        "pool": config.storage.pool,
        "holder": holder,
    }
    wanted = {name: value for name, value in settings.items() if name in taken}
    return cast(Callable[..., Store], opened)(config.storage.url, now=clock, **wanted)


def _brought_store(scheme: str) -> object | None:
    try:
        return brought("bot.stores", scheme)
    except ConfigError as error:
        if isinstance(error.__cause__, ImportError) and (error.__cause__.name or "").startswith("psycopg"):
            raise ConfigError([problem("postgres.no_package", scheme=scheme)]) from None
        raise


async def salt_of(store: Store) -> str:
    """What tells this database from an older one: made once, whichever process comes first."""
    return await store.first_setting("salt", secrets.token_hex(8))


async def session_secret(store: Store, config: Config) -> bytes:
    """One for all processes and starts; another password makes another, so that nobody stays logged in."""
    kept = await store.first_setting("session_secret", secrets.token_hex(32))
    password = config.web.password
    shown = password.get_secret_value() if password else ""
    return hmac.digest(bytes.fromhex(kept), shown.encode(), "sha256")
