"""Several questions in one go: which parts of a turn ask something of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.dialogs.protocols import ArticleText
from bot.dialogs.short_answers import fold
from bot.model import Answer, Candidate, Decision, InboundKind, Turn

MOST = 5  # parts of one turn that are read one by one: who writes more is telling a story
LESS = 0.03  # of confidence that more words of the same question may cost
_ENDS = re.compile(r"(?<=[?？])\s+")


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """A part of what was said, with what the articles know of it; *sure* is the article that answers it."""

    text: str
    answer: Answer
    sure: ArticleText | None = None

    @property
    def top(self) -> str:
        """The article that comes first, sure or not."""
        return self.answer.candidates[0].article if self.answer.candidates else ""

    @property
    def asks(self) -> bool:
        """Whether it is a question by itself: it says so, or an article is near."""
        return "?" in self.text or self.answer.lead


def parts_of(turn: Turn) -> tuple[str, ...]:
    """The messages of a turn, and within each what ends with a question mark; nothing where it is one thing,
    or too much.
    """
    found: dict[str, str] = {}
    for inbound in turn.inbounds:
        if inbound.kind is InboundKind.MESSAGE:
            for piece in _ENDS.split(inbound.text.strip()):
                if heard := fold(piece):
                    found.setdefault(heard, piece.strip())
    return tuple(found.values()) if 1 < len(found) <= MOST else ()


def left_over(parts: Sequence[QuestionPart]) -> tuple[QuestionPart, ...]:
    """What is asked beside the sure answers and not covered by them."""
    told = {p.sure.id for p in parts if p.sure is not None}
    return tuple(p for p in parts if p.sure is None and p.asks and p.top not in told)


def is_one_question(parts: Sequence[QuestionPart], whole: Answer) -> bool:
    """Whether the parts read together are answered as surely as the surest of them alone: then they say one
    thing.
    """
    surest = max((p.answer.confidence for p in parts if p.sure is not None), default=0.0)
    return whole.decision is Decision.ANSWER and whole.confidence >= surest - LESS


def in_doubt(parts: Sequence[QuestionPart], whole: Answer) -> Answer | None:
    """The whole, with the likeliest article of every part among the first: so that none of the questions is
    left out of the choice.
    """
    tops = {
        p.top: p.answer.candidates[0]
        for p in parts
        if p.answer.lead and p.answer.decision is not Decision.HANDOFF
    }
    if len(tops) < 2:
        return None
    offered: tuple[Candidate, ...] = tuple(sorted(tops.values(), key=lambda c: -c.score))
    more = tuple(c for c in whole.candidates if c.article not in tops)
    return Answer(
        Decision.CLARIFY, (*offered, *more), whole.confidence, whole.scope, whole.act, why=whole.why
    )
