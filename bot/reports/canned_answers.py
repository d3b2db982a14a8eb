"""Ready answers in use: which go out as they are, and which so often unchanged that somebody should look at
them.
"""

from __future__ import annotations

from collections import defaultdict

from bot.model import Event
from bot.reports.ledger import Ledger
from bot.reports.metrics import FigureCase
from bot.reports.periods import Period
from bot.reports.tables import Table, TableRow

PREFIX = "canned:"
OFTEN, ALWAYS = 10, 0.9  # sent at least so often, and at least this share of it unchanged
MARK = "⚠ "


def ready(ledger: Ledger, period: Period) -> Table:
    """Each ready answer: sent as it was, sent after an operator made it fit, and the share of the first.

    The most unchanged ones first.
    """
    used: dict[str, list[Event]] = defaultdict(list)
    for event in ledger.facts.events:
        if (
            event.kind in ("ready_sent", "ready_edited")
            and str(event.data.get("what", "")).startswith(PREFIX)
            and period.holds(event.at)
        ):
            used[str(event.data["what"]).removeprefix(PREFIX)].append(event)
    rows = []
    for key, events in used.items():
        sent, title = sum(e.kind == "ready_sent" for e in events), str(events[-1].data.get("title") or key)
        share = sent / len(events)
        cases = tuple(
            FigureCase(e.conversation, e.at, e.ticket)
            for e in events
            if e.conversation is not None and e.at is not None
        )
        rows.append(
            TableRow(
                key,
                (MARK if too_often(sent, share) else "") + title,
                {"sent": float(sent), "edited": float(len(events) - sent), "as_is": share},
                cases,
            )
        )
    rows.sort(key=lambda r: (-float(r.cells["sent"] or 0), r.name))
    return Table("ready", ("sent", "edited", "as_is"), tuple(rows))


def too_often(sent: float, share: float) -> bool:
    """Whether the answer goes out so mechanically that the bot could give it, or nobody reads what they
    send.
    """
    return sent >= OFTEN and share >= ALWAYS


def mechanical(table: Table) -> tuple[TableRow, ...]:
    """The rows that the digest and the page point at."""
    return tuple(
        r for r in table.rows if too_often(float(r.cells["sent"] or 0), float(r.cells["as_is"] or 0))
    )
