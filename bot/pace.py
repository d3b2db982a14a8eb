"""How often a channel may speak: to one chat, to one group, and in all. Blocks the chat that is too fast, never the others."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping

from bot.adapters.base import Limits
from bot.model import Outbound, Verb

REMEMBERED = 10_000  # chats whose pace is kept; an older one has long rested
_FREE = {Verb.ACKNOWLEDGE, Verb.REACT}  # have budgets of their own on the platforms


class Pace:
    """Virtual scheduling (GCRA, ITU-T I.371): each chat keeps the moment up to which its budget is spent, in seconds."""

    def __init__(self, limits: Mapping[str, Limits]) -> None:
        self._limits = limits
        self._spent: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._rests: dict[tuple[str, str], float] = {}

    async def turn(self, outbound: Outbound) -> None:
        """Wait until this promise may go, and count it."""
        channel, chat = outbound.to.channel, outbound.to.chat
        limits = self._limits[channel]
        waits = [self._reserve((channel, ""), 1 / limits.per_second, limits.per_second)] if limits.per_second else []
        if outbound.verb not in _FREE:
            if _is_group(chat):
                if limits.group_per_minute:
                    waits.append(self._reserve((channel, chat), 60 / limits.group_per_minute, limits.group_per_minute))
            elif limits.peer_per_second:
                waits.append(self._reserve((channel, chat), 1 / limits.peer_per_second, limits.peer_burst))
        if (pause := max(waits, default=0.0)) > 0:
            await asyncio.sleep(pause)

    def rest(self, channel: str, chat: str, seconds: float) -> None:
        """The platform said "later": nothing more for this chat ("" = the whole account) until then."""
        key = (channel, chat)
        self._rests[key] = max(self._rests.get(key, 0.0), time.monotonic() + seconds)

    def resting(self) -> set[tuple[str, str]]:
        """Chats that must not be taken now: told to wait, or with their budget spent."""
        now = time.monotonic()
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        return set(self._rests) | {key for key, until in self._spent.items() if key[1] and until - now > self._allowance(*key)}

    def next_free(self) -> float:
        """Seconds until something that rests may go; 0 when nothing rests."""
        now = time.monotonic()
        ends = [until - now for until in self._rests.values()]
        ends += [until - now - self._allowance(*key) for key, until in self._spent.items() if key[1]]
        return max(0.0, min((e for e in ends if e > 0), default=0.0))

    def _allowance(self, channel: str, chat: str) -> float:
        """How far ahead of time a chat may be: its burst, in seconds."""
        limits = self._limits[channel]
        if _is_group(chat):
            return 60.0
        return (limits.peer_burst - 1) / limits.peer_per_second if limits.peer_per_second else 0.0

    def _reserve(self, key: tuple[str, str], interval: float, burst: float) -> float:
        now = time.monotonic()
        spent = max(now, self._spent.get(key, 0.0)) + interval
        self._spent[key] = spent
        self._spent.move_to_end(key)
        while len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)
        return max(0.0, spent - now - interval * max(burst, 1.0))


def _is_group(chat: str) -> bool:
    """Telegram numbers groups below zero, VK chats from 2,000,000,001."""
    return chat.startswith("-") or (len(chat) >= 10 and chat.startswith("20000"))
