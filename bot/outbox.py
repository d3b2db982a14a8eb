"""The outbox, the only stage that sends: what was enqueued is delivered, again if it must be, in order,
within the limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.adapters.base import Adapter
from bot.clock import Clock
from bot.delivery.attachment_reader import AttachmentReader
from bot.delivery.own_channels import ForeignChannel, OwnChannels
from bot.delivery.rate_limit import LONGEST, RateLimit
from bot.delivery.ticket_topics import (
    TICKET_THREAD,
    SpareTopic,
    TicketTopics,
    TopicOpened,
    refusal,
)
from bot.delivery.ticket_views import TicketViews
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
from bot.leases import LeaseKeeper, channel_lease
from bot.model import Event, Outbound, OutboundKind, Peer, Priority, RichText, Sent
from bot.model.desk_state import moved_setting
from bot.observability import Logger, Observers, get_logger
from bot.storage.base import Delivery, DeliveryResult, Store

Made = TypeVar("Made")
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
LOOK = 5.0  # seconds between looks at the store at least
SHARED_LOOK = (0.25, 1.0)  # the shortest and the longest, where others enqueue, too


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
        self._views, self.files = views, files
        self._observers = observers or Observers()
        self._pace = RateLimit(adapters, clock.monotonic)
        self._topics = TicketTopics(store, clock, views, self._send)
        self._channels = OwnChannels(adapters)
        self._awake = asyncio.Event()
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._in_hand: dict[int, int] = {}  # deliveries, with the tenure in which they were taken
        self._calls: dict[asyncio.Timeout, str] = {}  # calls of platforms, with their channels
        self._log = get_logger("outbox")

    def share_channels(self, leases: LeaseKeeper) -> None:
        """Send to a channel only while its lease is held. To be called before anything is sent."""
        self._channels = OwnChannels(self._adapters, leases)
        leases.subscribe(self._lease_changed)
        leases.subscribe_ends(self._lease_ended)

    def wake(self) -> None:
        self._awake.set()

    def seen(self, event: Event) -> None:
        """A group is not as it was: whether it has topics is asked anew."""
        if event.kind in ("desk_checked", "desk_found", "desk_lost", "chat_moved"):
            self._topics.forget()

    async def run(self, *, grace: float = 8.0) -> None:
        """Deliver until `stop` is called or this is cancelled; sends under way get *grace* seconds to end."""
        if not self._channels.shared:
            await self.take_over()
        try:
            while not self._stopping:
                self._awake.clear()
                try:
                    await self._take_over_gained()
                    if not await self._deliver_some():
                        await self._sleep()
                except StorageError as error:
                    self._log.error("storage_failed", error=str(error))
                    await asyncio.sleep(1)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=grace)

    async def take_over(self, channel: str | None = None) -> None:
        """What an earlier sender left under way is in doubt, and what it sent lately counts for the limits;
        of one *channel*, or of all.
        """
        now = self._clock()
        left = [d for d in await self._store.deliveries(status=["sending"]) if self._is_left(d, channel)]
        if channel is None:
            await self._store.recover(now)
        else:
            await self._store.recover(now, begun=now, but=frozenset(self._in_hand), channels=[channel])
        held = [d for d in left if d.outbound.on_uncertain == "hold"]
        if asked := [o for d in held for o in await self._views.doubtful(d)]:
            await self._store.enqueue(asked, now)
        await self._recall_sends(channel, now)

    def _is_left(self, delivery: Delivery, channel: str | None) -> bool:
        return channel in (None, delivery.outbound.to.channel) and delivery.id not in self._in_hand

    async def _recall_sends(self, channel: str | None, now: datetime) -> None:
        sends = await self._store.sends_since(now - timedelta(seconds=LONGEST))
        if channel is not None:
            self._pace.forget(channel)
        for outbound, begun, tries in sends:
            if channel not in (None, outbound.to.channel):
                continue
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
        channels = list(self._channels.tenures()) if self._channels.shared else None
        return await self._store.recover(
            now, begun=now - late, but=frozenset(self._in_hand), channels=channels
        )

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    async def run_waiting(self) -> int:
        """Deliver all that may go now and wait for it; returns how many.

        For tests, the terminal and replays.
        """
        count = 0
        await self._take_over_gained()
        while taken := await self._take(AT_ONCE):
            await asyncio.gather(*(self._deliver(d) for d in taken))
            count += len(taken)
        return count

    async def hint_typing(self, peer: Peer) -> None:
        """Show "typing…" where that is possible; never an error, never a delivery."""
        adapter = self._adapters.get(peer.channel)
        if adapter is not None and self._channels.holds(peer.channel):
            with contextlib.suppress(Exception):
                await adapter.hint_typing(peer.chat, peer.thread)

    # --- whose channels they are

    async def _take_over_gained(self) -> None:
        for channel, tenure in self._channels.gained():
            await self.take_over(channel)
            self._channels.note_taken_over(channel, tenure)

    def _lease_changed(self, name: str, gained: bool) -> None:
        self.wake()

    def _lease_ended(self, name: str) -> None:
        """A call of a lost channel had some seconds to end; now it is broken off: whoever sends there next
        takes it for doubtful.
        """
        for call in [call for call, channel in self._calls.items() if channel_lease(channel) == name]:
            del self._calls[call]
            call.reschedule(asyncio.get_running_loop().time())

    # --- taking

    async def _deliver_some(self) -> int:
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        stopped = {(name, "") for name, a in self._adapters.items() if a.health.state == "stopped"}
        taken = await self._take(free, resting=self._pace.resting() | stopped)
        for delivery in taken:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(taken)

    async def _take(self, limit: int, *, resting: Collection[tuple[str, str]] = ()) -> tuple[Delivery, ...]:
        """Deliveries of this process's channels, from now on in its hand."""
        own = self._channels.tenures()
        if self._channels.shared and not own:
            return ()
        foreign = {(name, "") for name in self._adapters if name not in own}
        taken = await self._store.take_deliveries(self._clock(), limit=limit, resting={*resting, *foreign})
        self._in_hand |= {d.id: own.get(d.outbound.to.channel, 1) for d in taken}
        return taken

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("delivery_crashed", error=f"{type(error).__name__}: {error}")
        self.wake()

    async def _sleep(self) -> None:
        now = self._clock()
        least, most = SHARED_LOOK if self._channels.shared else (0.02, LOOK)
        due = await self._store.next_delivery(now) if self._channels.tenures() else None
        pause = most if due is None else (due - now).total_seconds()
        pause = min(max(pause, self._pace.next_free(), least), most)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), pause)

    # --- one delivery

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._carry_out(delivery)
        finally:
            self._in_hand.pop(delivery.id, None)

    async def _carry_out(self, delivery: Delivery) -> None:
        met = await self._try(delivery)
        # the send is over; only its record is missing: keep at it
        settled = await _insist(self._log, lambda: self._result(delivery, met))
        await _insist(self._log, lambda: self._store.settle(delivery, settled, self._clock()))
        for event in settled.events:
            self._observers.seen(event)
        if settled.say:
            self.wake()

    async def _try(self, delivery: Delivery) -> Sent | Exception | DeliveryResult:
        """Send it, where it may go now; what the platform answered."""
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
            await asyncio.sleep(pause)
            outbound = await self._topics.addressed(adapter, delivery)
            return await self._send(adapter, outbound, delivery)
        except (DeliveryError, AccountError, StorageError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not lose the delivery or stop the others
            self._log.exception("send_failed", delivery=delivery.id)
            return Uncertain(type(error).__name__)
        finally:
            self._pace.ended(delivery.outbound)

    async def _result(self, delivery: Delivery, met: Sent | Exception | DeliveryResult) -> DeliveryResult:
        """What becomes of the delivery. Raises `StorageError`."""
        match met:
            case DeliveryResult():
                return met
            case Sent():
                said = self._views.delivered(delivery)
                return DeliveryResult("sent", message=met.message, also=met.also, say=said)
            case TopicGone():
                gone = await self._topics.gone(delivery)
                return gone or await self._failed(delivery, Refused("the thread is gone"))
            case TopicRefused():
                return self._topics.refused(delivery, met) or await self._refused_everywhere(delivery, met)
            case DeliveryError():
                return await self._failed(delivery, met)
            case AccountError():
                self._pace.rest(delivery.outbound.to.channel, "", 60)
                due = self._clock() + timedelta(minutes=1)
                return DeliveryResult("pending", due=due, counted=False, error=str(met))
            case _:  # the storage failed while it was addressed: nothing was sent
                self._log.error("storage_failed", error=str(met))
                return DeliveryResult("pending", due=self._clock() + timedelta(seconds=1), counted=False)

    async def _send(self, adapter: Adapter, outbound: Outbound, delivery: Delivery) -> Sent:
        """One call of the platform, where the channel is still this process's; broken off when it is lost."""
        channel = delivery.outbound.to.channel
        if not self._channels.may_send(channel, self._in_hand.get(delivery.id, 0)):
            raise ForeignChannel("another process sends here")
        call = asyncio.timeout(None)
        try:
            async with call:
                self._calls[call] = channel
                return await adapter.send(
                    outbound, nonce=delivery.id, target=delivery.target, files=self.files
                )
        except TimeoutError as error:
            if call.expired():
                raise Uncertain("the channel was lost on the way") from error
            raise
        finally:
            self._calls.pop(call, None)

    # --- what did not simply succeed

    async def _refused_everywhere(self, delivery: Delivery, error: TopicRefused) -> DeliveryResult:
        failed = await self._failed(delivery, error)
        return replace(failed, events=(*failed.events, refusal(delivery, error)))

    async def _failed(self, delivery: Delivery, error: DeliveryError) -> DeliveryResult:
        outbound, now, reason = delivery.outbound, self._clock(), str(error)
        if isinstance(error, SpareTopic):
            return DeliveryResult("cancelled")
        if isinstance(error, TopicOpened):
            return await self._topics.opened(delivery)
        if isinstance(error, ForeignChannel):
            return DeliveryResult("pending", due=now, counted=False, error=reason)
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
                return DeliveryResult(
                    "unknown",
                    error=reason,
                    doubted=True,
                    say=await self._views.doubtful(delivery),
                    events=(event,),
                )
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
            return replace(
                given_up, unreachable=True, events=(*given_up.events, *await self._views.lost(outbound.to))
            )
        return await self._given_up(delivery, error)

    async def _chat_moved(self, outbound: Outbound, chat: str) -> DeliveryResult:
        channel, old = outbound.to.channel, outbound.to.chat
        await self._store.move_chat(channel, old, chat)
        await self._store.keep_setting(moved_setting(channel, old), chat)
        self._topics.forget()
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


def _event(kind: str, delivery: Delivery, reason: str) -> Event:
    data = {"delivery": delivery.id, "channel": delivery.outbound.to.channel, "reason": reason}
    return Event(kind, conversation=delivery.conversation, ticket=delivery.outbound.ticket, data=data)


async def _insist(log: Logger, work: Callable[[], Awaitable[Made]]) -> Made:
    """Again until the storage has it."""
    while True:
        try:
            return await work()
        except StorageError as error:
            log.error("settle_failed", error=str(error))
            await asyncio.sleep(0.5)
