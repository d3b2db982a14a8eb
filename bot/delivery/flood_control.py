"""One customer who writes without end: one calm word, then silence until it is over; nothing of it is lost,
nobody else waits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.model import Event, InboundKind, Outbound, Outcome, Result, RichText, Turn
from bot.sliding_window import SlidingWindow

MOST, WINDOW = 20, timedelta(minutes=1)  # messages of one customer that are answered
REMEMBERED = 5_000  # customers whose pace is kept


class Flood:
    """Counts what each customer wrote in the last minute.

    Kept in memory: a restart costs one more warning.
    """

    def __init__(self, warning: Callable[[Turn], RichText]) -> None:
        self._warning = warning
        self._wrote: OrderedDict[int, SlidingWindow] = OrderedDict()
        self._warned: dict[int, datetime] = {}

    def __call__(self, turn: Turn) -> Outcome | None:
        """What to do instead of answering; None = answer. Presses and first contacts are never too many."""
        if any(i.kind is not InboundKind.MESSAGE for i in turn.inbounds):
            return None
        who = turn.conversation.id
        wrote = self._wrote.setdefault(who, SlidingWindow(MOST, WINDOW.total_seconds()))
        for inbound in turn.inbounds:  # a turn decided anew says nothing new
            wrote.add(turn.now.timestamp(), inbound.key)
        self._wrote.move_to_end(who)
        while len(self._wrote) > REMEMBERED:
            self._warned.pop(self._wrote.popitem(last=False)[0], None)
        if not wrote.is_exceeded(turn.now.timestamp()):
            return None
        if turn.now - self._warned.get(who, turn.now - WINDOW) < WINDOW:
            return Outcome("engine", Result.IGNORED, "flood")
        self._warned[who] = turn.now
        say = Outbound(turn.conversation.peer, self._warning(turn), author="bot")
        return Outcome("engine", Result.IGNORED, "flood", (say,), events=(Event("flood"),))
