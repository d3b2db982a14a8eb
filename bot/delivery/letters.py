"""What is said at once on a channel of letters is one letter, and names the one that it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.adapters.base import Limits
from bot.model import Outbound, OutboundKind, Turn


def as_letters(
    messages: Iterable[Outbound], turn: Turn, limits: Mapping[str, Limits]
) -> tuple[Outbound, ...]:
    """The messages of a turn: to a customer of a `threaded` channel as answers to what they wrote, on one
    that `joins` as one; all others as they are.
    """
    arranged: list[Outbound] = []
    for outbound in messages:
        own = limits.get(outbound.to.channel, Limits())
        if own.threaded and not outbound.quotes and outbound.to == turn.inbounds[-1].peer:
            outbound = replace(outbound, quotes=turn.inbounds[-1].message)
        if own.joins and arranged and _belong_together(arranged[-1], outbound):
            arranged[-1] = _joined(arranged[-1], outbound)
        else:
            arranged.append(outbound)
    return tuple(arranged)


def _belong_together(before: Outbound, after: Outbound) -> bool:
    """Whether nothing is lost that only one message can have: buttons in between, two names, two receipts."""
    alike = ("to", "kind", "author", "author_name", "ticket", "quotes", "priority", "on_uncertain")
    return (
        before.kind is OutboundKind.SAY
        and all(getattr(before, name) == getattr(after, name) for name in alike)
        and not before.buttons
        and not (before.name and after.name)
        and not (before.mirror_of or after.mirror_of)
        and not (before.receipt and after.receipt)
    )


def _joined(before: Outbound, after: Outbound) -> Outbound:
    text = before.text + "\n\n" + after.text if before.text and after.text else before.text or after.text
    return replace(
        before,
        text=text,
        buttons=after.buttons,
        attachments=(*before.attachments, *after.attachments),
        name=before.name or after.name,
        receipt=before.receipt or after.receipt,
    )
