"""/broadcast: a supervisor's words to a segment: counted and shown first, sent by a button, stopped by
another, never twice to one customer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach.broadcasts import Broadcast, BroadcastSender, DeliveryReader
from bot.handoff.outreach.order_replies import (
    TextSimilarity,
    acknowledged,
    answer,
    answers_to,
    by_whom,
    is_ordered,
    ordered,
    tail,
)
from bot.handoff.outreach.segment import (
    Segment,
    SegmentSelection,
    UnclearCondition,
    choose,
    has_conditions,
    read_conditions,
)
from bot.model import Button, Event, Outbound, OutboundKind, Outcome, Peer, Priority, Result, RichText, Turn

LONGEST = 3500  # characters of a broadcast: one message everywhere
SHOWN = 5
STARTED = "broadcast_started"


class Broadcasts:
    """Drafts, starts and stops broadcasts; the courier carries them."""

    def __init__(
        self,
        desk: DeskContext,
        source: DeliveryReader,
        courier: BroadcastSender,
        likeness: TextSimilarity,
        *,
        channels: Collection[str],
        article: Callable[[str], str],
    ) -> None:
        self._desk, self._source, self._courier, self._likeness = desk, source, courier, likeness
        self._channels, self._article = frozenset(channels), article

    async def command(self, turn: Turn, rest: str) -> Outcome:
        """/broadcast; /broadcast conditions, then the text on the next lines; /broadcast stop number."""
        desk, (first, _, more) = self._desk, rest.partition(" ")
        if not rest:
            return await self._listed(turn)
        if first.casefold() in {w.casefold() for w in desk.texts.options("outreach.off")} and (
            not more or more.strip().isdecimal()
        ):
            return await self._stopped(turn, more.strip())
        line, _, below = rest.partition("\n")
        conditions = line if has_conditions(line) else ""
        words = (below if conditions else rest).strip()
        start = turn.inbounds[0].text.rfind(words) if words else 0
        try:
            return await self.draft(
                turn, conditions, tail(turn.inbounds[0].rich, max(0, start)) if words else RichText()
            )
        except UnclearCondition as error:
            return answer(desk, turn, error.key, **error.facts)

    async def draft(self, turn: Turn, conditions: str, text: RichText) -> Outcome:
        """The count and the text as customers will see it; nothing is sent before somebody presses.

        Raises `UnclearCondition`.
        """
        desk = self._desk
        if not text.text.strip() or len(text.text) > LONGEST:
            return answer(desk, turn, "outreach.broadcast_how", most=LONGEST)
        segment = self.segment(conditions)
        chosen = await self.chosen(turn, segment)
        about = {"segment": segment.kept(), "line": conditions}
        mailing = Broadcast(
            f"b{turn.id}",
            text,
            place=replace(turn.peer, thread=""),
            by=by_whom(turn),
            about=about,
            attachments=turn.attachments,
        )
        if not chosen.to:
            return answer(
                desk,
                turn,
                "outreach.nobody",
                segment=conditions,
                out=chosen.out,
                unreachable=chosen.unreachable,
            )
        lang = desk.lang
        send = Button(
            desk.texts.text("outreach.button.send", lang=lang, count=len(chosen.to)),
            "broadcast_send",
            mailing.number,
            style="primary",
        )
        drop = Button(desk.texts.text("outreach.button.drop", lang=lang), "broadcast_drop", mailing.number)
        shown = Outbound(turn.peer, text, attachments=turn.attachments, author="", priority=Priority.NOTICE)
        outcome = answer(
            desk,
            turn,
            "outreach.preview",
            ((send,), (drop,)),
            f"broadcast:{mailing.number}",
            number=turn.id,
            segment=conditions,
            count=len(chosen.to),
            channels=[{"name": name, "count": n} for name, n in sorted(chosen.channels.items())],
            out=chosen.out,
            unreachable=chosen.unreachable,
        )
        return replace(outcome, messages=(shown, *outcome.messages), settings=mailing.kept())

    async def send(self, turn: Turn, mailing: Broadcast) -> Outcome:
        """Set it going: whom it reaches is settled now, once."""
        desk = self._desk
        chosen = await self.chosen(turn, Segment.read(mailing.about.get("segment")))
        if not chosen.to:
            return answer(
                desk,
                turn,
                "outreach.nobody",
                segment=str(mailing.about.get("line") or ""),
                out=chosen.out,
                unreachable=chosen.unreachable,
            )
        going = replace(mailing, to=chosen.to, state="going")
        stop = Button(
            desk.texts.text("outreach.button.stop", lang=desk.lang),
            "broadcast_stop",
            mailing.number,
            style="danger",
        )
        event = ordered(turn, STARTED, number=mailing.number, count=len(chosen.to))
        key, waits = "outreach.going", self._courier.waits(turn.now)
        facts = {
            "number": mailing.number[1:],
            "count": len(chosen.to),
            "by": by_whom(turn),
            "waits": waits,
            "now": turn.now,
        }
        if is_ordered(turn):
            outcome = answer(desk, turn, key, ((stop,),), f"broadcast:{mailing.number}", **facts)
            return replace(outcome, events=(event,), settings=going.kept(), timers=(going.first(turn.now),))
        say = (*acknowledged(desk, turn, "desk.done"), self._redrawn(turn, mailing, key, stop, **facts))
        return Outcome(
            "desk",
            Result.ANSWERED,
            key,
            say,
            events=(event,),
            settings=going.kept(),
            timers=(going.first(turn.now),),
        )

    async def order(self, turn: Turn, conditions: str, text: str) -> Outcome:
        """From the command line: counted and confirmed there."""
        try:
            segment = self.segment(conditions)
        except UnclearCondition as error:
            return answer(self._desk, turn, error.key, **error.facts)
        about = {"segment": segment.kept(), "line": conditions}
        return await self.send(
            turn,
            Broadcast(
                f"b{turn.id}",
                RichText(text),
                place=answers_to(self._desk, turn),
                by=by_whom(turn),
                about=about,
            ),
        )

    async def pressed(self, turn: Turn, action: str, number: str) -> Outcome:
        """The buttons under a preview and under a broadcast on its way; a late one does nothing."""
        desk, mailing = self._desk, await self._courier.find(number)
        if mailing is not None and mailing.state == "draft":
            if action == "broadcast_send":
                return await self.send(turn, mailing)
            if action == "broadcast_drop":
                dropped = replace(mailing, state="stopped")
                say = (
                    *acknowledged(desk, turn, "desk.done"),
                    self._redrawn(turn, mailing, "outreach.dropped", number=number[1:]),
                )
                return Outcome("desk", Result.ANSWERED, "broadcast_dropped", say, settings=dropped.kept())
        if mailing is not None and mailing.state == "going" and action == "broadcast_stop":
            return await self._stopped(turn, number[1:])
        return Outcome("desk", Result.ANSWERED, "broadcast_over", acknowledged(desk, turn, "desk.old_button"))

    def segment(self, conditions: str) -> Segment:
        """Raises `UnclearCondition`."""
        incidents = self._desk.incidents
        known = range(1, incidents.next_number)
        return read_conditions(
            conditions, self._desk.texts, article=self._article, channels=self._channels, incidents=known
        )

    async def chosen(self, turn: Turn, segment: Segment) -> SegmentSelection:
        return await choose(
            segment,
            self._source,
            turn.now,
            saying=self._likeness.saying,
            met=self._desk.incidents.met,
            channels=self._channels,
        )

    async def _stopped(self, turn: Turn, number: str) -> Outcome:
        """What is not said yet is not said any more."""
        desk = self._desk
        mailing = await self._courier.find(f"b{number}") if number else await self._newest(turn)
        if mailing is None or mailing.state != "going":
            return answer(desk, turn, "outreach.nothing_going")
        stopped = replace(mailing, state="stopped")
        outcome = answer(desk, turn, "outreach.stopped", number=mailing.number[1:])
        event = ordered(turn, "broadcast_stopped", number=mailing.number)
        say = (*acknowledged(desk, turn, "desk.done"), *outcome.messages)
        return replace(
            outcome, messages=say, events=(event,), settings=stopped.kept(), cancel=(mailing.setting,)
        )

    async def _newest(self, turn: Turn) -> Broadcast | None:
        for event in reversed(await self._started()):
            mailing = await self._courier.find(str(event.data.get("number")))
            if mailing is not None and mailing.state == "going":
                return mailing
        return None

    async def _listed(self, turn: Turn) -> Outcome:
        rows = []
        for event in (await self._started())[-SHOWN:]:
            mailing = await self._courier.find(str(event.data.get("number")))
            if mailing is not None:
                row = {
                    "number": mailing.number[1:],
                    "state": mailing.state,
                    "said": mailing.said,
                    "count": len(mailing.to),
                }
                rows.append({**row, "at": event.at, "text": mailing.text.text[:60]})
        return answer(self._desk, turn, "outreach.broadcasts", rows=rows[::-1], now=turn.now)

    async def _started(self) -> list[Event]:
        return list(await self._source.events(kinds=(STARTED,)))

    def _redrawn(
        self, turn: Turn, mailing: Broadcast, key: str, button: Button | None = None, **facts: object
    ) -> Outbound:
        """The preview says what became of it."""
        text = self._desk.texts.say(key, lang=self._desk.lang, **facts)
        to: Peer = turn.peer
        return Outbound(
            to,
            text,
            buttons=((button,),) if button else (),
            kind=OutboundKind.EDIT,
            edits=f"broadcast:{mailing.number}",
            priority=Priority.COSMETIC,
            author="",
        )
