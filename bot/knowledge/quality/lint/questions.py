"""Checks the example questions: those that two articles claim, and those that lead elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault, read_fillers
from bot.knowledge.query.words import lemma, words_of
from bot.model import Answer

NEARLY = 96  # of 100: how like each other the sorted lemmas of two questions are
ROWS = 500  # questions compared at once
Owned = tuple[str, Article]


def repeated(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Questions that two articles claim which the same customer may get: the same words, or nearly."""
    owned = [(q, a) for a in articles for q in a.questions]
    same: dict[str, list[Owned]] = {}
    for question, article in owned:
        same.setdefault(" ".join(words_of(question)), []).append((question, article))
    for found in same.values():
        yield from _pairs("KB020", found, sources)
    alike: dict[tuple[str, ...], list[Owned]] = {}
    for found in same.values():
        if lemmas := gist(found[0][0]):
            alike.setdefault(lemmas, []).append(found[0])
    for found in alike.values():
        yield from _pairs("KB021", found, sources)
    yield from _nearly([found[0] for found in alike.values()], [" ".join(key) for key in alike], sources)


def _nearly(owned: Sequence[Owned], keys: Sequence[str], sources: ArticleSources) -> Iterator[LintFault]:
    for start in range(0, len(keys), ROWS):
        table = cdist(
            keys[start : start + ROWS], keys, scorer=fuzz.ratio, score_cutoff=NEARLY, dtype=np.uint8
        )
        for row, column in zip(*np.nonzero(table), strict=True):
            first, second = start + int(row), int(column)
            if first < second and not _differ_in_number(keys[first], keys[second]):
                yield from _pairs("KB021", [owned[first], owned[second]], sources)


def _differ_in_number(one: str, other: str) -> bool:
    return {w for w in one.split() if w.isdigit()} != {w for w in other.split() if w.isdigit()}


def _pairs(code: str, found: Sequence[Owned], sources: ArticleSources) -> Iterator[LintFault]:
    """Each further article that claims it against the first, told at both places."""
    first = found[0]
    for other in found[1:]:
        if rivals(first[1], other[1]):
            shared = "KB038" if _title_of_both(first[1], other[1]) == words_of(first[0]) else code
            for (question, article), (twin, owner) in ((first, other), (other, first)):
                _, line, _ = sources.question(owner, twin)
                file, here, column = sources.question(article, question)
                yield LintFault(
                    shared,
                    file,
                    here,
                    column,
                    {
                        "question": question,
                        "twin": twin,
                        "other": owner.id,
                        "place": f"{owner.path.name}:{line}",
                    },
                )


def _title_of_both(one: Article, other: Article) -> Sequence[str]:
    """The words of the title that both have, none where they have two."""
    words = words_of(one.title)
    return words if words == words_of(other.title) else ()


def rivals(one: Article, other: Article) -> bool:
    """Whether the same customer may get either: not twins, not for different channels or customers."""
    if one.id == other.id or one.lang != other.lang or one.segment != other.segment:
        return False
    return not (one.channels and other.channels and not set(one.channels) & set(other.channels))


def gist(question: str) -> tuple[str, ...]:
    """The dictionary forms of the words that matter, sorted: two questions with the same gist ask the
    same.
    """
    lemmas = {lemma(word) for word in words_of(question)}
    return tuple(sorted(lemmas - read_fillers())) or tuple(sorted(lemmas))


def stolen(
    articles: Sequence[Article], ask: Callable[..., Answer], today: date, sources: ArticleSources
) -> Iterator[LintFault]:
    """Questions that another article wins, or that find nothing, when a customer asks them word for word."""
    family = {a.id: a.twin_of or a.id for a in articles}
    for article in articles:
        segment: Mapping[str, object] = {
            key: values[0] if values else True for key, values in article.segment.items()
        }
        for question in article.questions:
            answer = ask(
                question,
                language=article.lang,
                channel=article.channels[0] if article.channels else "",
                segment=segment,
                today=today,
            )
            first = answer.candidates[0] if answer.candidates else None
            if first and family.get(first.article, first.article) == family[article.id]:
                continue
            file, line, column = sources.question(article, question)
            facts = {
                "question": question,
                "winner": first.article if first else "",
                "title": first.title if first else "",
            }
            yield LintFault("KB022" if first else "KB024", file, line, column, facts)


def unquestioned(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Articles without example questions."""
    for article in articles:
        if not article.aliases:
            yield LintFault("KB023", article.path.as_posix(), article.places.get("title", 1), 1)
