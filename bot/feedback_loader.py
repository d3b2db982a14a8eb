"""Reads from the store what people's clicks said of the answers, for the knowledge base to learn from."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.quality.examples import (
    ACCEPTED,
    REJECTED,
    RESTORED,
    SuggestedExample,
    settled,
    suggest_examples,
)
from bot.knowledge.quality.feedback import EVENTS, NEWEST, Feedback, judged
from bot.knowledge.search import Knowledge
from bot.model import PLAYED, Event
from bot.storage.base import Store, TurnRecord
from bot.text.person_names import names_of

TURNS = 200  # of one conversation that are looked at
JUDGED = 2000  # questions that may become examples
FIRST = timedelta(days=2)  # is looked at first, then twice as much, until there is enough
SLICE = timedelta(days=2)  # of events read at once
OFFERED = "clarified"  # the event of answers to choose from
_TICKETS = ("ticket_opened", "ready_sent")
DECIDED = (ACCEPTED, REJECTED, RESTORED)


async def clicks(
    store: Store, since: datetime, now: datetime, *, newest: int = NEWEST
) -> tuple[Feedback, ...]:
    """The *newest* judged questions since then, oldest first; only conversations in which somebody clicked
    are read, and no more of the past than holds so many.
    """
    events, talks = tuple[Event, ...](), dict[int, tuple[TurnRecord, ...]]()
    found, span, start = tuple[Feedback, ...](), FIRST, now + SLICE
    while len(found) < newest and start > since:
        before, start, span = start, max(since, now - span), 2 * span
        events = await in_slices(store, start, before, (*EVENTS, OFFERED)) + events
        clicked = _clicked(events)
        for own in clicked - talks.keys():
            talks[own] = await store.turns(conversation=own, limit=TURNS)
        clicked = {own for own in clicked if all(t.peer.channel != PLAYED for t in talks[own])}
        told_of = [e for e in events if e.kind in _TICKETS or e.conversation in clicked]
        found = judged([t for own in clicked for t in talks[own]], told_of, newest=newest)
    return found


class EventStore(Protocol):
    """What tells of events."""

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]: ...


async def in_slices(
    store: EventStore, start: datetime, end: datetime, kinds: Collection[str]
) -> tuple[Event, ...]:
    """Events of these kinds, read in slices, so that nobody else who reads waits long."""
    events = list[Event]()
    while start < end:
        events += await store.events(since=start, until=min(start + SLICE, end), kinds=kinds)
        start += SLICE
    return tuple(events)


def _clicked(events: Sequence[Event]) -> set[int]:
    """The conversations in which somebody said what they thought of an answer, or could choose one."""
    whose = {e.ticket: e.conversation for e in events if e.kind == "ticket_opened"}
    told = {
        whose.get(e.ticket, e.conversation) if e.kind == "ready_sent" else e.conversation
        for e in events
        if e.kind in ("feedback", "ready_sent", OFFERED)
    }
    return {own for own in told if own is not None}


async def examples_from_use(
    store: Store, knowledge: Knowledge, since: datetime, now: datetime
) -> tuple[SuggestedExample, ...]:
    """What use says of questions since then and nobody accepted or rejected yet; nothing is changed."""
    verdicts = await clicks(store, since, now, newest=JUDGED)
    names = await _names(store, {v.conversation for v in verdicts if v.right})
    done = settled(await store.events(kinds=DECIDED))

    def suggested() -> tuple[SuggestedExample, ...]:
        return suggest_examples(
            verdicts,
            knowledge.articles(),
            knowledge.today(),
            done=done,
            names=lambda conversation: names.get(conversation, ()),
            encode=encoder_of(knowledge),
        )

    return await asyncio.to_thread(suggested)


async def _names(store: Store, conversations: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """What the customers of these conversations are called."""
    names: dict[int, tuple[str, ...]] = {}
    for number in conversations:
        for turn in await store.turns(conversation=number, limit=1):
            found = await store.conversation(turn.peer)
            if found is not None and found.customer is not None:
                names[number] = names_of(await store.customer(found.customer))
    return names
