"""Questions that lean on what was just said: «а сколько это стоит?», «а в Казань?»."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 7
_OPENINGS = frozenset({"а", "и", "ну", "но", "если", "или", "and", "but", "or", "if"})
_POINTERS = frozenset(
    {
        "это",
        "этот",
        "эта",
        "эти",
        "этого",
        "этой",
        "этих",
        "этому",
        "этим",
        "него",
        "нее",
        "ней",
        "них",
        "его",
        "ее",
        "их",
        "он",
        "она",
        "они",
        "оно",
        "там",
        "туда",
        "оттуда",
        "тогда",
        "такой",
        "такая",
        "такое",
        "такие",
        "тоже",
        "также",
        "it",
        "its",
        "that",
        "this",
        "there",
        "those",
        "these",
        "them",
        "they",
        "then",
        "same",
    }
)
UNKNOWN = (
    0.5  # a bare word or two that the base covers better than this is a topic of its own, not a follow-up
)


def follows(words: Sequence[str], scope: float = 0.0) -> bool:
    """Whether a question makes little sense alone: short, and beginning with «а» or pointing back, or one or
    two words that mean nothing to the base (*scope* is how well it covers them).
    """
    if not words or len(words) > LONGEST:
        return False
    return (
        words[0] in _OPENINGS or any(w in _POINTERS for w in words) or (len(words) <= 2 and scope < UNKNOWN)
    )


def joined(title: str, question: str) -> str:
    """The question with the article it leans on."""
    return f"{title.rstrip('.?! ')}: {question}"
