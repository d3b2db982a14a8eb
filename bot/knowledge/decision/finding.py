"""What search makes of a question, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.knowledge.query.correction import Correction
from bot.knowledge.retrieval.external import NO_VOTES, RetrieverVotes
from bot.knowledge.retrieval.features import AnalyzedQuery, Evidence


@dataclass(frozen=True, slots=True)
class SearchReading:
    """A question read one way, with what search makes of it."""

    text: str
    asked: AnalyzedQuery
    evidence: Evidence
    scores: np.ndarray
    confidence: float
    scope: float
    kind: str
    repairs: tuple[Correction, ...] = ()
    votes: RetrieverVotes = NO_VOTES
    plain: float = 0.0  # confidence before clicks
