"""What the publication of an article would do to the golden questions and to those of the other articles,
asked before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.golden import GoldenQuestion, GoldenVerdict, judge_golden
from bot.model import Answer

Ask = Callable[..., Answer]
MOST = 2000  # example questions that are asked


@dataclass(frozen=True, slots=True)
class BrokenQuestion:
    """A question that comes right now and would no more: what is expected, and what would come."""

    question: str
    expected: str
    got: str
    golden: bool = True


@dataclass(frozen=True, slots=True)
class PublishEffect:
    """How many of the `golden` questions come right before and after, what would break, and which questions
    of the article itself lead elsewhere.
    """

    golden: int = 0
    before: int = 0
    after: int = 0
    broken: tuple[BrokenQuestion, ...] = ()
    astray: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bases:
    """The base as it is and as it would be: how the bot decides (`judge`) and what the search puts first
    (`ask`), both before and after.
    """

    judge: tuple[Ask, Ask]
    ask: tuple[Ask, Ask]


def publish_effect(
    bases: Bases, goldens: Sequence[GoldenQuestion], articles: Sequence[Article], changed: str
) -> PublishEffect:
    """*articles* are those that customers would be answered with, *changed* the one that is published."""
    twins = {a.id: a.twin_of for a in articles if a.twin_of}
    before, after = (_right(judge, goldens, twins) for judge in bases.judge)
    broken = [
        BrokenQuestion(g.q, g.expected, now.got)
        for g, was, now in zip(goldens, before, after, strict=True)
        if was.right and not now.right
    ]
    stolen, astray = _stolen(bases.ask, articles, twins, changed)
    return PublishEffect(
        len(goldens),
        sum(v.right for v in before),
        sum(v.right for v in after),
        (*broken, *stolen),
        tuple(astray),
    )


def _right(
    judge: Ask, goldens: Sequence[GoldenQuestion], twins: Mapping[str, str]
) -> tuple[GoldenVerdict, ...]:
    return judge_golden(goldens, lambda g: judge(g.q, answered=g.answered, language=g.language), twins)


def _stolen(
    ask: tuple[Ask, Ask], articles: Sequence[Article], twins: Mapping[str, str], changed: str
) -> tuple[list[BrokenQuestion], list[str]]:
    """Example questions of others that would lead elsewhere, and those of the changed article that do."""
    before, after = ask
    broken: list[BrokenQuestion] = []
    astray: list[str] = []
    left = MOST
    for article in sorted(articles, key=lambda a: a.id != changed):
        for question in article.questions:
            if left <= 0:
                return broken, astray
            left -= 1
            wanted = twins.get(article.id, article.id)
            if wanted == (now := _first(after, article, question, twins)):
                continue
            if article.id == changed:
                astray.append(question)
            elif wanted == _first(before, article, question, twins):
                broken.append(BrokenQuestion(question, article.id, now, golden=False))
    return broken, astray


def _first(ask: Ask, article: Article, question: str, twins: Mapping[str, str]) -> str:
    segment = {key: values[0] if values else True for key, values in article.segment.items()}
    channel = article.channels[0] if article.channels else ""
    answer = ask(question, language=article.lang, channel=channel, segment=segment)
    first = answer.candidates[0].article if answer.candidates else ""
    return twins.get(first, first)
