"""A request that a person answers for, and the person who does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.model.addresses import Peer
from bot.model.ticket_state import TicketState


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of the business who answers customers in the desk. `id` is `channel:user id`."""

    id: str
    name: str
    role: Literal["operator", "supervisor"] = "operator"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that a person answers for.

    `number` is what people say aloud; `version` guards against two hands at once.
    """

    number: int
    conversation: int
    customer_peer: Peer
    status: Literal["waiting", "operator", "snoozed", "closed"] = "waiting"
    reason: str = ""
    topic: str = ""
    category: str = ""
    priority: int = 0
    operator: str = ""  # Operator.id, "" = nobody
    operator_name: str = ""
    opened: datetime | None = None
    taken: datetime | None = None
    first_reply: datetime | None = None
    closed: datetime | None = None
    due: datetime | None = None
    rating: int | None = None
    version: int = 0
    state: TicketState = field(default_factory=TicketState)


@dataclass(frozen=True, slots=True)
class WaitingTickets:
    """How many tickets of one team ("" = of none) and one priority wait."""

    team: str
    priority: int
    count: int
