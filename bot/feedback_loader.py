"""Reads from the store what people's clicks said of the answers, for the knowledge base to learn from."""

from __future__ import annotations

from datetime import datetime

from bot.knowledge.quality.feedback import EVENTS, NEWEST, Feedback, judged
from bot.storage.base import Store

TURNS = 200  # of one conversation that are looked at


async def clicks(store: Store, since: datetime) -> tuple[Feedback, ...]:
    """The judged questions since then, oldest first; only conversations in which somebody clicked are
    read.
    """
    events = await store.events(since=since, kinds=EVENTS)
    whose = {e.ticket: e.conversation for e in events if e.kind == "ticket_opened"}
    told = [
        whose.get(e.ticket, e.conversation) if e.kind == "ready_sent" else e.conversation
        for e in events
        if e.kind != "ticket_opened"
    ]
    newest = list(dict.fromkeys(c for c in reversed(told) if c is not None))[:NEWEST]
    turns = [t for c in newest for t in await store.turns(conversation=c, limit=TURNS)]
    return judged(
        turns, [e for e in events if e.kind in ("ticket_opened", "ready_sent") or e.conversation in newest]
    )
