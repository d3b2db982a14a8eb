"""Why somebody waited: what happened to their ticket and when, and how busy it was just then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model import Event, Ticket

SHOWN = (
    "ticket_opened",
    "ticket_taken",
    "ticket_assigned",
    "ticket_transferred",
    "ticket_moved",
    "ticket_given_back",
    "ticket_snoozed",
    "ticket_woken",
    "first_reply",
    "ticket_waits",
    "sla_near",
    "sla_breached",
    "stranded_found",
    "promised",
    "ticket_priority",
    "ticket_reopened",
    "ticket_closed",
    "rated",
)
AT_WORK = (
    "first_reply",
    "operator_wrote",
    "ticket_taken",
    "ticket_closed",
)  # what only somebody who is there does
AROUND = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class FirstAnswerWait:
    """How long the first answer took (seconds of working time; None = nobody has answered), how many others
    waited then, how many operators were at work.
    """

    ticket: Ticket
    seconds: float | None
    others: int
    operators: int


@dataclass(frozen=True, slots=True)
class TicketStep:
    """A moment of a ticket's way: what, and who did it, by name."""

    at: datetime
    kind: str
    number: int
    who: str = ""
    detail: str = ""


def wait_of(
    ticket: Ticket, tickets: Sequence[Ticket], events: Sequence[Event], seconds: float | None
) -> FirstAnswerWait | None:
    """*events* are those of `AT_WORK` around the ticket's opening."""
    opened = ticket.opened
    if opened is None:
        return None
    others = sum(t.number != ticket.number and _waited(t, opened) for t in tickets)
    busy = {e.actor for e in events if e.at is not None and abs(e.at - opened) <= AROUND and ":" in e.actor}
    return FirstAnswerWait(ticket, seconds, others, len(busy))


def _waited(ticket: Ticket, at: datetime) -> bool:
    """Whether a ticket was open then, and nobody had answered it yet."""
    over = ticket.first_reply or ticket.closed
    return ticket.opened is not None and ticket.opened <= at and (over is None or over > at)


def timeline(numbers: Sequence[int], events: Sequence[Event], names: Mapping[str, str]) -> list[TicketStep]:
    """What happened to these tickets, in order."""
    found = []
    for event in events:
        if event.ticket in numbers and event.at is not None and event.kind in SHOWN:
            detail = str(event.data.get("goal") or event.data.get("rating") or event.data.get("why") or "")
            found.append(
                TicketStep(event.at, event.kind, event.ticket or 0, names.get(event.actor, ""), detail)
            )
    return found
