"""The name under which the promise that carries somebody's message is found again, so that edits reach it."""

from __future__ import annotations

from bot.model import Inbound


def message_name(inbound: Inbound) -> str:
    """Channel, chat and message id; empty where the platform gave the message no id."""
    return f"{inbound.peer.channel}:{inbound.peer.chat}:{inbound.message}" if inbound.message else ""
