"""One customer who writes without end: one calm word, then silence until it is over; nothing of it is lost,
nobody else waits.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.model import Event, InboundKind, Outbound, Outcome, Result, RichText, Turn
from bot.model.conversations import FLOOD, PACE

MOST = 20  # messages of one customer in a minute that are answered


class Flood:
    """Answers who writes too much, from what the turn tells of their last minute: every process of the
    service, and one started anew, decide alike.
    """

    def __init__(self, warning: Callable[[Turn], RichText]) -> None:
        self._warning = warning

    def __call__(self, turn: Turn) -> Outcome | None:
        """What to do instead of answering; None = answer. Presses and first contacts are never too many, nor
        is what was written long ago and only comes now.
        """
        if any(i.kind is not InboundKind.MESSAGE for i in turn.inbounds):
            return None
        fresh = sum(turn.now - i.at < PACE for i in turn.inbounds)
        if turn.pace.wrote + fresh <= MOST:
            return None
        if turn.pace.flooded:
            return Outcome("engine", Result.IGNORED, FLOOD)
        say = Outbound(turn.conversation.peer, self._warning(turn), author="bot")
        return Outcome("engine", Result.IGNORED, FLOOD, (say,), events=(Event("flood"),))
