"""/broadcast: a supervisor's words to a segment: counted and shown first, sent by a button, stopped by
another, never twice to one customer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach.broadcasts import Broadcast, BroadcastSender
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
from bot.handoff.outreach.questionnaires import KEY, Questionnaire, questionnaire_in
from bot.handoff.outreach.segment import (
    Segment,
    SegmentSelection,
    UnclearCondition,
    choose,
    has_conditions,
    read_conditions,
)
from bot.handoff.tone_remarks import remarked_last
from bot.model import (
    Button,
    Event,
    Json,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Priority,
    Result,
    RichText,
    Turn,
)

LONGEST = 3500  # characters of a broadcast: one message everywhere
SHOWN = 5
STARTED = "broadcast_started"


def _about(asked: Questionnaire | None) -> Json:
    return {KEY: asked.kept()} if asked is not None else {}


class Broadcasts:
    """Drafts, starts and stops broadcasts; the sender delivers them."""

    def __init__(
        self,
        desk: DeskContext,
        sender: BroadcastSender,
        similarity: TextSimilarity,
        *,
        channels: Collection[str],
        article: Callable[[str], str],
        questionnaires: Mapping[str, Questionnaire],
    ) -> None:
        self._desk, self._source, self._sender, self._similarity = desk, sender.source, sender, similarity
        self._channels, self._article = frozenset(channels), article
        self._questionnaires = questionnaires

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
        asked, conditions = questionnaire_in(conditions, desk.texts, self._questionnaires)
        if asked is not None:
            text = asked.words(desk.lang)
        if not text.text.strip() or len(text.text) > LONGEST:
            return answer(desk, turn, "outreach.broadcast_how", most=LONGEST)
        segment = self.segment(conditions)
        chosen = await self.chosen(turn, segment)
        about = {"segment": segment.kept(), "line": conditions, **_about(asked)}
        broadcast = Broadcast(
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
            broadcast.number,
            style="primary",
        )
        drop = Button(desk.texts.text("outreach.button.drop", lang=lang), "broadcast_drop", broadcast.number)
        shown = Outbound(turn.peer, text, attachments=turn.attachments, author="", priority=Priority.NOTICE)
        outcome = answer(
            desk,
            turn,
            "outreach.preview",
            ((send,), (drop,)),
            f"broadcast:{broadcast.number}",
            number=turn.id,
            segment=conditions,
            count=len(chosen.to),
            channels=[{"name": name, "count": n} for name, n in sorted(chosen.channels.items())],
            out=chosen.out,
            unreachable=chosen.unreachable,
        )
        outcome = remarked_last(desk, outcome, text.text)
        return replace(outcome, messages=(shown, *outcome.messages), settings=broadcast.kept())

    async def send(self, turn: Turn, broadcast: Broadcast) -> Outcome:
        """Set it going: whom it reaches is settled now, once."""
        desk = self._desk
        chosen = await self.chosen(turn, Segment.read(broadcast.about.get("segment")))
        if not chosen.to:
            return answer(
                desk,
                turn,
                "outreach.nobody",
                segment=str(broadcast.about.get("line") or ""),
                out=chosen.out,
                unreachable=chosen.unreachable,
            )
        going = replace(broadcast, to=chosen.to, state="going")
        stop = Button(
            desk.texts.text("outreach.button.stop", lang=desk.lang),
            "broadcast_stop",
            broadcast.number,
            style="danger",
        )
        sent = Questionnaire.read(broadcast.about.get(KEY))
        named = {KEY: sent.name} if sent is not None else {}
        event = ordered(turn, STARTED, number=broadcast.number, count=len(chosen.to), **named)
        key, waits = "outreach.going", self._sender.waits(turn.now)
        facts = {
            "number": broadcast.number[1:],
            "count": len(chosen.to),
            "by": by_whom(turn),
            "waits": waits,
            "now": turn.now,
        }
        if is_ordered(turn):
            outcome = answer(desk, turn, key, ((stop,),), f"broadcast:{broadcast.number}", **facts)
            return replace(outcome, events=(event,), settings=going.kept(), timers=(going.first(turn.now),))
        say = (*acknowledged(desk, turn, "desk.done"), self._redrawn(turn, broadcast, key, stop, **facts))
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
            asked, conditions = questionnaire_in(conditions, self._desk.texts, self._questionnaires)
            segment = self.segment(conditions)
        except UnclearCondition as error:
            return answer(self._desk, turn, error.key, **error.facts)
        text = asked.words(self._desk.lang).text if asked is not None else text
        about = {"segment": segment.kept(), "line": conditions, **_about(asked)}
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
        desk, broadcast = self._desk, await self._sender.find(number)
        if broadcast is not None and broadcast.state == "draft":
            if action == "broadcast_send":
                return await self.send(turn, broadcast)
            if action == "broadcast_drop":
                dropped = replace(broadcast, state="stopped")
                say = (
                    *acknowledged(desk, turn, "desk.done"),
                    self._redrawn(turn, broadcast, "outreach.dropped", number=number[1:]),
                )
                return Outcome("desk", Result.ANSWERED, "broadcast_dropped", say, settings=dropped.kept())
        if broadcast is not None and broadcast.state == "going" and action == "broadcast_stop":
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
            saying=self._similarity.saying,
            channels=self._channels,
        )

    async def _stopped(self, turn: Turn, number: str) -> Outcome:
        """What is not said yet is not said any more."""
        desk = self._desk
        broadcast = await self._sender.find(f"b{number}") if number else await self._newest(turn)
        if broadcast is None or broadcast.state != "going":
            return answer(desk, turn, "outreach.nothing_going")
        stopped = replace(broadcast, state="stopped")
        outcome = answer(desk, turn, "outreach.stopped", number=broadcast.number[1:])
        event = ordered(turn, "broadcast_stopped", number=broadcast.number)
        say = (*acknowledged(desk, turn, "desk.done"), *outcome.messages)
        return replace(
            outcome, messages=say, events=(event,), settings=stopped.kept(), cancel=(broadcast.setting,)
        )

    async def _newest(self, turn: Turn) -> Broadcast | None:
        for event in reversed(await self._started()):
            broadcast = await self._sender.find(str(event.data.get("number")))
            if broadcast is not None and broadcast.state == "going":
                return broadcast
        return None

    async def _listed(self, turn: Turn) -> Outcome:
        rows = []
        for event in (await self._started())[-SHOWN:]:
            broadcast = await self._sender.find(str(event.data.get("number")))
            if broadcast is not None:
                row = {
                    "number": broadcast.number[1:],
                    "state": broadcast.state,
                    "said": broadcast.said,
                    "count": len(broadcast.to),
                }
                rows.append({**row, "at": event.at, "text": broadcast.text.text[:60]})
        return answer(self._desk, turn, "outreach.broadcasts", rows=rows[::-1], now=turn.now)

    async def _started(self) -> list[Event]:
        return list(await self._source.events(kinds=(STARTED,)))

    def _redrawn(
        self, turn: Turn, broadcast: Broadcast, key: str, button: Button | None = None, **facts: object
    ) -> Outbound:
        """The preview says what became of it."""
        text = self._desk.texts.say(key, lang=self._desk.lang, **facts)
        to: Peer = turn.peer
        return Outbound(
            to,
            text,
            buttons=((button,),) if button else (),
            kind=OutboundKind.EDIT,
            edits=f"broadcast:{broadcast.number}",
            priority=Priority.COSMETIC,
            author="",
        )
