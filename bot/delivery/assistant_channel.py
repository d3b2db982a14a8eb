"""The assistant as a channel: each delivery is one request of an operator, and the reply comes back as an
inbound of the ticket's conversation.

So it is in no turn's way, waits in the outbox like everything else, belongs to one process at a time and
survives a crash: what was under way is asked for again, and a reply is kept once by the request's name.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

from bot.adapters.base import Accept, File, Files, Health, Limits
from bot.adapters.groupless_adapter import GrouplessAdapter
from bot.clock import Clock
from bot.delivery.operator_assistant import OperatorAssistant
from bot.errors import Refused, RetryLater
from bot.model import ASSISTANT, Attachment, Inbound, InboundKind, Outbound, Sender, Sent

HandIn = Callable[[str, Sequence[Inbound]], Awaitable[None]]  # to the inbox, as of a channel
AT_ONCE = 4  # requests under way: the other places of the outbox are for people


class AssistantChannel(GrouplessAdapter):
    """Nobody is at its other end but the assistant. `begin` joins it to the service."""

    kind = "assistant"

    def __init__(self, clock: Clock) -> None:
        self.name, self.platform_name, self._clock = ASSISTANT, "", clock
        self.limits = Limits(per_second=0, peer_per_second=0, group_per_minute=0)
        self.health = Health("working", awaited=False)
        self._work: OperatorAssistant | None = None
        self._hand_in: HandIn | None = None
        self._under_way = 0

    def begin(self, work: OperatorAssistant, hand_in: HandIn) -> None:
        """Carry requests out by *work*, and hand replies in. Called once, before anything is sent."""
        self._work, self._hand_in = work, hand_in

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        await asyncio.Event().wait()  # nothing happens there by itself

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`: done when the reply is kept."""
        if self._under_way >= AT_ONCE:
            raise RetryLater("busy", after=1.0, scope="account", counts=False)
        if self._work is None or self._hand_in is None:
            raise RetryLater("not ready", counts=False)
        body = json.loads(outbound.text.text)
        self._under_way += 1
        try:
            made = await self._work.carry_out(int(body["ticket"]), str(body["request"]))
        finally:
            self._under_way -= 1
        if made is None:
            return Sent()
        ticket, reply = made
        inbound = Inbound(
            outbound.name,
            ticket.customer_peer,
            Sender("", ""),
            self._clock(),
            InboundKind.INTERNAL,
            payload=reply,
        )
        await self._hand_in(ticket.customer_peer.channel, [inbound])
        return Sent(str(nonce))

    async def read(self, attachment: Attachment) -> File:
        raise Refused("the assistant holds no files")
