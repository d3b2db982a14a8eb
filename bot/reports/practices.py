"""What surrounds a conversation, counted from its events: follow-up sequences, whether all is well, consents,
questionnaires, flows, important customers who were upset. Only what there was has rows.
"""

from __future__ import annotations

from bot.model import Event
from bot.reports.ledger import PRACTICES, Ledger
from bot.reports.metrics import FigureCase
from bot.reports.periods import Period
from bot.reports.tables import Table, TableRow

KEY = "after"
ROWS = (
    "sequence_said",
    "sequence_needless",
    "sequence_opted_out",
    "check_in_asked",
    "check_in_well",
    "check_in_not_well",
    "questionnaire_sent",
    "questionnaire_begun",
    "questionnaire_done",
    "flow_begun",
    "flow_done",
    "flow_person",
    "flow_given_up",
    "upset_vip",
    "consent_given",
    "consent_refused",
    "consent_withdrawn",
)  # in the order in which they are shown
_WHY = {"unless": "sequence_needless", "opted_out": "sequence_opted_out"}
_ENDING = {"done": "done", "article": "done", "person": "person"}  # anything else is given up


def practices(ledger: Ledger, period: Period) -> Table:
    """One number to a row: messages sent, questions asked and how each was answered, consents by version."""
    sent = {
        e.data.get("number")
        for e in ledger.facts.events
        if e.kind == "broadcast_started" and e.data.get("questionnaire")
    }
    found: dict[str, list[Event]] = {}
    for event in ledger.facts.events:
        if event.kind in PRACTICES and period.holds(event.at) and (key := _row(event, sent)):
            found.setdefault(key, []).append(event)
    order = {name: n for n, name in enumerate(ROWS)}
    keys = sorted(found, key=lambda k: (order[k.partition(":")[0]], k))
    rows = [TableRow(k, k, {"count": float(len(found[k]))}, _cases(found[k])) for k in keys]
    return Table(KEY, ("count",), tuple(rows))


def _row(event: Event, sendings: set[object]) -> str:
    """The row that an event is counted in, "" = in none. *sendings*: the broadcasts that are
    questionnaires.
    """
    match event.kind:
        case "sequence_said" | "check_in_asked":
            return event.kind
        case "sequence_ended":
            return _WHY.get(str(event.data.get("why")), "")
        case "check_in_answered":
            return "check_in_well" if event.data.get("helped") is True else "check_in_not_well"
        case "consent_given" | "consent_refused" | "consent_withdrawn":
            return f"{event.kind}:{event.data.get('version', '')}"
        case "broadcast_said":
            return "questionnaire_sent" if event.data.get("number") in sendings else ""
        case "upset_customer":
            return "upset_vip"
        case "flow_started":
            return "questionnaire_begun" if event.data.get("number") else "flow_begun"
        case "flow_ended":
            how = _ENDING.get(str(event.data.get("ending")), "given_up")
            if event.data.get("number"):
                return "questionnaire_done" if how == "done" else ""
            return f"flow_{how}"
    return ""


def _cases(events: list[Event]) -> tuple[FigureCase, ...]:
    return tuple(
        FigureCase(e.conversation, e.at, e.ticket)
        for e in events
        if e.conversation is not None and e.at is not None
    )
