"""The world around the service, which outlives its deaths: platforms that keep updates until confirmed, and
note every call.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.adapters.base import Accept, ChatInfo, File, Files, Limits
from bot.errors import PeerGone, Refused, RetryLater, TopicGone, Uncertain
from bot.model import Attachment, Inbound, InboundKind, Outbound, OutboundKind, Peer, Sender, Sent
from bot.testing.fakes import FakeAdapter
from tests.chaos.kill_points import Fuse
from tests.chaos.virtual_time import START, LoopClock

DESK_CHAT = "-100500"
REAL = (30, 1.0), (20, 60.0)  # what the platform bears: calls of the account, messages of a group


@dataclass(frozen=True, slots=True)
class Call:
    """A send as it reached the platform."""

    outbound: Outbound
    nonce: int
    target: str
    message: str
    begun: float
    life: int


@dataclass(slots=True)
class Update:
    """What the platform hands out until it is confirmed."""

    inbound: Inbound
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely each mishap of one call is."""

    slow: float = 0.0
    later: float = 0.0
    flood: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    crash: float = 0.0
    repeated: float = 0.0
    confirm_lost: float = 0.0


CALM = Weather()
STORM = Weather(
    slow=0.15,
    later=0.05,
    flood=0.01,
    cut_before=0.04,
    cut_after=0.04,
    crash=0.01,
    repeated=0.1,
    confirm_lost=0.1,
)


@dataclass(slots=True)
class Platform:
    """One messenger: its queue of updates, its chats, its limits and its moods."""

    name: str
    forum: bool
    dice: random.Random
    limits: Limits
    weather: Weather = CALM
    updates: list[Update] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    begun: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    too_fast: list[str] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    next_message: int = 1000

    # --- what people do

    def happens(self, inbound: Inbound) -> Inbound:
        """Something to be told to the bot; its key is its place in the queue."""
        made = replace(inbound, key=f"{self.name}:{len(self.updates)}", at=LoopClock()())
        self.updates.append(Update(made))
        self.arrived.set()
        return made

    def says(
        self, peer: Peer, sender: Sender, text: str = "", kind: InboundKind = InboundKind.MESSAGE, **more: Any
    ) -> Inbound:
        message = more.pop("message", "") or self.new_message()
        return self.happens(Inbound("", peer, sender, START, kind, text, message=message, **more))

    def new_message(self) -> str:
        self.next_message += 1
        return str(self.next_message)

    # --- what the bot asks

    def take(self) -> list[Update]:
        """Unconfirmed updates, with some that were confirmed before."""
        waiting = [u for u in self.updates if not u.confirmed][:10]
        if waiting and self.dice.random() < self.weather.repeated:
            old = [u for u in self.updates if u.confirmed][-3:]
            return [*old, *waiting]
        return waiting

    def count(self, outbound: Outbound, begun: float) -> None:
        """The limits of the platform count what it takes, from when the call began (I5)."""
        if outbound.kind in (OutboundKind.ACKNOWLEDGE, OutboundKind.REACT):
            return
        chat, own = outbound.to.chat, (self.limits.peer_burst if self.limits.peer_per_second else 1000, 2.9)
        for key, (most, period) in (("", REAL[0]), (chat, REAL[1] if chat.startswith("-") else own)):
            times = self.begun[key]
            times.append(begun)
            times.sort()
            if len(times) > most and times[-1] - times[-most - 1] < period:
                self.too_fast.append(
                    f"{self.name} {key or 'account'}: {most + 1} calls in"
                    f" {times[-1] - times[-most - 1]:.1f} s"
                )

    def carry_out(self, outbound: Outbound, nonce: int, target: str, begun: float, life: int) -> str:
        """Do what is asked, or refuse as the platform would."""
        if outbound.to.chat in self.blocked:
            raise PeerGone("bot was blocked by the user")
        if outbound.to.thread in self.deleted:
            raise TopicGone("message thread not found")
        self.count(outbound, begun)
        message = (
            target
            if outbound.kind in (OutboundKind.EDIT, OutboundKind.PIN, OutboundKind.DELETE)
            else self.new_message()
        )
        self.calls.append(Call(outbound, nonce, target, message, begun, life))
        return message


class PlatformAdapter(FakeAdapter):
    """One life's adapter to a platform. It confirms after `accept` has returned, never before."""

    def __init__(self, platform: Platform, fuse: Fuse, life: int) -> None:
        super().__init__(platform.name, forum=platform.forum, limits=platform.limits)
        self.platform, self.fuse, self.life = platform, fuse, life

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        platform = self.platform
        while True:
            self.fuse.check()
            platform.arrived.clear()
            batch = platform.take()
            if not batch:
                await platform.arrived.wait()
                continue
            await asyncio.sleep(platform.dice.uniform(0.01, 0.2))
            await self.hand_over(accept, batch)

    async def hand_over(self, accept: Accept, batch: Sequence[Update]) -> None:
        await accept([u.inbound for u in batch])
        self.fuse.point("before a confirmation")
        self.confirm(batch)

    def confirm(self, batch: Sequence[Update]) -> None:
        if self.platform.dice.random() >= self.platform.weather.confirm_lost:
            for update in batch:
                update.confirmed = True

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        platform, dice, weather = self.platform, self.platform.dice, self.platform.weather
        self.fuse.check()
        for attachment in outbound.attachments:
            if attachment.channel != self.name:
                await files.read(attachment)
        self.fuse.point(f"before {outbound.kind}")
        begun = LoopClock().monotonic()
        await asyncio.sleep(dice.uniform(0.01, 0.3) if dice.random() >= weather.slow else dice.uniform(1, 8))
        self.fuse.check()
        fate = dice.random()
        for share, error in (
            (weather.later, RetryLater("too many requests", after=dice.uniform(1, 20), counts=False)),
            (
                weather.flood,
                RetryLater("flood wait", after=dice.uniform(1, 10), scope="account", counts=False),
            ),
            (weather.cut_before, Uncertain("connection lost")),
            (weather.crash, ZeroDivisionError("a bug of the adapter")),
        ):
            if fate < share:
                raise error
            fate -= share
        message = platform.carry_out(outbound, nonce, target, begun, self.life)
        self.fuse.point(f"after {outbound.kind}")
        await asyncio.sleep(dice.uniform(0.0, 0.1))
        if fate < weather.cut_after:
            raise Uncertain("the answer was lost")
        return Sent(message)

    async def read(self, attachment: Attachment) -> File:
        if attachment.ref.startswith("big"):
            raise Refused("file is too big")
        return await super().read(attachment)

    async def chat_info(self, chat: str) -> ChatInfo:
        self.fuse.check()
        return await super().chat_info(chat)
