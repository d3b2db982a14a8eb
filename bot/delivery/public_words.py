"""What is meant for one customer is never said where everybody reads it."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Outbound, OutboundKind


def guarded(outbound: Outbound) -> tuple[Outbound, ...]:
    """*outbound* as it may go.

    law: to a public peer goes only what is marked for everybody. An operator's other words go to the same
    person alone; what the service says of tickets, waiting and surveys has no place there at all.
    """
    if not outbound.to.is_public or outbound.public or outbound.kind is OutboundKind.MODERATE:
        return (outbound,)
    if outbound.author == "operator":
        return (replace(outbound, to=outbound.to.alone, quotes=""),)
    return ()
