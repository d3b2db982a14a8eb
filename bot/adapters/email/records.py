"""What the channel asks of the store: which letter is answered, and to whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import Conversation, Customer, Inbound, Outbound, Peer


class SentRow(Protocol):
    """A row of the outbox."""

    @property
    def id(self) -> int: ...

    @property
    def outbound(self) -> Outbound: ...


class MailRecords(Protocol):
    """`Store`, as far as letters need it."""

    async def conversation(self, peer: Peer) -> Conversation | None: ...

    async def customer(self, id: int) -> Customer | None: ...

    async def find_inbound(self, channel: str, key: str) -> Inbound | None: ...

    async def newest_message(self, conversation: int) -> Inbound | None: ...

    async def deliveries(
        self, *, status: Collection[str] = (), after: int = 0, limit: int = 200
    ) -> Sequence[SentRow]: ...

    async def hit(self, name: str, now: datetime, within: timedelta) -> int: ...
