"""A message to many on its way: a portion at a time, so that nobody's answer waits for it, none twice, over
any restart.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from bot.handoff import notices
from bot.handoff.desk_context import DeliveryReader, DeskContext
from bot.handoff.outreach.questionnaires import KEY, Questionnaire
from bot.handoff.outreach.segment import BLOCKED, SegmentMember, SegmentSource, wants_none
from bot.handoff.tally import OPEN, BroadcastTotals, count
from bot.model import (
    Attachment,
    Button,
    Event,
    Idea,
    Json,
    Media,
    Outbound,
    Outcome,
    Peer,
    Priority,
    Result,
    RichText,
    Rows,
    Span,
    Status,
    Style,
    Timer,
    Turn,
)
from bot.model.internal import BroadcastPortion
from bot.observability import get_logger
from bot.text.day_spans import DaySpan
from bot.text.graphemes import shorten
from bot.text.pii import mask

TIMER = "mailing"
PAUSE = timedelta(seconds=2)  # between two portions
LATER = timedelta(minutes=1)  # until a portion that failed is tried again
PATIENCE = 10.0  # seconds a portion may take
BUSY = timedelta(minutes=30)  # who is in talks with a person is tried again after this
WORDS = 300  # characters of an idea
TRIES = 48  # and so often: for a day
SETTLING = 90  # how often what is still on its way is waited for, before the end is told without it
SOON = 10  # the first so many of them quickly


class BroadcastSource(SegmentSource, DeliveryReader, Protocol):
    """Where messages under way are looked up."""

    async def setting(self, name: str) -> str | None: ...

    async def ideas(self) -> Sequence[Idea]: ...


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is said to whom. `number` names it for ever ("b3", "i2"); `to` are conversations; `place` hears
    when it is done.

    A broadcast has words and an opt-out; the end of an incident has them only where the supervisor wrote some
    (else ours are said).
    """

    number: str
    text: RichText = field(default_factory=RichText)
    to: tuple[int, ...] = ()
    place: Peer | None = None
    by: str = ""
    state: str = "draft"  # draft, going, done, stopped
    about: Json = field(default_factory=dict)  # what it was made of: the segment, the incident's words
    said: int = 0
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_broadcast(self) -> bool:
        return self.number.startswith("b")

    @property
    def is_idea(self) -> bool:
        """Whether customers hear what became of their idea."""
        return self.number.startswith("d")

    @property
    def setting(self) -> str:
        return f"{TIMER}:{self.number}"

    def kept(self) -> dict[str, str]:
        """As `Outcome.keep` takes it."""
        spans = [[s.style.value, s.offset, s.length, s.url] for s in self.text.spans]
        place = [self.place.channel, self.place.chat] if self.place else None
        value = {
            "text": self.text.text,
            "spans": spans,
            "to": list(self.to),
            "place": place,
            "by": self.by,
            "state": self.state,
            "about": dict(self.about),
            "said": self.said,
            "attachments": [asdict(a) for a in self.attachments],
        }
        return {self.setting: json.dumps(value, ensure_ascii=False)}

    def first(self, now: datetime) -> Timer:
        """The timer that sets it going."""
        return Timer(self.setting, BroadcastPortion(self.number), now)


def read_mailing(number: str, kept: str | None) -> Broadcast | None:
    """What was kept of it; None where there is none."""
    if kept is None:
        return None
    data = json.loads(kept)
    spans = tuple(Span(Style(s), o, n, url) for s, o, n, url in data["spans"])
    place = Peer(*data["place"]) if data["place"] else None
    files = tuple(Attachment(**{**a, "media": Media(a["media"])}) for a in data.get("attachments") or ())
    return Broadcast(
        number,
        RichText(data["text"], spans),
        tuple(data["to"]),
        place,
        data["by"],
        data["state"],
        data["about"],
        data["said"],
        files,
    )


class BroadcastSender:
    """Delivers broadcasts. Everything it knows of their progress is in their timers."""

    def __init__(
        self,
        desk: DeskContext,
        source: BroadcastSource,
        *,
        hours: DaySpan,
        per_second: float,
        channels: Collection[str],
    ) -> None:
        self._desk, self.source, self._hours, self._channels = desk, source, hours, frozenset(channels)
        self._size = max(1, round(per_second * PAUSE.total_seconds()))

    async def find(self, number: str) -> Broadcast | None:
        return read_mailing(number, await self.source.setting(f"{TIMER}:{number}"))

    def waits(self, now: datetime) -> datetime | None:
        """The moment until which everything waits; None where it goes at once."""
        opens = opening(now, self._hours, self._desk.hours.zone)
        return opens if opens > now else None

    async def portion(self, turn: Turn, portion: BroadcastPortion) -> Outcome:
        """The next ones hear it, and the timer of those after them is set; all in one transaction.

        A failure only makes it later.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._portion(turn, portion)
        except Exception:  # noqa: BLE001 - law: whatever fails, the rest of a broadcast is not lost
            get_logger("outreach").exception("portion_failed", broadcast=portion.mailing)
            again = Timer(f"{TIMER}:{portion.mailing}", portion, turn.now + LATER)
            return Outcome("desk", Result.IGNORED, "mailing_failed", timers=(again,))

    async def _portion(self, turn: Turn, progress: BroadcastPortion) -> Outcome:
        broadcast = await self.find(progress.mailing)
        if broadcast is None or broadcast.state != "going":
            return Outcome("desk", Result.IGNORED, "mailing_over")
        if (opens := opening(turn.now, self._hours, self._desk.hours.zone)) > turn.now:
            return self._again(broadcast, opens, progress)
        waiting = await self.source.deliveries(status=OPEN, name=broadcast.setting, limit=2 * self._size)
        if len(waiting) >= 2 * self._size:  # the channel is slower than we are, or away
            return self._again(broadcast, turn.now + PAUSE, progress)
        start, late = progress.start, progress.late
        if start >= len(broadcast.to) and (not late or progress.again >= TRIES):
            return await self._ended(turn, broadcast, progress)
        todo = broadcast.to[start : start + self._size] or late[: self._size]
        if start >= len(broadcast.to):
            late = late[self._size :]
        rows = await self.source.listeners(only=todo) if todo else ()
        busy = tuple(
            r.conversation for r in rows if r.status is not Status.BOT and self._may_hear(broadcast, r)
        )
        ready = [r for r in rows if r.status is Status.BOT and self._may_hear(broadcast, r)]
        moved = replace(
            progress,
            start=start + len(todo),
            late=(*late, *busy),
            said=progress.said + len(ready),
            blocked=progress.blocked + sum(not r.reachable for r in rows),
        )
        if start >= len(broadcast.to) and not ready:
            return await self._held_up(turn, broadcast, moved)
        ideas = await self.source.ideas() if broadcast.is_idea else ()
        say = tuple(self._message(turn, broadcast, r, ideas) for r in ready)
        events = tuple(self._event(broadcast, r) for r in ready)
        later = self._later(broadcast, turn.now + PAUSE, replace(moved, settling=0))
        if (asked := Questionnaire.read(broadcast.about.get(KEY))) is not None:
            for row in ready:
                later = (*later, *asked.reminder(row, broadcast.number, turn.now))
        return Outcome("desk", Result.ANSWERED, "mailing", say, events=events, timers=later)

    async def _held_up(self, turn: Turn, broadcast: Broadcast, progress: BroadcastPortion) -> Outcome:
        """Only those are left who are in talks: the end is told without them, they are tried later."""
        tally = await self._tally(broadcast, progress)
        if tally.waiting and progress.settling < SETTLING:
            return self._settles(turn, broadcast, progress)
        tried = replace(progress, again=progress.again + 1, told=tally.said)
        told = self._told(broadcast, tally, progress, busy=len(progress.late))
        later = self._later(broadcast, turn.now + BUSY, tried)
        return Outcome("desk", Result.IGNORED, "mailing_waits", told, timers=later)

    async def _ended(self, turn: Turn, broadcast: Broadcast, progress: BroadcastPortion) -> Outcome:
        """Nobody is left: said when the last message has gone out, or is known not to."""
        tally = await self._tally(broadcast, progress)
        if tally.waiting and progress.settling < SETTLING:
            return self._settles(turn, broadcast, progress)
        event = Event("mailing_done", data={"number": broadcast.number, **tally.facts})
        told = self._told(broadcast, tally, progress, busy=0)
        done = replace(broadcast, state="done", said=tally.said)
        return Outcome("desk", Result.ANSWERED, "mailing", told, events=(event,), settings=done.kept())

    async def _tally(self, broadcast: Broadcast, progress: BroadcastPortion) -> BroadcastTotals:
        tally = await count(self.source, broadcast.setting, broadcast.to, progress.said)
        return replace(tally, blocked=tally.blocked + progress.blocked)

    def _told(
        self, broadcast: Broadcast, tally: BroadcastTotals, progress: BroadcastPortion, *, busy: int
    ) -> tuple[Outbound, ...]:
        """How it ended, for whoever ordered it; nothing where they know that already."""
        if broadcast.place is None or progress.told == tally.said:
            return ()
        key = "outreach.done" if broadcast.is_broadcast else "outreach.told"
        facts = {**tally.facts, "waiting": tally.waiting, "busy": busy, "all": len(broadcast.to)}
        return (
            notices.in_desk(self._desk, broadcast.place, None, key, number=broadcast.number[1:], **facts),
        )

    def _settles(self, turn: Turn, broadcast: Broadcast, progress: BroadcastPortion) -> Outcome:
        times = progress.settling + 1
        due = turn.now + (PAUSE if times <= SOON else LATER)
        return self._again(broadcast, due, replace(progress, settling=times))

    def _again(self, broadcast: Broadcast, due: datetime, progress: BroadcastPortion) -> Outcome:
        return Outcome("desk", Result.IGNORED, "mailing_waits", timers=self._later(broadcast, due, progress))

    def _later(self, broadcast: Broadcast, due: datetime, progress: BroadcastPortion) -> tuple[Timer, ...]:
        return (Timer(broadcast.setting, progress, due),)

    def _may_hear(self, broadcast: Broadcast, row: SegmentMember) -> bool:
        """Looked at anew for everybody: who opted out or blocked us since the list was made hears nothing."""
        return (
            row.reachable
            and row.peer.channel in self._channels
            and BLOCKED not in row.customer.fields
            and not ((broadcast.is_broadcast or broadcast.is_idea) and wants_none(row.customer))
        )

    def _message(
        self, turn: Turn, broadcast: Broadcast, row: SegmentMember, ideas: Sequence[Idea]
    ) -> Outbound:
        words, lang = self._desk.texts, row.customer.language or self._desk.lang
        rows: Rows = ()
        if (asked := Questionnaire.read(broadcast.about.get(KEY))) is not None:
            rows = ((asked.start(words, lang, broadcast.number),),)
        if broadcast.is_broadcast:
            text = asked.words(lang) if asked is not None else broadcast.text
            button = Button(words.text("outreach.stop", lang=lang), "news_off", broadcast.number)
        elif broadcast.is_idea:
            facts = {
                "customer": row.customer,
                "text": words_of(ideas, int(str(broadcast.about["idea"])), row.conversation),
                "reason": broadcast.text.text,
            }
            text = words.say(f"ideas.{broadcast.about['status']}", lang=lang, now=turn.now, **facts)
            button = Button(words.text("outreach.stop", lang=lang), "news_off", broadcast.number)
        else:
            facts = {
                "customer": row.customer,
                "incident": str(broadcast.about.get("incident") or ""),
                "text": broadcast.text.text,
            }
            text = words.say("incident.over", lang=lang, now=turn.now, **facts)
            button = Button(words.text("buttons.human", lang=lang), "human")
        # law: hearing it twice annoys more than not at all: what may have arrived is not sent again
        return Outbound(
            row.peer,
            text,
            (*rows, (button,)),
            broadcast.attachments,
            name=broadcast.setting,
            priority=Priority.BULK,
            on_uncertain="hold",
        )

    def _event(self, broadcast: Broadcast, row: SegmentMember) -> Event:
        kind = (
            "broadcast_said"
            if broadcast.is_broadcast
            else "idea_told"
            if broadcast.is_idea
            else "incident_told"
        )
        data: Json = {"number": broadcast.number, "channel": row.peer.channel}
        return Event(kind, conversation=row.conversation, data=data)


def words_of(ideas: Sequence[Idea], idea: int, conversation: int) -> str:
    """How the idea was put in the conversation, else by whoever had it first, masked; "" where the words are
    gone.
    """
    own = next((i.text for i in ideas if i.conversation == conversation and idea in (i.id, i.joined)), "")
    first = next((i.text for i in ideas if i.id == idea), "")
    return shorten(own or mask(first), WORDS)


def opening(now: datetime, hours: DaySpan, zone: tzinfo) -> datetime:
    """The moment from which people may be written to: *now*, or the next morning's."""
    local = now.astimezone(zone)
    if hours.holds(local.time()):
        return now
    return hours.on(local.date() if local.time() < hours.start else local.date() + timedelta(days=1), zone)[0]
