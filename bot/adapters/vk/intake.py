"""From VK's events to inbounds that are ready to be kept: cropped messages made whole, senders named, lost
ones fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from bot.adapters import vk_context
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import VkRefusal, VkSilence, row
from bot.adapters.vk.updates import VkReader
from bot.adapters.vk.users import SenderCache
from bot.model import Inbound
from bot.observability import get_logger

PAGE = 200
CONVERSATION_PAGES = 25
HISTORY_PAGES = 5
TRIES = 5  # of each question of a catch-up
# seconds before the last known moment: clocks differ, and what is known already is dropped by its key
MARGIN = 600.0
RECENT = 1800.0  # seconds within which a message may be lost although it counts as read and answered
FORGOTTEN = 86_400.0  # how far back to look when the cursor does not tell


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where we stand: VK's `ts` ("" in callback mode) and when something was last kept, in Unix seconds (0 =
    unknown).
    """

    ts: str
    at: float

    def __str__(self) -> str:
        return f"{self.ts}@{int(self.at)}"


def read_cursor(text: str) -> Cursor:
    """
    >>> read_cursor("105@1795294000"), read_cursor("105")
    (Cursor(ts='105', at=1795294000.0), Cursor(ts='105', at=0.0))
    """
    ts, _, at = text.partition("@")
    return Cursor(ts, float(at) if at.isdigit() else 0.0)


class Intake:
    """What both ways of receiving share."""

    def __init__(
        self,
        client: VkClient,
        reader: VkReader,
        people: SenderCache,
        *,
        channel: str,
        group_id: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._client, self._reader, self._people, self._channel, self._group = (
            client,
            reader,
            people,
            channel,
            group_id,
        )
        self._clock = clock
        self._log = get_logger("vk")

    async def read(self, events: Sequence[object]) -> tuple[Inbound, ...]:
        """The inbounds of *events*. Never fails: what VK does not tell now is left out."""
        return await self._named(self._reader.read_all([await self._whole(e) for e in events]))

    async def missed(self, since: float) -> tuple[Inbound, ...]:
        """What customers wrote since the moment *since* (Unix seconds), as far as no person has answered it
        by hand.

        Long ago only what is unread or unanswered counts; lately everything, because our own read mark or
        answer may have come between two messages. The keys are those of the events, so what was kept already
        is not kept twice. Raises `VkRefusal`, `VkSilence`.
        """
        early = since - MARGIN
        late = max(early, self._clock().timestamp() - RECENT)
        peers = dict.fromkeys(await self._conversations("all", late), late)
        for waiting in ("unread", "unanswered"):
            peers |= dict.fromkeys(await self._conversations(waiting, early), early)
        messages: list[Mapping[str, Any]] = []
        for peer, moment in peers.items():
            messages += await self._history(peer, moment)
        messages.sort(key=lambda m: (_seconds(m), m.get("conversation_message_id") or 0))
        found = [i for m in messages if (i := self._from_history(m)) is not None]
        self._log.warning("caught_up", channel=self._channel, conversations=len(peers), messages=len(found))
        return await self._named(found)

    async def mark_read(self, peers: Sequence[str]) -> None:
        """Tell VK that these chats were read. Never fails, and gives way to real work."""
        for peer in dict.fromkeys(peers):
            if self._client.busy:
                return
            try:
                await self._client.call_aside(
                    "messages.markAsRead",
                    peer_id=int(peer),
                    group_id=self._group,
                    mark_conversation_as_read=1,
                )
            except (VkRefusal, VkSilence):
                return

    # --- parts

    async def _named(self, found: Sequence[Inbound]) -> tuple[Inbound, ...]:
        forwarded = {who for i in found for who in vk_context.authors(i.context)}
        await self._people.learn((*(i.sender.id for i in found), *sorted(forwarded)))
        known = {who: self._people.known(who) for who in forwarded}
        return tuple(
            replace(i, sender=self._people.name(i.sender), context=vk_context.named(i.context, known))
            for i in found
        )

    async def _whole(self, event: object) -> object:
        """A long message comes cropped: the rest must be asked for."""
        what = event.get("object") if isinstance(event, Mapping) else None
        message = what.get("message", what) if isinstance(what, Mapping) else None
        if (
            not isinstance(event, Mapping)
            or not isinstance(what, Mapping)
            or not isinstance(message, Mapping)
            or not message.get("is_cropped")
        ):
            return event
        try:
            answer = await self._client.call(
                "messages.getByConversationMessageId",
                peer_id=message.get("peer_id"),
                conversation_message_ids=message.get("conversation_message_id"),
                group_id=self._group,
            )
            whole = answer["items"][0]
        except (VkRefusal, VkSilence, KeyError, IndexError, TypeError):
            return event
        return {**event, "object": {**what, "message": whole} if "message" in what else whole}

    async def _conversations(self, waiting: str, since: float) -> list[int]:
        found: list[int] = []
        for page in range(CONVERSATION_PAGES):
            answer = await self._ask(
                "messages.getConversations",
                filter=waiting,
                count=PAGE,
                offset=page * PAGE,
                group_id=self._group,
            )
            items = _items(answer)
            recent = [i for i in items if _seconds(i.get("last_message")) >= since]
            found += [peer for i in recent if (peer := _peer(i))]
            if len(items) < PAGE or not recent:
                break
        return found

    async def _history(self, peer: int, since: float) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(HISTORY_PAGES):
            answer = await self._ask(
                "messages.getHistory", peer_id=peer, count=PAGE, offset=page * PAGE, group_id=self._group
            )
            items = _items(answer)
            recent = list(takewhile(lambda m: _seconds(m) >= since and not self._reader.is_by_hand(m), items))
            found += recent
            if len(items) < PAGE or len(recent) < len(items):
                break
        return found

    async def _ask(self, method: str, **parameters: Any) -> Any:
        """One of many calls in a row: begun anew for each that fails, the row would never end in bad
        weather.
        """
        for attempt in range(TRIES - 1):
            try:
                return await self._client.call(method, **parameters)
            except VkSilence:
                await asyncio.sleep(0.2 * 2.0**attempt)
            except VkRefusal as error:
                if row(error.code).meaning != "later" or row(error.code).after > 5:
                    raise
                await asyncio.sleep(row(error.code).after)
        return await self._client.call(method, **parameters)

    def _from_history(self, message: Mapping[str, Any]) -> Inbound | None:
        # the same entry point as the events, so that one odd message is never in the way of the others
        found = self._reader.read_all([{"type": "message_new", "object": {"message": message}}])
        return found[0] if found else None


def _items(answer: object) -> list[Mapping[str, Any]]:
    items = answer.get("items") if isinstance(answer, Mapping) else None
    return [i for i in items if isinstance(i, Mapping)] if isinstance(items, list) else []


def _seconds(message: object) -> float:
    date = message.get("date") if isinstance(message, Mapping) else None
    return float(date) if isinstance(date, (int, float)) else 0.0


def _peer(item: Mapping[str, Any]) -> int:
    conversation = item.get("conversation")
    peer = conversation.get("peer") if isinstance(conversation, Mapping) else None
    number = peer.get("id") if isinstance(peer, Mapping) else None
    return number if isinstance(number, int) else 0
