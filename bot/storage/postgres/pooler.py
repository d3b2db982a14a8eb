"""A pooler (pgbouncer, Odyssey …) before PostgreSQL: whether there is one, and whether hints pass."""

from __future__ import annotations

from typing import Any

import psycopg

from bot.storage.postgres.database import NOTIFIED

PATIENCE = 2.0  # seconds in which a hint comes
NOTHING = "pooler"  # what the hint of the trial says: everybody passes it over


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether somebody stands between: the server process that a pooler names at the start is none."""
    row = connection.execute("select pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid


def hears(listening: psycopg.Connection[Any], url: str) -> bool:
    """Whether a connection that asked for hints hears one that is given through *url*."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("select pg_notify(%s, %s)", (NOTIFIED, NOTHING))
    return any(n.payload == NOTHING for n in listening.notifies(timeout=PATIENCE, stop_after=1))
