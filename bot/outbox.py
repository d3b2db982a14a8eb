"""The outbox, the only stage that sends: what was enqueued is delivered, again if it must be, in order,
within the limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.adapters.base import Adapter, File
from bot.clock import Clock
from bot.delivery.rate_limit import LONGEST, RateLimit
from bot.errors import (
    AccountError,
    BadFormat,
    ChatMoved,
    DeliveryError,
    PeerGone,
    Refused,
    RetryLater,
    StorageError,
    TopicGone,
    TopicRefused,
    Uncertain,
)
from bot.model import Attachment, Event, Outbound, OutboundKind, Peer, Priority, RichText, Sent
from bot.model.desk_state import moved_setting
from bot.observability import Observers, get_logger
from bot.storage.base import Delivery, DeliveryResult, Store

AT_ONCE = 32  # deliveries under way together; at most one for each peer and priority
PATIENCE = {
    Priority.MESSAGE: 2000,
    Priority.NOTICE: 50,
    Priority.COSMETIC: 3,
    Priority.BULK: 20,
}  # counted tries before giving up, about a day for words
LONGEST_PAUSE = {
    Priority.MESSAGE: 45.0,
    Priority.NOTICE: 300.0,
    Priority.COSMETIC: 300.0,
    Priority.BULK: 300.0,
}  # seconds between two tries
MAX_DOUBTS = (
    5  # each one independent of the others: an adapter tries a broken line with something harmless first
)
SOON = 1.5  # seconds that a taken delivery may wait for its turn
TICKET_THREAD = "ticket:"
KNOWN = timedelta(
    seconds=60
)  # so long it is taken for true whether a chat has topics, and that a ticket gets none there
ABOUT_TOPICS = (
    OutboundKind.OPEN_TOPIC,
    OutboundKind.RENAME_TOPIC,
    OutboundKind.CLOSE_TOPIC,
    OutboundKind.REOPEN_TOPIC,
)
ON_A_MESSAGE = (
    OutboundKind.EDIT,
    OutboundKind.PIN,
    OutboundKind.DELETE,
    OutboundKind.REACT,
)  # these find their message without a topic


class TicketViews(Protocol):
    """What the outbox asks the desk about the tickets it shows (bot/handoff/delivery_views.py)."""

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


class AttachmentReader:
    """The content of attachments, whoever holds them: the disk or another channel."""

    def __init__(self, adapters: Mapping[str, Adapter], read_local: Callable[[str], File]) -> None:
        self._adapters, self._read_local = adapters, read_local

    async def read(self, attachment: Attachment) -> File:
        if not attachment.channel:
            return await asyncio.to_thread(self._read_local, attachment.ref)
        if (adapter := self._adapters.get(attachment.channel)) is None:
            raise Refused(f"channel {attachment.channel} is not running")
        return await adapter.read(attachment)


class Outbox:
    """Delivers until `stop`; what is then under way is waited for, the rest stays enqueued."""

    def __init__(
        self,
        store: Store,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        *,
        views: TicketViews,
        files: AttachmentReader,
        observers: Observers | None = None,
    ) -> None:
        self._store, self._adapters, self._clock = store, adapters, clock
        self._views, self._files = views, files
        self._observers = observers or Observers()
        self._pace = RateLimit(adapters, clock.monotonic)
        self._awake = asyncio.Event()
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._in_hand: set[int] = set()
        self._opening: dict[tuple[str, str, int], asyncio.Lock] = {}
        self._forums: dict[tuple[str, str], tuple[bool, datetime]] = {}
        self._topicless: dict[
            tuple[str, str, int], datetime
        ] = {}  # tickets that got no topic lately: they are shown in the chat itself
        self._log = get_logger("outbox")

    def wake(self) -> None:
        self._awake.set()

    def seen(self, event: Event) -> None:
        """A group is not as it was: whether it has topics is asked anew."""
        if event.kind in ("desk_checked", "desk_found", "desk_lost", "chat_moved"):
            self._forums.clear()
            self._topicless.clear()

    async def run(self, *, grace: float = 8.0) -> None:
        """Deliver until `stop` is called or this is cancelled; sends under way get *grace* seconds to end."""
        await self.take_over()
        try:
            while not self._stopping:
                self._awake.clear()
                try:
                    if not await self._deliver_some():
                        await self._sleep()
                except StorageError as error:
                    self._log.error("storage_failed", error=str(error))
                    await asyncio.sleep(1)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=grace)

    async def take_over(self) -> None:
        """What an earlier process left under way is in doubt, and what it sent lately counts for the
        limits.
        """
        now = self._clock()
        held = [
            d for d in await self._store.deliveries(status=["sending"]) if d.outbound.on_uncertain == "hold"
        ]
        await self._store.recover(now)
        if asked := [o for d in held for o in await self._views.doubtful(d)]:
            await self._store.enqueue(asked, now)
        for outbound, begun, tries in await self._store.sends_since(now - timedelta(seconds=LONGEST)):
            ago = (now - begun).total_seconds()
            if outbound.to.thread.startswith(TICKET_THREAD) and outbound.name.startswith("card:"):
                self._pace.recall(
                    replace(outbound, kind=OutboundKind.OPEN_TOPIC), ago
                )  # a card is the first in a topic just opened
            for _ in range(min(max(tries, 1), MAX_DOUBTS)):
                self._pace.recall(outbound, ago)

    async def take_back(self, late: timedelta) -> int:
        """What is called under way for longer than *late* although nobody here is at it goes again, with the
        doubt on record.
        """
        now = self._clock()
        return await self._store.recover(now, begun=now - late, but=self._in_hand)

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    async def run_waiting(self) -> int:
        """Deliver all that may go now and wait for it; returns how many.

        For tests, the terminal and replays.
        """
        count = 0
        while taken := await self._store.take_deliveries(self._clock(), limit=AT_ONCE):
            await asyncio.gather(*(self._deliver(d) for d in taken))
            count += len(taken)
        return count

    async def hint_typing(self, peer: Peer) -> None:
        """Show "typing…" where that is possible; never an error, never a delivery."""
        if (adapter := self._adapters.get(peer.channel)) is not None:
            with contextlib.suppress(Exception):
                await adapter.hint_typing(peer.chat, peer.thread)

    # --- taking

    async def _deliver_some(self) -> int:
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        missing = {(name, "") for name in await self._channels_not_here()}
        taken = await self._store.take_deliveries(
            self._clock(), limit=free, resting=self._pace.resting() | missing
        )
        for delivery in taken:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(taken)

    async def _channels_not_here(self) -> set[str]:
        return {name for name, a in self._adapters.items() if a.health.state == "stopped"}

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("delivery_crashed", error=f"{type(error).__name__}: {error}")
        self.wake()

    async def _sleep(self) -> None:
        now = self._clock()
        due = await self._store.next_delivery(now)
        pause = 5.0 if due is None else (due - now).total_seconds()
        pause = min(max(pause, self._pace.next_free(), 0.02), 5.0)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), pause)

    # --- one delivery

    async def _deliver(self, delivery: Delivery) -> None:
        self._in_hand.add(delivery.id)
        try:
            await self._carry_out(delivery)
        finally:
            self._in_hand.discard(delivery.id)

    async def _carry_out(self, delivery: Delivery) -> None:
        settled = await self._try(delivery)
        while True:
            try:
                await self._store.settle(delivery, settled, self._clock())
                break
            except StorageError as error:  # the send is over; only its record is missing: keep at it
                self._log.error("settle_failed", delivery=delivery.id, error=str(error))
                await asyncio.sleep(0.5)
        for event in settled.events:
            self._observers.seen(event)
        if settled.say:
            self.wake()

    async def _try(self, delivery: Delivery) -> DeliveryResult:
        adapter = self._adapters.get(delivery.outbound.to.channel)
        if adapter is None:
            return DeliveryResult(
                "pending",
                due=self._clock() + timedelta(minutes=1),
                counted=False,
                error="channel is not running",
            )
        if (
            pause := self._pace.begin(delivery.outbound, within=SOON)
        ) > SOON:  # not begun, so a crash puts nothing in doubt
            return DeliveryResult("pending", due=self._clock() + timedelta(seconds=pause), counted=False)
        try:
            try:
                await asyncio.sleep(pause)
                outbound = await self._addressed(adapter, delivery)
                sent = await adapter.send(
                    outbound, nonce=delivery.id, target=delivery.target, files=self._files
                )
            finally:
                self._pace.ended(delivery.outbound)
        except TopicGone:
            return await self._topic_gone(delivery)
        except TopicRefused as error:
            return await self._topic_refused(delivery, error)
        except DeliveryError as error:
            return await self._failed(delivery, error)
        except AccountError as error:
            self._pace.rest(delivery.outbound.to.channel, "", 60)
            return DeliveryResult(
                "pending", due=self._clock() + timedelta(minutes=1), counted=False, error=str(error)
            )
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not lose the delivery or stop the others
            self._log.exception("send_failed", delivery=delivery.id)
            return await self._failed(delivery, Uncertain(type(error).__name__))
        return DeliveryResult(
            "sent", message=sent.message, also=sent.also, say=self._views.delivered(delivery)
        )

    async def _addressed(self, adapter: Adapter, delivery: Delivery) -> Outbound:
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
                raise _NothingToDo
            return replace(outbound, to=replace(to, thread=""))
        async with self._opening.setdefault((to.channel, to.chat, ticket), asyncio.Lock()):
            thread = await self._store.topic(ticket, to.channel, to.chat)
            if thread is None and outbound.kind in ABOUT_TOPICS:
                raise _NothingToDo
            if thread is None and outbound.kind in ON_A_MESSAGE:
                return replace(outbound, to=replace(to, thread=""))
            if thread is None:
                opened = await self._open_topic(adapter, to, ticket, delivery.id)
                await self._store.keep_topic(ticket, to.channel, to.chat, opened.message)
                raise _TopicOpened
        return replace(outbound, to=replace(to, thread=thread), heading=RichText())

    async def _open_topic(self, adapter: Adapter, to: Peer, ticket: int, nonce: int) -> Sent:
        opening = Outbound(
            replace(to, thread=""),
            RichText(await self._views.topic_name(ticket)),
            kind=OutboundKind.OPEN_TOPIC,
            ticket=ticket,
        )
        try:
            return await adapter.send(opening, nonce=nonce, target="", files=self._files)
        except Uncertain as error:  # an empty topic more is a smaller evil than words in none
            raise RetryLater(str(error), after=2) from error

    async def _is_forum(self, adapter: Adapter, chat: str) -> bool:
        key, now = (adapter.name, chat), self._clock()
        known = self._forums.get(key)
        if known is None or not timedelta(0) <= now - known[1] < KNOWN:
            known = (adapter.limits.topics and (await adapter.chat_info(chat)).kind == "forum", now)
            self._forums[key] = known
        return known[0]

    # --- what did not simply succeed

    async def _topic_gone(self, delivery: Delivery) -> DeliveryResult:
        to = delivery.outbound.to
        if not to.thread.startswith(TICKET_THREAD):
            return await self._failed(delivery, Refused("the thread is gone"))
        ticket = int(to.thread.removeprefix(TICKET_THREAD))
        if (
            delivery.outbound.kind
            in (
                OutboundKind.RENAME_TOPIC,
                OutboundKind.CLOSE_TOPIC,
                OutboundKind.REOPEN_TOPIC,
            )
            or delivery.outbound.priority is Priority.COSMETIC
        ):
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

    async def _topic_refused(self, delivery: Delivery, error: TopicRefused) -> DeliveryResult:
        """No topic for this ticket now (the right is missing, topics are off): it is said in the chat itself,
        under its number.
        """
        to, now = delivery.outbound.to, self._clock()
        refused = Event("desk_refused", data={"channel": to.channel, "chat": to.chat, "why": str(error)})
        if delivery.outbound.kind in ABOUT_TOPICS:
            return DeliveryResult("cancelled", error=str(error), events=(refused,))
        key = (
            (to.channel, to.chat, int(to.thread.removeprefix(TICKET_THREAD)))
            if to.thread.startswith(TICKET_THREAD)
            else None
        )
        if key is None or now < self._topicless.get(key, now):  # not even there
            failed = await self._failed(delivery, error)
            return replace(failed, events=(*failed.events, refused))
        self._forums.pop((to.channel, to.chat), None)
        self._topicless[key] = now + KNOWN
        return DeliveryResult("pending", due=now, counted=False, error=str(error), events=(refused,))

    async def _opened(self, delivery: Delivery) -> DeliveryResult:
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

    async def _failed(self, delivery: Delivery, error: DeliveryError) -> DeliveryResult:
        outbound, now, reason = delivery.outbound, self._clock(), str(error)
        if isinstance(error, _NothingToDo):
            return DeliveryResult("cancelled")
        if isinstance(error, _TopicOpened):
            return await self._opened(delivery)
        if isinstance(error, RetryLater):
            if error.scope == "account":
                self._pace.rest(outbound.to.channel, "", error.after)
            elif not error.counts:
                self._pace.rest(outbound.to.channel, outbound.to.chat, error.after)
            if error.counts and delivery.tries + 1 >= PATIENCE[outbound.priority]:
                return await self._given_up(delivery, error)
            pause = (
                error.after
                if not error.counts
                else max(
                    error.after, min(LONGEST_PAUSE[outbound.priority], 0.5 * 2 ** min(delivery.tries, 10))
                )
            )
            due = now + timedelta(seconds=pause * random.uniform(1, 1.2))
            return DeliveryResult(
                "pending", due=due, counted=error.counts, error=reason, doubted=error.doubted
            )
        if isinstance(error, Uncertain):
            if outbound.priority is Priority.COSMETIC:
                return DeliveryResult("cancelled", error=reason, doubted=True)
            if outbound.on_uncertain == "hold" or delivery.doubts + 1 >= MAX_DOUBTS:
                event = _event("delivery_unknown", delivery, reason)
                asked = await self._views.doubtful(delivery)
                return DeliveryResult("unknown", error=reason, doubted=True, say=asked, events=(event,))
            return DeliveryResult(
                "pending", due=now + timedelta(seconds=1 + delivery.doubts * 4), doubted=True, error=reason
            )
        if isinstance(error, ChatMoved):
            return await self._chat_moved(outbound, error.chat)
        if (
            isinstance(error, BadFormat)
            and (outbound.text.spans or outbound.quotes)
            and outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT)
        ):
            plain = replace(
                outbound,
                text=RichText(outbound.text.text),
                heading=RichText(outbound.heading.text),
                quotes="",
            )
            return DeliveryResult("pending", due=now, outbound=plain, error=reason)
        if isinstance(error, PeerGone):
            given_up = await self._given_up(delivery, error)
            lost = await self._views.lost(outbound.to)
            return replace(given_up, unreachable=True, events=(*given_up.events, *lost))
        return await self._given_up(delivery, error)

    async def _chat_moved(self, outbound: Outbound, chat: str) -> DeliveryResult:
        channel, old = outbound.to.channel, outbound.to.chat
        await self._store.move_chat(channel, old, chat)
        await self._store.keep_setting(moved_setting(channel, old), chat)
        self._forums.clear()
        event = Event("chat_moved", data={"channel": channel, "old": old, "new": chat})
        moved = replace(outbound, to=replace(outbound.to, chat=chat))
        return DeliveryResult("pending", due=self._clock(), counted=False, outbound=moved, events=(event,))

    async def _given_up(self, delivery: Delivery, error: DeliveryError) -> DeliveryResult:
        """The delivery is given up: recorded, and said loudly where a person is responsible."""
        reason = str(error)
        if (
            delivery.outbound.priority is Priority.COSMETIC
            or delivery.outbound.kind is OutboundKind.ACKNOWLEDGE
        ):
            return DeliveryResult("failed", error=reason)
        self._log.warning("undeliverable", delivery=delivery.id, code=error.code, reason=reason)
        if delivery.outbound.kind is OutboundKind.ANNOUNCE:
            return DeliveryResult(
                "failed", error=reason, events=(_event("webhook_failed", delivery, reason),)
            )
        return DeliveryResult(
            "failed",
            error=reason,
            say=await self._views.undelivered(delivery, error.code),
            events=(_event("delivery_failed", delivery, reason),),
        )


class _TopicOpened(DeliveryError):
    """The turn was spent on opening the topic; the delivery itself is taken again, with a turn of its own in
    the group's budget.
    """


class _NothingToDo(DeliveryError):
    """The chat has no topics: what was enqueued about one is moot."""


def _event(kind: str, delivery: Delivery, reason: str) -> Event:
    data = {"delivery": delivery.id, "channel": delivery.outbound.to.channel, "reason": reason}
    return Event(kind, conversation=delivery.conversation, ticket=delivery.outbound.ticket, data=data)
