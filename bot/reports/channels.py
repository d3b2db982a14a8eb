"""One side of the facts: what happened in a single channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.reports.ledger import PRACTICES, ReportFacts


def channels_of(facts: ReportFacts) -> tuple[str, ...]:
    """The channels in which customers wrote, by name."""
    return tuple(sorted({c for c in _homes(facts).values() if c}))


def of_channel(facts: ReportFacts, channel: str) -> ReportFacts:
    """The facts of the conversations in that channel; everything else as if it had not been."""
    homes = _homes(facts)
    events = tuple(
        e
        for e in facts.events
        if e.kind in ("demo", "broadcast_started")  # ordered in no customer's channel
        or (e.conversation is not None and homes.get(e.conversation) == channel)
    )
    return replace(
        facts,
        events=events,
        tickets={n: t for n, t in facts.tickets.items() if t.customer_peer.channel == channel},
    )


def _homes(facts: ReportFacts) -> Mapping[int, str]:
    """Where each conversation is held."""
    homes = {
        e.conversation: str(e.data.get("channel", ""))
        for e in facts.events
        if e.kind in ("heard", *PRACTICES) and e.conversation is not None and e.data.get("channel")
    }
    return {**homes, **{t.conversation: t.customer_peer.channel for t in facts.tickets.values()}}
