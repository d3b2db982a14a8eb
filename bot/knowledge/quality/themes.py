"""Texts gathered by what they mean: customers' ideas and comments, by the rules of gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.knowledge.quality.gaps import Encode, MissedQuestion, group

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def grouped(texts: Sequence[str], encode: Encode | None = None) -> tuple[tuple[int, ...], ...]:
    """The places of texts that mean the same, the largest group first; every text is in one."""
    # each text stands for a customer of its own, so that the largest group comes first
    found = [MissedQuestion(text, "unanswered", _EPOCH, n) for n, text in enumerate(texts)]
    return tuple(tuple(m.conversation for m in gap.missed) for gap in group(found, encode))


def alike(text: str, others: Sequence[str], encode: Encode | None = None) -> int | None:
    """The place among *others* of the first that means the same as *text*; None where none does."""
    mine = next(g for g in grouped([*others, text], encode) if len(others) in g)
    return next((n for n in mine if n != len(others)), None)
