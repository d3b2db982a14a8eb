"""What the knowledge base has to say to a question, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.addresses import Json


class Intent(StrEnum):
    """What the customer does with the words, decided before any search."""

    QUESTION = "question"
    HUMAN = "human"
    UPSET = "upset"
    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"
    YES_HELPED = "yes_helped"
    NOT_HELPED = "not_helped"


class Decision(StrEnum):
    ANSWER = "answer"
    CLARIFY = "clarify"
    HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that may answer; `score` 0..1 orders them, `passage` is the index of the passage that fits
    best.
    """

    article: str
    title: str
    score: float
    passage: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the knowledge base has to say to a question, and how sure it is.

    `confidence` is the calibrated probability that the first candidate is right (decides *answer*), `scope`
    how well the question is covered at all, 0..1 (decides *hand over*). `article` is set when the decision is
    to answer. `lead` is true when the first candidate is ahead but not sure: its lead may be shown above a
    clarification. `options` is how many of the first candidates are worth offering. `why` explains
    everything: what was understood, each channel's scores, thresholds, one sentence.
    """

    decision: Decision
    candidates: tuple[Candidate, ...] = ()
    confidence: float = 0.0
    scope: float = 0.0
    act: Intent = Intent.QUESTION
    article: str | None = None
    lead: bool = False
    options: int = 3
    why: Json = field(default_factory=dict)
