"""The inbox: what arrives is kept once, before the platform is told to forget it, and the engine is woken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.clock import Clock
from bot.model import Inbound, InboundKind
from bot.storage.base import ScheduledInbound, Store
from bot.text.person_names import shown_name

ALBUM_PAUSE = timedelta(seconds=1)  # an album has no end mark; its parts come within about half a second


class Inbox:
    """What adapters hand inbounds to.

    *settle* is how long a customer's typed words wait for the next ones, *settle_limit* how long at most.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        settle: timedelta = timedelta(seconds=1.2),
        settle_limit: timedelta = timedelta(seconds=4),
        wake: Callable[[], None] = lambda: None,
        kept: Callable[[Inbound], None] = lambda inbound: None,
    ) -> None:
        self._store, self._clock = store, clock
        self._settle, self._limit = settle, settle_limit
        self._wake, self._kept = wake, kept

    async def accept(self, channel: str, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        """Keep *inbounds* and move the channel's cursor, in one transaction. The same again changes nothing.

        Raises `StorageError`; then nothing was kept and the platform must not be told anything.
        """
        new = await self._store.accept(channel, [self._arrival(i) for i in inbounds], cursor=cursor)
        if new:
            self._wake()
            for inbound in inbounds:
                self._kept(inbound)

    def _arrival(self, inbound: Inbound) -> ScheduledInbound:
        who = inbound.sender
        seen = replace(who, name=shown_name(who.name), last_name=shown_name(who.last_name))
        inbound = inbound if seen == who else replace(inbound, sender=seen)
        now = self._clock()
        pause = self._settle if inbound.private and inbound.kind is InboundKind.MESSAGE else timedelta()
        if inbound.album:
            pause = max(pause, ALBUM_PAUSE)
        return ScheduledInbound(inbound, ready=now + pause, limit=now + max(self._limit, pause))
