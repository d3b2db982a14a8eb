"""What operators asked the assistant for, and what became of it: sent as it was, changed, or thrown away."""

from __future__ import annotations

from collections import Counter, defaultdict

from bot.model import Event
from bot.reports.ledger import ASSISTANT, Ledger
from bot.reports.metrics import FigureCase
from bot.reports.periods import Period
from bot.reports.tables import Table, TableRow

COLUMNS = ("asked", "sent", "edited", "dropped", "failed")
_COLUMN = {f"assistant_{name}": name for name in COLUMNS[1:]} | {"assistant_requested": "asked"}


def assistant_use(ledger: Ledger, period: Period) -> Table:
    """By task, the most asked for first. What the bot asked for by itself, at a handover, is not counted."""
    found = defaultdict[str, list[Event]](list)
    for event in ledger.facts.events:
        if event.kind in ASSISTANT and event.actor != "bot" and period.holds(event.at):
            found[str(event.data.get("task", ""))].append(event)
    rows = [TableRow(task, task, _cells(events), _cases(events)) for task, events in found.items()]
    rows.sort(key=lambda r: (-float(r.cells["asked"] or 0), r.key))
    return Table("assistant", COLUMNS, tuple(rows))


def _cells(events: list[Event]) -> dict[str, float | None]:
    counted = Counter(_COLUMN[e.kind] for e in events)
    return {name: float(counted[name]) for name in COLUMNS}


def _cases(events: list[Event]) -> tuple[FigureCase, ...]:
    return tuple(
        FigureCase(e.conversation, e.at, e.ticket)
        for e in events
        if e.kind == "assistant_requested" and e.conversation is not None and e.at is not None
    )
