"""Quality of service in the report: how dialogs were scored, how far playbooks were followed, and what was
given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bot.model import Event
from bot.reports.ledger import Ledger
from bot.reports.metrics import FEW, FigureCase, mean_of
from bot.reports.periods import Period
from bot.reports.tables import Cell, Table, TableRow

SCORES = ("scored", "by_itself", "sampled", "by_supervisor")
PLAYBOOKS = ("tickets", "steps_done", "required_open")
COMPENSATIONS = ("given", "asked", "allowed", "refused", "sum")


def all_tables(ledger: Ledger, period: Period) -> tuple[Table, ...]:
    """In the order in which they are shown."""
    return scores(ledger, period), playbooks(ledger, period), compensations(ledger, period)


def scores(ledger: Ledger, period: Period) -> Table:
    """By operator: the mean score by itself, and that of supervisors over the fair sample alone. The newest
    score of a ticket counts.
    """
    newest = {(e.kind, e.ticket): e for e in _of(ledger, period, "dialog_scored", "dialog_reviewed")}
    seen, said = defaultdict[str, list[Event]](list), defaultdict[str, list[Event]](list)
    for event in newest.values():
        operator = str(event.data.get("of") or "")
        if not operator or not isinstance(event.data.get("score"), (int, float)):
            continue
        if event.kind == "dialog_scored":
            seen[operator].append(event)
        elif event.data.get("reason") == "sample":
            said[operator].append(event)
    names = {t.operator: t.operator_name for t in ledger.facts.tickets.values() if t.operator}
    rows = []
    for operator in {*seen, *said}:
        cells: dict[str, Cell] = {
            "scored": float(len(seen[operator])),
            "by_itself": _mean(seen[operator]),
            "sampled": float(len(said[operator])),
            "by_supervisor": _mean(said[operator]),
        }
        rows.append(TableRow(operator, names.get(operator) or operator, cells, _cases(seen[operator])))
    rows.sort(key=lambda r: (-float(r.cells["scored"] or 0), r.name))
    return Table("scores", SCORES, tuple(rows))


def playbooks(ledger: Ledger, period: Period) -> Table:
    """By playbook: tickets closed with it, the share of steps done, tickets with required steps left open."""
    ended: dict[str, list[Event]] = defaultdict(list)
    for event in _of(ledger, period, "playbook_ended"):
        ended[str(event.data.get("playbook") or "")].append(event)
    rows = []
    for name, events in sorted(ended.items(), key=lambda item: (-len(item[1]), item[0])):
        steps, done = (sum(_number(e, key) for e in events) for key in ("steps", "done"))
        cells: dict[str, Cell] = {
            "tickets": float(len(events)),
            "steps_done": done / steps if steps else None,
            "required_open": float(sum(_number(e, "required_open") > 0 for e in events)),
        }
        title = str(events[-1].data.get("title") or name)
        rows.append(TableRow(name, title, cells, _cases(events)))
    return Table("playbooks", PLAYBOOKS, tuple(rows))


def compensations(ledger: Ledger, period: Period) -> Table:
    """By operator: given within their limit, asked for, allowed and refused; the sum of what was given and
    allowed.
    """
    acts: dict[str, list[Event]] = defaultdict(list)
    for event in _of(ledger, period, "compensation_given", "compensation_asked", "compensation_decided"):
        decided = event.kind == "compensation_decided"
        operator = str(event.data.get("of") or "") if decided else event.actor
        if operator:
            acts[operator].append(event)
    names = {t.operator: t.operator_name for t in ledger.facts.tickets.values() if t.operator}
    rows = []
    for operator, events in acts.items():
        given = [e for e in events if e.kind == "compensation_given"]
        allowed, refused = ([e for e in events if e.data.get("decision") == word] for word in ("yes", "no"))
        cells: dict[str, Cell] = {
            "given": float(len(given)),
            "asked": float(sum(e.kind == "compensation_asked" for e in events)),
            "allowed": float(len(allowed)),
            "refused": float(len(refused)),
            "sum": sum(_number(e, "amount") for e in (*given, *allowed)),
        }
        rows.append(TableRow(operator, names.get(operator) or operator, cells, _cases(events)))
    rows.sort(key=lambda r: (-float(r.cells["sum"] or 0), r.name))
    return Table("compensations", COMPENSATIONS, tuple(rows))


def _of(ledger: Ledger, period: Period, *kinds: str) -> list[Event]:
    return [e for e in ledger.facts.events if e.kind in kinds and period.holds(e.at)]


def _mean(events: Sequence[Event]) -> float | None:
    return mean_of([_number(e, "score") for e in events]) if len(events) >= FEW else None


def _number(event: Event, key: str) -> float:
    value = event.data.get(key)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _cases(events: Sequence[Event]) -> tuple[FigureCase, ...]:
    return tuple(
        FigureCase(e.conversation, e.at, e.ticket)
        for e in events
        if e.conversation is not None and e.at is not None
    )
