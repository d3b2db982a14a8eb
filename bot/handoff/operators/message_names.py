"""The name under which the promise that carries somebody's message is found again, so that edits reach it."""

from __future__ import annotations

from bot.model import Inbound, Peer

SHOWS_CUSTOMER = (
    "card:",
    "customer:",
)  # how the names of posts begin that show a ticket: who replies to them writes to the customer


def message_name(inbound: Inbound) -> str:
    """Channel, chat and message id; empty where the platform gave the message no id."""
    return name_of(inbound.peer, inbound.message) if inbound.message else ""


def name_of(peer: Peer, message: str) -> str:
    return f"{peer.channel}:{peer.chat}:{message}"


def shown_name(ticket: int) -> str:
    """Of a post that shows what the customer sent, beside his own messages."""
    return f"customer:{ticket}"
