"""What a ticket remembers beside its columns: moments, lists and words in its data."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.model import Ticket


def moment(ticket: Ticket, key: str) -> datetime | None:
    """A moment that was marked; None where there is none."""
    value = ticket.data.get(key)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def number(ticket: Ticket, key: str) -> int:
    value = ticket.data.get(key)
    return value if isinstance(value, int) else 0


def words(ticket: Ticket, key: str) -> str:
    value = ticket.data.get(key)
    return value if isinstance(value, str) else ""


def listed(ticket: Ticket, key: str) -> tuple[str, ...]:
    value = ticket.data.get(key)
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()


def marked(ticket: Ticket, **marks: object) -> Ticket:
    """The ticket with *marks*; None, "" and empty lists take a mark away.

    The same ticket where nothing changes.
    """
    data = dict(ticket.data)
    for key, value in marks.items():
        value = (
            value.isoformat()
            if isinstance(value, datetime)
            else list(value)
            if isinstance(value, tuple)
            else value
        )
        if value in (None, "", []):
            data.pop(key, None)
        else:
            data[key] = value
    return ticket if data == ticket.data else replace(ticket, data=data)
