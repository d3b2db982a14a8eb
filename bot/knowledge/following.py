"""Questions that lean on what was just said: «а сколько это стоит?», «а в Казань?»."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 7
_OPENINGS = frozenset(["а", "и", "ну", "но", "если", "или", "and", "but", "or", "if"])
_POINTERS = frozenset(
    ["это", "этот", "эта", "эти", "этого", "этой", "этих", "этому", "этим", "него", "нее", "неё", "нему", "ней", "них", "его", "ее", "её", "их", "он", "она", "они", "оно", "там", "туда", "оттуда", "тогда", "такой", "такая", "такое", "такие", "тоже", "также", "it", "its", "that", "this", "those", "these", "there", "them", "they", "then", "same"]
)


def follows(words: Sequence[str]) -> bool:
    """Whether a question makes little sense alone: short, and beginning with «а», pointing back, or of one or two words."""
    if not words or len(words) > LONGEST:
        return False
    return words[0] in _OPENINGS or len(words) <= 2 or any(w in _POINTERS for w in words)


def joined(title: str, question: str) -> str:
    """The question with the article it leans on."""
    return f"{title.rstrip('.?! ')}: {question}"
