"""The pinned board of a group: who waits, who works, what is late; one message, changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.handoff.card import called
from bot.handoff.desk_context import DeliveryStatus, DeskContext
from bot.handoff.operators.roster import labels
from bot.model import Outbound, OutboundKind, Peer, Priority, RichText, Ticket

NAME = "board"
FAILED: tuple[DeliveryStatus, ...] = ("failed",)
PAUSE = timedelta(seconds=60)  # between two changes: the group's budget belongs to the customers' words
SHOWN = 8


class Boards:
    """A board for every group.

    Times on it are moments, not durations, so it only changes when something happens (or a new day begins).
    What was written last is this process's own: only the holder of the lease "periodic" looks, and a new
    holder writes each board once more.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk
        self._shown: dict[Peer, tuple[str, datetime]] = {}

    async def look(self, now: datetime) -> tuple[Outbound, ...]:
        """The board where it says something else than it should, at most once in *PAUSE*; none before the
        first ticket.
        """
        if not self._desk.rules.routing.board:
            return ()
        tickets = await self._desk.ticket_reader.tickets(limit=1000)
        say: list[Outbound] = []
        for place in self._desk.places.groups():
            here = [
                t
                for t in tickets
                if (own := self._desk.places.thread(t)) is not None and replace(own, thread="") == place
            ]
            text = self._text(place, here, now)
            before, at = self._shown.get(place, ("", now - PAUSE))
            if timedelta() <= now - at < PAUSE:  # a clock set back ends the pause
                continue
            posted = await self._standing(place)
            if text.text == before if posted else not tickets:
                continue
            self._shown[place] = (text.text, now)
            say += self._changed(place, text) if posted else self.post(place, text)
        return tuple(say)

    async def _standing(self, place: Peer) -> bool:
        """Whether there is a board that can be changed: it was sent, and no change to it was refused
        (somebody deleted it by hand).
        """
        boards = [
            d
            for d in await self._desk.ticket_reader.deliveries(peer=place, name=NAME)
            if d.status not in ("failed", "cancelled")
        ]
        refused = (
            await self._desk.ticket_reader.deliveries(peer=place, after=boards[-1].id, status=FAILED)
            if boards
            else ()
        )
        return bool(boards) and not any(
            d.outbound.edits == NAME and d.outbound.kind is OutboundKind.EDIT for d in refused
        )

    def post(self, place: Peer, text: RichText) -> tuple[Outbound, ...]:
        """A new board, pinned."""
        return (
            Outbound(place, text, name=NAME, priority=Priority.NOTICE, author="", silent=True),
            Outbound(
                place, kind=OutboundKind.PIN, edits=NAME, priority=Priority.NOTICE, author="", silent=True
            ),
        )

    def _changed(self, place: Peer, text: RichText) -> tuple[Outbound, ...]:
        return (
            Outbound(place, text, kind=OutboundKind.EDIT, edits=NAME, priority=Priority.COSMETIC, author=""),
        )

    def _text(self, place: Peer, tickets: Sequence[Ticket], now: datetime) -> RichText:
        desk = self._desk
        waiting = desk.queue.ordered(tickets, now)
        late = [t for t in tickets if t.status != "closed" and (t.state.breached or t.state.warned)]
        load: dict[str, int] = {}
        for ticket in tickets:
            load[ticket.operator] = load.get(ticket.operator, 0) + (ticket.status == "operator")
        here = [m for m in desk.roster.members() if desk.roster.is_in(m.id, place)]
        named = labels(here)
        people = [{"name": named[m.id], "away": m.away, "tickets": load.get(m.id, 0)} for m in here]
        oldest = min((t for t in waiting if t.opened), key=lambda t: t.opened or now, default=None)
        return desk.texts.say(
            "desk.board",
            lang=desk.lang,
            now=now,
            waiting=len(waiting),
            next=[
                {"number": t.number, "name": called(t, desk.texts, desk.lang), "topic": t.topic}
                for t in waiting[:SHOWN]
            ],
            oldest=oldest.opened if oldest else None,
            work=sum(t.status == "operator" for t in tickets),
            snoozed=sum(t.status == "snoozed" for t in tickets),
            late=[t.number for t in late][:20],
            people=people[:20],
            incidents=[
                {
                    "number": i.number,
                    "text": i.subject,
                    "since": i.since,
                    "met": desk.incidents.met(i.number),
                }
                for i in desk.incidents.open
            ],
        )
