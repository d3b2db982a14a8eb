"""The topic of a ticket is closed and opened with it."""

from __future__ import annotations

from bot.model import Outbound, OutboundKind, Peer, Priority


def close_topic(to: Peer, ticket: int | None) -> Outbound:
    """Close the topic of *ticket*; a platform without topics skips it, a repeat changes nothing."""
    return _set(to, ticket, OutboundKind.CLOSE_TOPIC)


def reopen_topic(to: Peer, ticket: int | None) -> Outbound:
    """Open the topic of *ticket* again; enqueue it before what operators are to answer there."""
    return _set(to, ticket, OutboundKind.REOPEN_TOPIC)


def _set(to: Peer, ticket: int | None, kind: OutboundKind) -> Outbound:
    # law: in one order with the notices: operators who are told of a customer's return must be able to write
    return Outbound(to, kind=kind, priority=Priority.NOTICE, ticket=ticket, author="")
