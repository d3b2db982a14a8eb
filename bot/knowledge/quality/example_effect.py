"""What more example questions would do, asked before they are written: the questions from use, and the golden
ones as a gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.golden import GoldenQuestion, judge_golden
from bot.model import Answer, Decision

Ask = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class NewExample:
    """A question that is to become an example of an article."""

    article: str
    question: str


@dataclass(frozen=True, slots=True)
class ExampleEffect:
    """How many of `total` questions from use are answered with their article, and how many of the `golden`
    ones come right, before and after; `worse` are golden questions that come right no more.
    """

    total: int
    before: int
    after: int
    golden: int = 0
    golden_before: int = 0
    golden_after: int = 0
    worse: tuple[str, ...] = ()


def with_examples(articles: Sequence[Article], examples: Sequence[NewExample]) -> tuple[Article, ...]:
    """The articles as they would be."""
    more: dict[str, dict[str, None]] = {}
    for example in examples:
        more.setdefault(example.article, {})[example.question] = None
    return tuple(
        replace(a, aliases=tuple({**dict.fromkeys(a.aliases), **more[a.id]})) if a.id in more else a
        for a in articles
    )


def effect_of(
    asked: Sequence[NewExample],
    goldens: Sequence[GoldenQuestion],
    before: Ask,
    after: Ask,
    twins: Mapping[str, str],
) -> ExampleEffect:
    """What the bot makes of questions from use and of the golden ones *before* and *after* a change."""

    def answered(ask: Ask) -> int:
        answers = [(e, ask(e.question)) for e in asked]
        return sum(
            a.decision is Decision.ANSWER
            and twins.get(a.article or "", a.article) == twins.get(e.article, e.article)
            for e, a in answers
        )

    def verdicts(ask: Ask) -> list[bool]:
        def asked_golden(golden: GoldenQuestion) -> Answer:
            return ask(golden.q, answered=golden.answered, language=golden.language)

        return [v.right for v in judge_golden(goldens, asked_golden, twins)]

    old, new = verdicts(before), verdicts(after)
    worse = tuple(g.q for g, was, now in zip(goldens, old, new, strict=True) if was and not now)
    return ExampleEffect(
        len(asked), answered(before), answered(after), len(goldens), sum(old), sum(new), worse
    )
