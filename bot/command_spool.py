"""Orders from the command line to a running bot, each carried out once, also after a restart: files in a
folder beside the database, or inbounds of a shared store.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot.clock import Clock
from bot.errors import StorageError
from bot.handoff.outreach.order_replies import OFFICE
from bot.model import AdminCommand, Inbound, InboundKind, Sender
from bot.observability import get_logger
from bot.storage.base import ScheduledInbound, Store
from bot.storage.codec import payload_of, payload_parts

EVERY = 1.0  # seconds between two looks into the folder
LARGEST = 100_000  # bytes of an order
PAUSES = (0.5, 1.5, 3.0)  # seconds before a shared store is asked once more
PREFIX = "order."  # begins the stored names of these payloads


def spool_folder(storage: str) -> Path | None:
    """The folder of a database's orders; None where everything is kept in memory."""
    return None if storage == ":memory:" else Path(f"{storage}.orders")


def order(command: AdminCommand, by: str, name: str, now: datetime) -> Inbound:
    """The inbound that an order is; *name* is its own, so that a repeat is known."""
    return Inbound(
        f"order:{name}",
        OFFICE,
        Sender("owner", by),
        now,
        InboundKind.INTERNAL,
        private=False,
        payload=command,
    )


def order_name(now: datetime) -> str:
    """A name that no other order has; later ones sort behind it."""
    return f"{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}"


async def hand_over(store: Store, command: AdminCommand, by: str, now: datetime) -> None:
    """Keep an order in a store that other processes work on: whoever decides next carries it out.

    It is tried for a few seconds, always by the same name: what was kept already is not kept again. Raises
    `StorageError`.
    """
    inbound = order(command, by, order_name(now), now)
    for pause in (*PAUSES, None):
        try:
            await store.accept(OFFICE.channel, [ScheduledInbound(inbound, now, now)])
            return
        except StorageError:
            if pause is None:
                raise
            await asyncio.sleep(pause)


def drop(folder: Path, command: AdminCommand, by: str = "") -> Path:
    """Put an order in; whoever reads finds it whole or not at all. Raises `OSError`."""
    kind, data = payload_parts(command)
    written = {"order": kind.removeprefix(PREFIX), **data, "by": by}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = order_name(Clock()())
    draft, path = folder / f".{name}", folder / f"{name}.json"
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(written, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return path


def read(folder: Path, now: datetime) -> list[tuple[Path, Inbound | None]]:
    """The orders that lie there, oldest first, each with the inbound it is; None for what is no order."""
    found: list[tuple[Path, Inbound | None]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            data = json.loads(path.read_text("utf-8")) if path.stat().st_size <= LARGEST else {}
        except (OSError, ValueError):
            data = {}
        data = data if isinstance(data, dict) else {}
        command = payload_of(f"{PREFIX}{data.get('order')}", data)
        if not isinstance(command, AdminCommand):
            found.append((path, None))
            continue
        found.append((path, order(command, str(data.get("by") or ""), path.stem, now)))
    return found


async def take(
    folder: Path, accept: Callable[[str, Sequence[Inbound]], Awaitable[None]], now: datetime
) -> int:
    """Keep what lies there, then throw the files away: a crash between the two changes nothing, their keys
    are known. Returns how many.
    """
    taken = 0
    for path, inbound in read(folder, now):
        if inbound is None:
            get_logger("command_spool").warning("not_an_order", file=path.name)
            path.replace(path.with_suffix(".bad"))
            continue
        await accept(OFFICE.channel, [inbound])
        path.unlink(missing_ok=True)
        taken += 1
    return taken


async def hear_orders(
    folder: Path, accept: Callable[[str, Sequence[Inbound]], Awaitable[None]], clock: Clock
) -> None:
    """Look into the folder until cancelled."""
    while True:
        if folder.is_dir():
            try:
                await take(folder, accept, clock())
            except (OSError, StorageError):
                get_logger("command_spool").exception("orders_failed")
        await asyncio.sleep(EVERY)


def wait_taken(path: Path, seconds: float, sleep: Callable[[float], None]) -> bool:
    """Whether a running bot took the order within *seconds*."""
    for _ in range(max(1, int(seconds / 0.2))):
        with contextlib.suppress(OSError):
            if not path.exists():
                return True
        sleep(0.2)
    return not path.exists()
