"""What happens is told to other systems: each recorded event becomes a delivery to every webhook that asked
for its kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial

from bot.clock import Clock
from bot.config.handoff import Webhook
from bot.errors import StorageError
from bot.model import PLAYED, Event, Outbound, OutboundKind, Peer, Priority, RichText
from bot.observability import get_logger
from bot.storage.base import Store, StoredEvent
from bot.storage.privacy import KEPT

PREFIX = "hook-"  # begins the channel names of webhooks
PORTION = 200  # events looked at in one transaction
TICK = 5.0  # seconds after which it looks without being woken
_SILENT = frozenset({"webhook_failed"})  # telling of these would never end


class Announcer:
    """Follows the events with a cursor for each webhook, kept in the transaction of its deliveries: none is
    missed or enqueued twice.

    A new webhook hears what happens from its first start on. *salt* makes the ids of two databases differ.
    """

    def __init__(
        self,
        store: Store,
        hooks: Mapping[str, Webhook],
        clock: Clock,
        *,
        salt: str = "",
        enqueued: Callable[[], object] = lambda: None,
    ) -> None:
        self._store, self._clock, self._salt, self._enqueued = store, clock, salt, enqueued
        self._hooks = dict(hooks)
        self._awake = asyncio.Event()

    def seen(self, event: Event) -> None:
        """As an observer: something was committed."""
        if self._hooks:
            self._awake.set()

    async def go(self) -> int:
        """Enqueue what is new; returns how many events were looked at. Raises `StorageError`."""
        count = 0
        for name, hook in self._hooks.items():
            channel = PREFIX + name
            say = partial(self._delivery, hook, channel)
            while looked := await self._store.announce(channel, say, self._clock(), limit=PORTION):
                count += looked
        if count:
            self._enqueued()
        return count

    async def run(self) -> None:
        """`go` whenever something was committed, until cancelled."""
        while self._hooks:
            self._awake.clear()
            try:
                await self.go()
            except StorageError as error:
                get_logger("webhook_events").error("storage_failed", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), TICK)

    def _delivery(self, hook: Webhook, channel: str, recorded: StoredEvent) -> Outbound | None:
        kind = recorded.event.kind
        if kind in _SILENT or not ("*" in hook.events or kind in hook.events):
            return None
        if recorded.peer is not None and recorded.peer.channel == PLAYED:
            return None  # nobody: other systems would take them for a customer
        if str(recorded.event.data.get("channel", "")).startswith(PREFIX):
            return None  # about a webhook itself
        id = f"evt_{self._salt}_{recorded.id}"
        body = json.dumps(told(recorded, words=hook.words), ensure_ascii=False, default=str)
        return Outbound(
            Peer(channel, "events"),
            RichText(body),
            kind=OutboundKind.ANNOUNCE,
            name=id,
            priority=Priority.BULK,
            author="",
        )


def told(recorded: StoredEvent, *, words: bool) -> dict[str, object]:
    """The body of an announcement.

    Without *words* it holds ids, figures and the names of our own things, nothing of what people wrote.
    """
    event = recorded.event
    data: dict[str, object] = {
        "customer": recorded.customer,
        "conversation": event.conversation,
        "ticket": event.ticket,
        "actor": _actor(recorded, words),
    }
    if recorded.peer is not None:
        data["channel"] = recorded.peer.channel
        if words:
            data["chat"] = recorded.peer.chat
    details = dict(event.data) if words else {k: v for k, v in event.data.items() if _is_plain(k, v)}
    assert event.at is not None
    return {
        "type": event.kind,
        "timestamp": event.at.astimezone(UTC).isoformat(),
        "data": {**data, "details": details},
    }


def _is_plain(key: str, value: object) -> bool:
    return isinstance(value, (bool, int, float)) or (
        key in KEPT and isinstance(value, str) and len(value) <= 64
    )


def _actor(recorded: StoredEvent, words: bool) -> str:
    """Who did it: customer, operator, bot, or the key of another system; with *words* an operator's own
    id.
    """
    actor = recorded.event.actor
    own = (recorded.peer.chat, f"{recorded.peer.channel}:{recorded.peer.chat}") if recorded.peer else ()
    if actor in ("customer", *own):
        return "customer"
    if not actor or actor == "bot":
        return "bot"
    return actor if words or actor.startswith("api:") else "operator"
