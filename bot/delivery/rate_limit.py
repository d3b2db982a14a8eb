"""How often a channel may speak: to one chat, to one group, and in all.

Blocks the chat that is too fast, never the others.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.adapters.base import Limits
from bot.model import Outbound, OutboundKind
from bot.sliding_window import SlidingWindow

REMEMBERED = 10_000  # chats whose pace is kept; an older one has long rested
# seconds of the longest window: a minute, and what the first of it may have taken longer on the way than the
# last
LONGEST = 62.0
GROUP_BURST = (
    3,
    4.5,
)  # messages, seconds: a group takes about one a second; what bunches on the way must still fit
_FREE = {OutboundKind.ACKNOWLEDGE, OutboundKind.REACT}  # have budgets of their own on the platforms
_Rules = tuple[tuple[int, float], ...]  # at most so many in so many seconds


@dataclass(slots=True)
class _Sends:
    """The latest sends of one budget: when they counted, and those that are still on their way (of a group,
    of the account).
    """

    windows: tuple[SlidingWindow, ...]
    flying: list[float] = field(default_factory=list)

    def count(self, moment: float) -> None:
        for window in self.windows:
            window.add(moment)

    def earliest(self, now: float) -> float:
        """When the next one may go: what is on its way may have arrived already, or may arrive only now."""
        flying = [max(now, mark) for mark in self.flying]
        return max((window.free_at(now, flying) for window in self.windows), default=now)


class LimitedChannel(Protocol):
    """What is asked of an adapter here."""

    limits: Limits

    def is_group(self, chat: str) -> bool: ...


class RateLimit:
    """Sliding windows: of the sends to one chat, no more than `count` fall within any `period` seconds.

    A send to a group, and every send of the account, counts from its end: however long it was on its way, the
    platform saw it before that.
    """

    def __init__(
        self, channels: Mapping[str, LimitedChannel], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._channels, self._monotonic = channels, monotonic
        self._sends: OrderedDict[tuple[str, str], _Sends] = OrderedDict()
        self._rests: dict[tuple[str, str], float] = {}
        self._spent: dict[
            tuple[str, str], float
        ] = {}  # chats whose budget is gone, and when they may be written to again

    def begin(self, outbound: Outbound, *, within: float = float("inf")) -> float:
        """Seconds to wait until this delivery may go.

        It is counted, unless that is longer than *within*; then `ended` must follow.
        """
        now = self._monotonic()
        keys = self._keys(outbound)
        pause = max(self._earliest(key, now) for key in keys) - now
        if pause <= within:
            for key in keys:
                self._count(key, self._earliest(key, now), flying=self._is_shared(key))
        return pause

    def ended(self, outbound: Outbound) -> None:
        """A send that `begin` let go is over, whatever came of it."""
        for key in self._keys(outbound):
            if (sends := self._sends.get(key)) is not None and sends.flying:
                sends.flying.pop(0)
                sends.count(now := self._monotonic())
                self._note_spent(key, now)

    def recall(self, outbound: Outbound, ago: float) -> None:
        """Count what an earlier process sent *ago* seconds ago; oldest first."""
        if outbound.to.channel in self._channels and ago <= LONGEST:
            for key in self._keys(outbound):
                self._count(key, self._monotonic() - max(ago, 0.0), flying=False)

    def forget(self, channel: str) -> None:
        """Nothing is known of what was sent to *channel*: it is `recall`ed anew. Rests stay."""
        for known in (self._sends, self._spent):
            for key in [k for k in known if k[0] == channel]:
                del known[key]

    def rest(self, channel: str, chat: str, seconds: float) -> None:
        """The platform said "later": nothing more for this chat ("" = the whole account) until then."""
        key = (channel, chat)
        self._rests[key] = max(self._rests.get(key, 0.0), self._monotonic() + seconds)

    def resting(self) -> set[tuple[str, str]]:
        """Chats that must not be taken now: told to wait, or with their budget spent."""
        now = self._monotonic()
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        self._spent = {key: until for key, until in self._spent.items() if until > now}
        return self._rests.keys() | self._spent.keys()

    def next_free(self) -> float:
        """Seconds until something that rests may go; 0 when nothing rests."""
        now = self._monotonic()
        ends = [until - now for until in (*self._rests.values(), *self._spent.values())]
        return min((e for e in ends if e > 0), default=0.0)

    def _keys(self, outbound: Outbound) -> tuple[tuple[str, str], ...]:
        account = (outbound.to.channel, "")
        return (account,) if outbound.kind in _FREE else (account, (outbound.to.channel, outbound.to.chat))

    def _count(self, key: tuple[str, str], moment: float, *, flying: bool) -> None:
        if (sends := self._sends.get(key)) is None:
            sends = self._sends[key] = _Sends(tuple(SlidingWindow(*rule) for rule in self._rules(key)))
        if flying and sends.windows:
            sends.flying.append(moment)
        else:
            sends.count(moment)
        self._sends.move_to_end(key)
        self._note_spent(key, moment)
        while len(self._sends) > REMEMBERED:
            self._sends.popitem(last=False)

    def _note_spent(self, key: tuple[str, str], moment: float) -> None:
        if key[1] and (free := self._earliest(key, moment)) > self._monotonic():
            self._spent[key] = free

    def _earliest(self, key: tuple[str, str], now: float) -> float:
        sends = self._sends.get(key)
        return sends.earliest(now) if sends is not None else now

    def _is_shared(self, key: tuple[str, str]) -> bool:
        """Whether the budget is a group's or the whole account's."""
        channel, chat = key
        return not chat or self._channels[channel].is_group(chat)

    def _rules(self, key: tuple[str, str]) -> _Rules:
        channel, chat = key
        limits = self._channels[channel].limits
        if not chat:
            return ((max(1, round(limits.per_second)), 1.0),) if limits.per_second else ()
        if self._channels[channel].is_group(chat):
            return ((round(limits.group_per_minute), LONGEST), GROUP_BURST) if limits.group_per_minute else ()
        return (
            ((limits.peer_burst, limits.peer_burst / limits.peer_per_second),)
            if limits.peer_per_second
            else ()
        )
