"""What a ready answer knows of the case that it is made for."""

from __future__ import annotations

from datetime import datetime

from bot.handoff.assist.canned import CannedAnswer, MissingValues
from bot.handoff.desk_context import DeskContext
from bot.i18n.sandbox import MissingFact
from bot.model import Customer, RichText, Ticket


def filled(
    desk: DeskContext,
    ready: CannedAnswer,
    ticket: Ticket,
    customer: Customer | None,
    operator: str,
    now: datetime,
) -> RichText | MissingValues | None:
    """The answer for this customer; which values it lacks for them; None where it cannot be made at all."""
    if desk.rules.canned is None:
        return None
    facts = {
        "customer": customer,
        "operator": operator,
        "number": ticket.number,
        "now": now,
        "lang": desk.lang_of(customer),
        "order": ticket.state.contacts.order or MissingFact(name="order"),
    }
    return desk.rules.canned.fill(ready, {**facts, **desk.rules.facts})
