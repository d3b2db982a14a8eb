"""The names of posts that show a ticket: who replies to them writes to its customer."""

from __future__ import annotations

SHOWS_CUSTOMER = ("card:", "customer:")  # how they begin


def shown_name(ticket: int) -> str:
    """Of a post that shows what the customer sent, beside their own messages."""
    return f"customer:{ticket}"
