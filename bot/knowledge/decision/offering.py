"""What is worth asking about: how many candidates a clarification lists, and when there is nothing to ask."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.query.words import lemma
from bot.knowledge.retrieval.index import Index
from bot.model import Decision

NEAR = 0.08  # of the first candidate's belief: what has less is not worth a line
LEAST = 0.03  # probability of a candidate below which it is not offered
TWO = 0.9  # share of belief that two candidates have together, from which a third is not offered
UNFAMILIAR = 2.3  # times the usual threshold where the base has no word of what is asked
NEVER = 1.0
_WORDS = Path(__file__).parents[1] / "data" / "function_words.txt"


@dataclass(frozen=True, slots=True)
class DecisionThresholds:
    """The confidence from which is answered, and the scope below which is handed over."""

    answer: float
    handoff: float


def offer_threshold(
    thresholds: DecisionThresholds, *, familiar: bool, by_words: bool, by_sentences: bool
) -> float:
    """What confidence and scope must have on average for anything to be said or offered.

    It goes with the threshold of scope: one network alone is often too sure of a small base, both seldom.
    Where the base has no word of what is asked, its meaning must speak for it: a sentence encoder's
    (*by_sentences*) is believed, our own's must say twice as much, and *by_words* nothing does.
    """
    if familiar or by_sentences:
        return thresholds.handoff
    return NEVER if by_words else min(UNFAMILIAR * thresholds.handoff, thresholds.answer)


def decide(thresholds: DecisionThresholds, confidence: float, scope: float, least: float) -> Decision:
    """Answer, ask, or hand over, for a question that has candidates."""
    if scope < thresholds.handoff or (confidence + scope) / 2 < least:
        return Decision.HANDOFF
    return Decision.ANSWER if confidence >= thresholds.answer else Decision.CLARIFY


def offered(shares: Sequence[float], confidence: float, most: int) -> int:
    """How many of the first candidates are offered (one at least, where there is any): *shares* of belief,
    the largest first; *confidence* is the probability of the first.
    """
    if not shares:
        return 0
    first = shares[0]
    likely = sum(s >= NEAR * first and s / first * confidence >= LEAST for s in shares[1:most])
    return 1 + (min(likely, 1) if sum(shares[:2]) >= TWO else likely)


def is_familiar(index: Index, words: Sequence[str]) -> bool:
    """Whether the base says any of *words* that names something, in any form or by a synonym; also where none
    of them does.
    """
    lemmas = [found for w in words if (found := lemma(w)) not in _function_words()]
    if not lemmas:
        return True
    reader = index.reader
    if index.says(lemmas):
        return True
    rarity = index.meaning_rarity
    meant = reader.meanings.get(reader.speech.meanings(lemmas))
    return any(0 <= n < len(rarity) and rarity[n] < index.meaning_unknown for n in meant)


@functools.cache
def _function_words() -> frozenset[str]:
    rows = _WORDS.read_text("utf-8").splitlines()
    return frozenset(word for row in rows if not row.startswith("#") for word in row.split())
