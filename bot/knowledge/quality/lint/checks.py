"""Looks over a whole base the way a strict colleague would: every fault with its file, line and what to
do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from bot.errors import Problem
from bot.knowledge.articles.schema import Article
from bot.knowledge.codes import worded
from bot.knowledge.quality.lint.dates import expiring, lonely
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault
from bot.knowledge.quality.lint.links import dead_links
from bot.knowledge.quality.lint.questions import repeated, stolen, unquestioned
from bot.knowledge.quality.lint.texts import long_labels, long_texts, personal_facts, placeholders, unlike_us
from bot.model import Answer
from bot.text.problems import problem_in, reading
from bot.text.tone import ToneCheck

LABEL = 40  # characters that the shortest button of a channel shows
FEW = 3000  # questions of a base up to which those of one article are compared with them while it is written
Messages = Callable[[Article], Sequence[Sequence[str]]]


class AskableKnowledge(Protocol):
    """A knowledge base that can be asked and shows its articles."""

    folder: Path

    def articles(self) -> tuple[Article, ...]: ...

    def internal_articles(self) -> tuple[Article, ...]: ...

    def answer(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = ...,
        today: date | None = None,
    ) -> Answer: ...


def lint(
    knowledge: AskableKnowledge,
    *,
    today: date,
    problems: Iterable[Problem] = (),
    messages: Messages | None = None,
    language: str = "ru",
    tone: ToneCheck | None = None,
) -> tuple[Problem, ...]:
    """Everything worth mending, by file and line; *problems* are those found while reading, which come along.

    *messages* tells how an article would be sent: portions, each a list of messages. *tone* looks at the
    words. Internal articles are looked over for what operators would meet.
    Archived articles are left in peace. Texts are in *language* ("ru" or "en").
    """
    sources = ArticleSources(knowledge.folder)
    articles = [a for a in knowledge.articles() if a.status != "archived"]
    internal = knowledge.internal_articles()
    inside = [a for a in internal if a.status != "archived"]
    every = [*articles, *inside]
    shown = [
        a for a in articles if a.status == "published" and (a.valid_until is None or a.valid_until >= today)
    ]
    twice = tuple(repeated(shown, sources))
    told = {(f.file, f.line, str(f.facts.get("question"))) for f in twice}
    faults: list[LintFault] = [
        *twice,
        *(
            f
            for f in stolen(shown, knowledge.answer, today, sources)
            if (f.file, f.line, str(f.facts.get("question"))) not in told
        ),
        *unquestioned(articles, sources),
        *dead_links(every, (*knowledge.articles(), *internal), sources),
        *placeholders(every, sources),
        *personal_facts(every, sources),
        *long_labels(articles, sources, LABEL),
        *(long_texts(articles, messages) if messages else ()),
        *expiring(every, today),
        *lonely(shown),
        *(unlike_us(articles, sources, tone) if tone is not None else ()),
    ]
    with reading(language):
        told_now = [worded(f.code, f.file, f.line, f.column, f.facts) for f in faults]
    done = [*(problem_in(p, language) for p in problems), *told_now]
    return tuple(sorted(dict.fromkeys(done), key=lambda p: (p.file, p.line, p.column, p.code)))


def lint_article(
    article: Article,
    text: str,
    knowledge: AskableKnowledge,
    *,
    today: date,
    messages: Messages | None = None,
    tone: ToneCheck | None = None,
) -> tuple[Problem, ...]:
    """What is worth mending about one article that is being written as *text*, beside the others of the base;
    quick enough to be looked at while somebody types. Texts are in the reader's language.
    """
    sources = ArticleSources(knowledge.folder, {article.path: text})
    others = [a for a in (*knowledge.articles(), *knowledge.internal_articles()) if a.id != article.id]
    shown = [a for a in others if a.status == "published" and not a.internal]
    few = not article.internal and sum(len(a.questions) for a in shown) <= FEW
    twice = repeated([article, *shown], sources) if few else ()
    faults: list[LintFault] = [
        *(f for f in twice if f.file == article.path.as_posix()),
        *unquestioned([article], sources),
        *dead_links([article], [article, *others], sources),
        *placeholders([article], sources),
        *personal_facts([article], sources),
        *long_labels([article], sources, LABEL),
        *(long_texts([article], messages) if messages else ()),
        *expiring([article], today),
        *(unlike_us([article], sources, tone) if tone is not None and not article.internal else ()),
    ]
    told_now = [worded(f.code, f.file, f.line, f.column, f.facts) for f in faults]
    return tuple(sorted(dict.fromkeys(told_now), key=lambda p: (p.line, p.column, p.code)))


def folded(problems: Sequence[Problem], most: int) -> Iterator[tuple[Problem, int]]:
    """Each problem to be shown, with the number of further ones of its code that are not, told at the last
    shown.
    """
    seen: dict[str, int] = {}
    total: dict[str, int] = {}
    for problem in problems:
        total[problem.code] = total.get(problem.code, 0) + 1
    for problem in problems:
        seen[problem.code] = place = seen.get(problem.code, 0) + 1
        if problem.severity == "error" or place <= most:
            hidden = total[problem.code] - place if place == most and problem.severity != "error" else 0
            yield problem, hidden
