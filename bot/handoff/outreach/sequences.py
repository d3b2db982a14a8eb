"""Follow-up sequences from the outside: who begins one, by an event or as one of a segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from bot.config.handoff import length
from bot.config.sequences import SequenceSettings
from bot.handoff.outreach.broadcasts import opening
from bot.handoff.outreach.order_replies import OFFICE
from bot.handoff.outreach.segment import SegmentMember, SegmentSource, wants_none
from bot.handoff.outreach.surveys import moment
from bot.model import PLAYED, Event, Inbound, InboundKind, Outcome, Result, Sender, Ticket, Timer, Turn
from bot.model.internal import SequenceDayBegan, SequenceStartDue
from bot.text.day_spans import DaySpan

ACTIVE = "_sequence"  # the customer's field that keeps which one they are in, and until when at most
STOPPED = "sequence_stopped:"  # begins the settings of those that a supervisor stopped
LOOK = timedelta(minutes=1)  # between two looks for events
OVERLAP = timedelta(minutes=10)  # what is committed late is found by the next look
BACK = timedelta(days=1)  # how far back a starting process looks
APART = timedelta(seconds=2)  # between two customers of a segment
PORTION = 500
COUNTED = timedelta(days=30)  # what the figures are of
KINDS = ("sequence_began", "sequence_said", "sequence_ended", "news_off")


class SequenceSource(SegmentSource, Protocol):
    """Where the tickets of events are looked up."""

    async def ticket(self, number: int) -> Ticket | None: ...


Choose = Callable[[str, datetime], Awaitable[Sequence[int]]]  # the conversations of a segment's conditions


@dataclass(frozen=True, slots=True)
class SequenceFigures:
    """Of the last days: how many began, messages, who wrote or did what was hoped for, who opted out."""

    began: int = 0
    said: int = 0
    ended: int = 0
    reached: int = 0  # ended because of what `unless` waits for
    out: int = 0


def last_of(name: str) -> str:
    """The customer's field that keeps when they began this sequence last."""
    return f"{ACTIVE}_{name}"


def is_in_one(fields: Mapping[str, object], now: datetime) -> str:
    """The sequence a customer is in; "" = none."""
    name, _, until = str(fields.get(ACTIVE) or "").partition("|")
    ends = moment(until) if until else None
    return name if ends is not None and ends > now else ""


def had_lately(rules: SequenceSettings, name: str, fields: Mapping[str, object], now: datetime) -> bool:
    began = moment(fields.get(last_of(name)))
    return began is not None and now - began < (length(rules.again) or timedelta())


class Sequences:
    """Finds who begins a sequence. The keys of its inbounds make every beginning one, whatever restarts."""

    def __init__(
        self, known: Mapping[str, SequenceSettings], source: SequenceSource, hours: DaySpan, zone: tzinfo
    ) -> None:
        self.known, self._source, self._hours, self._zone = known, source, hours, zone
        self._looked: datetime | None = None
        self._begun = ""

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """The beginnings that events have brought, and the day's look at the segments."""
        if not self.known or (self._looked is not None and timedelta() <= now - self._looked < LOOK):
            return ()
        since = now - BACK if self._looked is None else min(self._looked, now) - OVERLAP
        self._looked = now
        found = [*self._day(now)]
        by_event = {name: rules for name, rules in self.known.items() if rules.event}
        if not by_event:
            return tuple(found)
        kinds = {rules.event for rules in by_event.values()}
        events = [
            e for e in await self._source.events(since=since, kinds=kinds) if e.conversation is not None
        ]
        talks = {e.conversation for e in events if e.conversation is not None}
        rows = {r.conversation: r for r in await self._members(talks) if r.peer.channel != PLAYED}
        for event in events:
            for name, rules in by_event.items():
                row = rows.get(event.conversation or 0)
                if row is not None and event.kind == rules.event and await self._fits(rules, row, event):
                    found.append(_begins(name, event, row, now))
        return tuple(found)

    async def run(self, turn: Turn, choose: Choose) -> Outcome:
        """A timer for each of the day's customers of the segments; whether they begin is decided then."""
        made: list[Timer] = []
        for name, rules in self.known.items():
            if rules.segment:
                chosen = await self._members(set(await choose(rules.segment, turn.now)))
                fresh = [r for r in chosen if self._may_begin(name, rules, r, turn.now)]
                made += [
                    Timer(
                        f"sequence_begins:{name}:{row.conversation}",
                        SequenceStartDue(name),
                        turn.now + n * APART,
                        conversation=row.conversation,
                    )
                    for n, row in enumerate(fresh)
                ]
        return Outcome("desk", Result.ANSWERED, "sequences_run", timers=tuple(made))

    async def figures(self, now: datetime) -> Mapping[str, SequenceFigures]:
        """Of the last thirty days, by name."""
        counts: Counter[tuple[str, str]] = Counter()
        for event in await self._source.events(since=now - COUNTED, kinds=KINDS):
            name = str(event.data.get("number", ""))
            if event.kind == "news_off":
                counts[name.removeprefix("s:") if name.startswith("s:") else "", "out"] += 1
            else:
                counts[name, event.kind.removeprefix("sequence_")] += 1
                counts[name, "reached"] += event.data.get("why") == "unless"
        return {
            name: SequenceFigures(
                *(counts[name, what] for what in ("began", "said", "ended", "reached", "out"))
            )
            for name in self.known
        }

    def _day(self, now: datetime) -> tuple[Inbound, ...]:
        day = now.astimezone(self._zone).date().isoformat()
        wanted = any(rules.segment for rules in self.known.values())
        if not wanted or day == self._begun or opening(now, self._hours, self._zone) > now:
            return ()
        self._begun = day
        payload = SequenceDayBegan()
        key, nobody = f"sequences:{day}", Sender("")
        return (Inbound(key, OFFICE, nobody, now, InboundKind.INTERNAL, private=False, payload=payload),)

    async def _members(self, conversations: Collection[int]) -> list[SegmentMember]:
        ids, rows = sorted(conversations), list[SegmentMember]()
        for start in range(0, len(ids), PORTION):
            rows += await self._source.listeners(only=ids[start : start + PORTION])
        return rows

    async def _fits(self, rules: SequenceSettings, row: SegmentMember, event: Event) -> bool:
        if not _known_of(rules, row):
            return False
        if not rules.tag:
            return True
        ticket = await self._source.ticket(event.ticket) if event.ticket else None
        about = (ticket.category, ticket.topic, *ticket.state.tags) if ticket else ()
        return rules.tag.casefold() in {word.casefold() for word in about}

    def _may_begin(self, name: str, rules: SequenceSettings, row: SegmentMember, now: datetime) -> bool:
        fields = row.customer.fields
        return (
            row.reachable
            and not wants_none(row.customer)
            and _known_of(rules, row)
            and not is_in_one(fields, now)
            and not had_lately(rules, name, fields, now)
        )


def _known_of(rules: SequenceSettings, row: SegmentMember) -> bool:
    known = row.customer.fields
    return all(
        str(known.get(name, "")).casefold() in {v.strip() for v in value.casefold().split(",")}
        for name, value in rules.fields.items()
    )


def _begins(name: str, event: Event, row: SegmentMember, now: datetime) -> Inbound:
    at = round(event.at.timestamp() * 1000) if event.at else 0
    key = f"sequence:{name}:{event.kind}:{event.ticket or row.conversation}:{at}"
    return Inbound(key, row.peer, Sender(""), now, InboundKind.INTERNAL, payload=SequenceStartDue(name))
