"""What sending asks of the operators' side: how tickets are shown, and who is told of what did not arrive."""

from __future__ import annotations

from typing import Protocol

from bot.model import Event, Outbound, Peer
from bot.storage.base import Delivery


class TicketViews(Protocol):
    """See bot/handoff/delivery_views.py."""

    async def topic_name(self, ticket: int) -> str: ...

    async def repost(self, ticket: int, to: Peer) -> tuple[Outbound, ...]:
        """The card and the history again, for a topic that was deleted."""
        ...

    async def undelivered(self, delivery: Delivery, code: str) -> tuple[Outbound, ...]:
        """What the operators are told when a delivery was given up."""
        ...

    async def doubtful(self, delivery: Delivery) -> tuple[Outbound, ...]:
        """What the operators are asked about a delivery of which nobody can tell whether it arrived, and
        which is not sent again by itself.
        """
        ...

    def delivered(self, delivery: Delivery) -> tuple[Outbound, ...]:
        """The receipt that an operator sees."""
        ...

    async def lost(self, to: Peer) -> tuple[Event, ...]:
        """What follows from a chat that cannot be written to any more."""
        ...
