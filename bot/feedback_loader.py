"""Reads from the store what people's clicks said of the answers, for the knowledge base to learn from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime

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
from bot.storage.base import Store
from bot.text.person_names import names_of

TURNS = 200  # of one conversation that are looked at
JUDGED = 2000  # questions that may become examples
DECIDED = (ACCEPTED, REJECTED, RESTORED)


async def clicks(store: Store, since: datetime, *, newest: int = NEWEST) -> tuple[Feedback, ...]:
    """The *newest* judged questions since then, oldest first; only conversations in which somebody clicked
    are read.
    """
    events = await store.events(since=since, kinds=EVENTS)
    whose = {e.ticket: e.conversation for e in events if e.kind == "ticket_opened"}
    told = [
        whose.get(e.ticket, e.conversation) if e.kind == "ready_sent" else e.conversation
        for e in events
        if e.kind != "ticket_opened"
    ]
    recent = list(dict.fromkeys(c for c in reversed(told) if c is not None))[:newest]
    turns = [t for c in recent for t in await store.turns(conversation=c, limit=TURNS)]
    told_of = [e for e in events if e.kind in ("ticket_opened", "ready_sent") or e.conversation in recent]
    return judged(turns, told_of, newest=newest)


async def examples_from_use(
    store: Store, knowledge: Knowledge, since: datetime
) -> tuple[SuggestedExample, ...]:
    """What use says of questions since then and nobody accepted or rejected yet; nothing is changed."""
    verdicts = await clicks(store, since, newest=JUDGED)
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
