"""What the bot itself owes, looked at in each round: tried again after a minute, given to a person or said
aloud where that is not enough.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.model import Inbound, InboundKind, Outbound, OwedAnswer, Sender
from bot.model.internal import UnattendedTicket

LATE = timedelta(seconds=60)  # what is owed for longer is tried again
LOUD = timedelta(seconds=100)  # and from here the operators hear of it
AGAIN = timedelta(minutes=10)  # of the same no more often than this
UNANSWERED = "unanswered"


class UndeliveredAnswers:
    """A finder: an answer that was given up, or that nobody can tell of, goes to a person, once."""

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """One inbound for each such delivery; its key is the delivery's, so it counts once for ever."""
        owed = [o for o in await self._desk.ticket_reader.owed(now, LATE) if o.stage == UNANSWERED]
        return tuple(
            Inbound(
                f"stranded:d{o.id}",
                o.peer,
                Sender(""),
                now,
                InboundKind.INTERNAL,
                payload=UnattendedTicket(UNANSWERED),
            )
            for o in owed
        )


class OverdueWork:
    """A view: what waits for a decision or for its delivery is tried again, and said in the operators' group
    while it lasts.
    """

    def __init__(self, desk: DeskContext, mend: Callable[[], Awaitable[int]]) -> None:
        self._desk, self._mend = desk, mend
        self._told: dict[tuple[str, str], datetime] = {}

    async def look(self, now: datetime) -> tuple[Outbound, ...]:
        """The notices that are due now."""
        owed = [o for o in await self._desk.ticket_reader.owed(now, LATE) if o.stage != UNANSWERED]
        if owed:
            await self._mend()
        groups: dict[tuple[str, str], list[OwedAnswer]] = {}
        for one in owed:
            groups.setdefault((one.stage, one.peer.channel if one.stage == "undelivered" else ""), []).append(
                one
            )
        say: list[Outbound] = []
        for key, found in groups.items():
            before = self._told.get(key)
            if now - min(o.since for o in found) >= LOUD and (before is None or now - before >= AGAIN):
                self._told[key] = now
                say += self._aloud(key, found, now)
        return tuple(say)

    def _aloud(
        self, key: tuple[str, str], found: Sequence[OwedAnswer], now: datetime
    ) -> tuple[Outbound, ...]:
        stage, channel = key
        waited = (now - min(o.since for o in found)).total_seconds()
        facts = {
            "count": len(found),
            "channel": self._desk.places.title(channel),
            "waited": waited,
            "at": now,
        }
        key_ = f"desk.overdue_{stage}"
        places = self._desk.places.groups()[:1]
        return tuple(
            notices.in_desk(
                self._desk, to, None, key_, **facts, supervisors=notices.supervisors(self._desk, to)
            )
            for to in places
        )
