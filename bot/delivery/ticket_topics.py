"""A ticket is addressed as "ticket:1042"; a topic of the group is opened for it when something is to be shown
there, and opened anew when it was deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.adapters.base import Adapter
from bot.clock import Clock
from bot.delivery.ticket_views import TicketViews
from bot.errors import DeliveryError, RetryLater, TopicRefused, Uncertain
from bot.model import Event, Outbound, OutboundKind, Peer, Priority, RichText, Sent
from bot.storage.base import Delivery, DeliveryResult, Store

TICKET_THREAD = "ticket:"
# so long it is taken for true whether a chat has topics, and that a ticket gets none there
KNOWN = timedelta(seconds=60)
ABOUT_TOPICS = (
    OutboundKind.OPEN_TOPIC,
    OutboundKind.RENAME_TOPIC,
    OutboundKind.CLOSE_TOPIC,
    OutboundKind.REOPEN_TOPIC,
)
# these find their message without a topic
ON_A_MESSAGE = (OutboundKind.EDIT, OutboundKind.PIN, OutboundKind.DELETE, OutboundKind.REACT)


class TopicOpened(DeliveryError):
    """The turn was spent on opening the topic; the delivery itself is taken again, with a turn of its own in
    the group's budget.
    """


class SpareTopic(DeliveryError):
    """The chat has no topics: what was enqueued about one is moot."""


class TicketTopics:
    """The threads of tickets. *send* makes one call of a platform for a delivery."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        views: TicketViews,
        send: Callable[[Adapter, Outbound, Delivery], Awaitable[Sent]],
    ) -> None:
        self._store, self._clock, self._views, self._send = store, clock, views, send
        self._opening: dict[tuple[str, str, int], asyncio.Lock] = {}
        self._forums: dict[tuple[str, str], tuple[bool, datetime]] = {}
        # tickets that got no topic lately: they are shown in the chat itself
        self._topicless: dict[tuple[str, str, int], datetime] = {}

    def forget(self) -> None:
        """A group is not as it was: whether it has topics is asked anew."""
        self._forums.clear()
        self._topicless.clear()

    async def addressed(self, adapter: Adapter, delivery: Delivery) -> Outbound:
        """The delivery with its real thread: a ticket's topic is a view, opened when something is to be shown
        there.
        """
        outbound = delivery.outbound
        to = outbound.to
        if not to.thread.startswith(TICKET_THREAD):
            return outbound
        ticket = int(to.thread.removeprefix(TICKET_THREAD))
        apart = self._topicless.get((to.channel, to.chat, ticket))
        if not await self._is_forum(adapter, to.chat) or (apart is not None and self._clock() < apart):
            if outbound.kind in ABOUT_TOPICS:
                raise SpareTopic
            return replace(outbound, to=replace(to, thread=""))
        async with self._opening.setdefault((to.channel, to.chat, ticket), asyncio.Lock()):
            thread = await self._store.topic(ticket, to.channel, to.chat)
            if thread is None and outbound.kind in ABOUT_TOPICS:
                raise SpareTopic
            if thread is None and outbound.kind in ON_A_MESSAGE:
                return replace(outbound, to=replace(to, thread=""))
            if thread is None:
                opened = await self._open_topic(adapter, to, ticket, delivery)
                await self._store.keep_topic(ticket, to.channel, to.chat, opened.message)
                raise TopicOpened
        return replace(outbound, to=replace(to, thread=thread), heading=RichText())

    async def gone(self, delivery: Delivery) -> DeliveryResult | None:
        """What becomes of a delivery whose topic was deleted; None where it is no ticket's."""
        to = delivery.outbound.to
        if not to.thread.startswith(TICKET_THREAD):
            return None
        ticket = int(to.thread.removeprefix(TICKET_THREAD))
        about = (
            delivery.outbound.kind in ABOUT_TOPICS and delivery.outbound.kind is not OutboundKind.OPEN_TOPIC
        )
        if about or delivery.outbound.priority is Priority.COSMETIC:
            return DeliveryResult("cancelled", error="the topic is gone")
        thread = await self._store.topic(ticket, to.channel, to.chat)
        if thread is not None:
            await self._store.forget_topic(to.channel, to.chat, thread)
        self._forums.pop((to.channel, to.chat), None)  # it may be that topics were switched off
        ahead = await self._views.repost(ticket, to)
        return DeliveryResult(
            "pending",
            due=self._clock(),
            counted=False,
            error="the topic was deleted",
            ahead=ahead,
            events=(Event("topic_remade", ticket=ticket),),
        )

    def refused(self, delivery: Delivery, error: TopicRefused) -> DeliveryResult | None:
        """No topic for this ticket now (the right is missing, topics are off): it is said in the chat itself,
        under its number. None where it was refused even there.
        """
        to, now = delivery.outbound.to, self._clock()
        refused = refusal(delivery, error)
        if delivery.outbound.kind in ABOUT_TOPICS:
            return DeliveryResult("cancelled", error=str(error), events=(refused,))
        if not to.thread.startswith(TICKET_THREAD):
            return None
        key = (to.channel, to.chat, int(to.thread.removeprefix(TICKET_THREAD)))
        if now < self._topicless.get(key, now):
            return None
        self._forums.pop((to.channel, to.chat), None)
        self._topicless[key] = now + KNOWN
        return DeliveryResult("pending", due=now, counted=False, error=str(error), events=(refused,))

    async def opened(self, delivery: Delivery) -> DeliveryResult:
        """The ticket's new topic begins with its card, also where that was shown in the chat itself
        before.
        """
        outbound, ahead = delivery.outbound, ()  # type: Outbound, tuple[Outbound, ...]
        ticket = int(outbound.to.thread.removeprefix(TICKET_THREAD))
        card = f"card:{ticket}"
        if outbound.name != card and await self._store.deliveries(
            status=["sent"], peer=outbound.to, name=card, limit=1
        ):
            ahead = await self._views.repost(ticket, outbound.to)
        return DeliveryResult("pending", due=self._clock(), counted=False, ahead=ahead)

    async def _open_topic(self, adapter: Adapter, to: Peer, ticket: int, delivery: Delivery) -> Sent:
        opening = Outbound(
            replace(to, thread=""),
            RichText(await self._views.topic_name(ticket)),
            kind=OutboundKind.OPEN_TOPIC,
            ticket=ticket,
        )
        try:
            return await self._send(adapter, opening, replace(delivery, target=""))
        except Uncertain as error:  # an empty topic more is a smaller evil than words in none
            raise RetryLater(str(error), after=2) from error

    async def _is_forum(self, adapter: Adapter, chat: str) -> bool:
        key, now = (adapter.name, chat), self._clock()
        known = self._forums.get(key)
        if known is None or not timedelta(0) <= now - known[1] < KNOWN:
            known = (adapter.limits.topics and (await adapter.chat_info(chat)).kind == "forum", now)
            self._forums[key] = known
        return known[0]


def refusal(delivery: Delivery, error: TopicRefused) -> Event:
    """What is told of a group that gives no topics."""
    to = delivery.outbound.to
    return Event("desk_refused", data={"channel": to.channel, "chat": to.chat, "why": str(error)})
