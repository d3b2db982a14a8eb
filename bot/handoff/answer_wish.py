"""What a ticket's customer has said of when and where to be answered, in facts for texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.handoff.desk_context import DeskContext
from bot.model import Ticket, Turn
from bot.text.customer_fields import CONTACTS, normal

OPEN, AT, BY = "wish", "wish_at", "wish_by"  # the actions of its buttons
CONTACT = "wish_contact"  # in the state: which contact was asked for
ACTIONS = frozenset({OPEN, AT, BY})
_CONSENT = frozenset({"consent_yes", "consent_no"})


def is_about_wish(turn: Turn) -> bool:
    """Whether a press or the words are about the answer's time and place, and no word for the operator."""
    asked = str(turn.conversation.state.get(CONTACT) or "")
    if turn.press is not None:
        return turn.press.action in ACTIONS or (bool(asked) and turn.press.action in _CONSENT)
    return bool(contact_in(asked, turn.text))


def contact_in(kind: str, text: str) -> str:
    """The phone or the e-mail that *text* is, "" where it is none, or none was asked for."""
    return normal(kind, text) or "" if kind in CONTACTS else ""


def is_later(ticket: Ticket, now: datetime) -> bool:
    """Whether the customer asked to be answered later than now, and nobody has answered yet."""
    return ticket.state.wish_at is not None and ticket.state.wish_at > now


def facts_of(desk: DeskContext, ticket: Ticket) -> Mapping[str, object]:
    """`at`, `until` and `by` ("phone", "email", a messenger's title, "" = here)."""
    state = ticket.state
    by = state.wish_by if state.wish_by in (*CONTACTS, "") else desk.places.title(state.wish_by)
    return {"at": state.wish_at, "until": state.wish_until, "by": by}
