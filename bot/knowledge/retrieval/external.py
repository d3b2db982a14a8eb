"""Search channels of other packages: found by name, heard beside our own, and unable to break a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points

import numpy as np

from bot.errors import ConfigError
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import Retriever, RetrieverFactory
from bot.knowledge.retrieval.lexical import Floats, Ints
from bot.observability import get_logger
from bot.text.problems import problem, told

GROUP = "bot.retrievers"
HEARD = 5  # matches that a guest may name for one question
# what its first match adds to the ranking score (in log odds: times 7.4); the second half of it, the third a
# third
VOTE = 2.0


@dataclass(frozen=True, slots=True)
class RetrieverVotes:
    """What external retrievers say to a question: by retriever and article, and as a sum for each article
    number.
    """

    by_guest: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    total: Mapping[int, float] = field(default_factory=dict)

    @property
    def articles(self) -> Ints:
        return np.fromiter(self.total, np.int64, len(self.total))

    def over(self, articles: Ints) -> Floats:
        """The sums in the order of *articles*."""
        return np.array([self.total.get(int(a), 0.0) for a in articles], np.float32)


NO_VOTES = RetrieverVotes()


def find_factories(names: Sequence[str]) -> Mapping[str, RetrieverFactory]:
    """What makes each named channel.

    Raises `ConfigError` for a name that no installed package brings, or that cannot be imported.
    """
    found: dict[str, RetrieverFactory] = {}
    known = {e.name: e for e in entry_points(group=GROUP)} if names else {}
    for name in names:
        if name not in known:
            names_known = ", ".join(sorted(known)) or told("articles.retriever.none")
            raise ConfigError([problem("articles.retriever.unknown", name=name, known=names_known)])
        try:
            found[name] = known[name].load()
        except (ImportError, AttributeError) as error:
            raise ConfigError([problem("articles.retriever.broken", name=name, reason=error)]) from error
    return found


def invite(factories: Mapping[str, RetrieverFactory], articles: Sequence[Article]) -> Mapping[str, Retriever]:
    """The channels over *articles*; one that cannot be built is left out, and the log says so."""
    made: dict[str, Retriever] = {}
    for name, make in factories.items():
        try:
            made[name] = make(articles)
        except Exception:  # noqa: BLE001 - foreign code must not stop our own search
            get_logger("knowledge").exception("retriever_failed", retriever=name)
    return made


def hear(retrievers: Mapping[str, Retriever], question: str, place: Mapping[str, int]) -> RetrieverVotes:
    """The votes of all external retrievers: by rank, since their scales are their own.

    *place* is the number of each article that may be voted for.
    """
    if not retrievers or not question.strip():
        return NO_VOTES
    by_guest: dict[str, dict[str, float]] = {}
    total: dict[int, float] = {}
    for name, retriever in retrievers.items():
        try:
            named = [m.article for m in list(retriever.find(question, HEARD))[:HEARD]]
        except Exception as error:  # noqa: BLE001 - foreign code must not take the answer away
            get_logger("knowledge").warning("retriever_failed", retriever=name, error=type(error).__name__)
            continue
        ranked = [a for a in dict.fromkeys(named) if a in place]
        for rank, article in enumerate(ranked, 1):
            vote = VOTE / rank
            by_guest.setdefault(name, {})[article] = vote
            total[place[article]] = total.get(place[article], 0.0) + vote
    return RetrieverVotes(by_guest, total)
