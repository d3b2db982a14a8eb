"""In what the replicas at work differ that should be alike: then customers are answered by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.storage.base import Replica

Alike = Literal["articles", "settings", "version"]
ALIKE: tuple[Alike, ...] = ("articles", "settings", "version")


@dataclass(frozen=True, slots=True)
class ReplicaDifference:
    """Who has which: pairs of a value and a replica that reported it, equal values together."""

    what: Alike
    found: tuple[tuple[str, Replica], ...]


def differences(replicas: Sequence[Replica]) -> tuple[ReplicaDifference, ...]:
    """Where not all that told have the same. What a replica does not tell counts for nothing."""
    found = []
    for what in ALIKE:
        told = sorted(
            ((value, r) for r in replicas if (value := str(getattr(r, what)))),
            key=lambda pair: (pair[0], pair[1].name),
        )
        if len({value for value, _ in told}) > 1:
            found.append(ReplicaDifference(what, tuple(told)))
    return tuple(found)
