"""What the parts of the knowledge base agree on: settings, context of a question, and the protocol of a
search channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.errors import Problem
from bot.knowledge.articles.schema import Article


@dataclass(frozen=True, slots=True)
class KnowledgeSettings:
    """How the knowledge base is searched and when it answers; config.yaml fills it.

    `model` is auto, light, off, a folder or a hub id. `answer` is the confidence from which the bot answers
    at once, `handoff` the scope below which it hands over, both 0..1. `lead` is the confidence from which a
    clarification shows the first article's lead. `retrievers` names search channels of other packages that
    are heard beside our own.
    """

    model: str = "auto"
    answer: float = 0.82
    handoff: float = 0.35
    lead: float = 0.45
    options: int = 3
    candidates: int = 8
    synonyms: tuple[Path, ...] = ()
    channels: tuple[str, ...] = ()
    retrievers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionContext:
    """What was shown just before the question: the last article, the last candidates, whether a clarification
    was the last word.
    """

    article: str = ""
    candidates: tuple[str, ...] = ()
    clarified: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """An article found by one channel and how well, 0..1 or the channel's own scale."""

    article: str
    score: float


class Retriever(Protocol):
    """One way of finding articles for a question. `name` is what `why` calls it.

    `find` returns at most *limit* matches, best first, without articles that do not match at all; it never
    raises for any text.
    """

    name: str

    def find(self, question: str, limit: int) -> Sequence[Match]: ...


RetrieverFactory = Callable[
    [Sequence[Article]], Retriever
]  # called with the published articles, anew after each change


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What a reload changed (article ids), what is broken, and how long it took.

    A broken file keeps its last good version.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """What search runs on, for doctor and /readyz: articles, and the embeddings in use or why there are
    none.
    """

    articles: int = 0
    broken: int = 0
    embeddings: str = ""
    reason: str = ""
    loading: bool = False
    seconds: float = field(default=0.0)

    @property
    def model(self) -> str:
        """The embeddings in use, and why there are none or not the best."""
        return "; ".join(part for part in (self.embeddings, self.reason) if part)
