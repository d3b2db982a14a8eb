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
_CIRCUMSTANCES = frozenset(
    {
        *("если", "когда", "в", "во", "на", "из", "с", "со", "до", "от", "для", "по", "к", "ко", "у", "о"),
        *("за", "без", "через", "под", "при", "про", "if", "when", "in", "on", "at", "to", "from", "for"),
        *("by", "without", "with", "about"),
    }
)
OWN_WORDS = 3  # words behind the opening from which a question names a subject of its own
FOREIGN = 0.45  # share of its words, by weight, that the base knows; below it the subject is none of ours
DOUBTFUL, UNCOVERED = 0.6, 0.4  # the same where the base does not cover the words either
UNKNOWN = (
    0.5  # a bare word or two that the base covers better than this is a topic of its own, not a follow-up
)


def follows(words: Sequence[str], scope: float = 0.0, known: float = 1.0) -> bool:
    """Whether a question makes little sense alone: short, and beginning with «а» or pointing back, or one or
    two words that mean nothing to the base (*scope* is how well it covers them, *known* how much of them it
    has seen).
    """
    if not words or len(words) > LONGEST:
        return False
    if any(w in _POINTERS for w in words):
        return True
    if words[0] in _OPENINGS:
        return not _is_foreign(words[1:], scope, known)
    return len(words) <= 2 and scope < UNKNOWN


def _is_foreign(words: Sequence[str], scope: float, known: float) -> bool:
    """Whether the words behind «а» ask about something that the articles have never heard of: then what was
    said before is not what they are about. «А в Набережные Челны?» names a place, no subject.
    """
    if len(words) < OWN_WORDS or words[0] in _CIRCUMSTANCES:
        return False
    return known < FOREIGN or (known < DOUBTFUL and scope < UNCOVERED)


def joined(title: str, question: str) -> str:
    """The question with the article it leans on."""
    return f"{title.rstrip('.?! ')}: {question}"
