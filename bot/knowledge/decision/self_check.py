"""A base examines itself: examples are taken out, the rest is indexed, and each asks for its own article."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.knowledge.articles.schema import Article
from bot.knowledge.decision.ranking import RankingModel, SelfCheck, confidence, rank
from bot.knowledge.decision.threshold import AnswerThreshold, choose_threshold
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.retrieval.features import AnalyzedQuery, Contrast, Evidence, Vectors, gather
from bot.knowledge.retrieval.index import Index, question_texts
from bot.knowledge.retrieval.lexical import Floats

MOST = 60  # questions asked
Encode = Callable[[Sequence[str]], Floats]


def held_out(articles: Sequence[Article], most: int = MOST) -> tuple[list[Article], list[tuple[str, int]]]:
    """The articles without one example each, for up to *most* of those that can spare one, and these examples
    with the article's number.
    """
    chance = random.Random(0)
    able = [i for i, a in enumerate(articles) if len(question_texts(a)) >= 2 and a.aliases]
    chosen = set(chance.sample(able, min(most, len(able))))
    left, taken = [], []
    for i, article in enumerate(articles):
        if i in chosen:
            gone = chance.choice(article.aliases)
            aliases = tuple(a for a in article.aliases if a != gone)
            title = aliases[0] if article.title == gone and aliases else article.title
            if title != gone:
                article = replace(article, aliases=aliases, title=title)
                taken.append((gone, i))
        left.append(article)
    return left, taken


@dataclass(frozen=True)
class Examination:
    """The index without the held-out examples; for each of them what search knew and which article was right;
    and what it knew when the article of a question was taken away.
    """

    index: Index
    cases: list[tuple[Evidence, int]]
    barred: list[Evidence]


def examine(
    articles: Sequence[Article],
    reader: TextAnalyzer,
    encode: Encode | None,
    *,
    split: int = 0,
    contrast: Contrast | None = None,
) -> Examination:
    """Asks a base its own examples, and, for up to MOST articles, one of their questions (a title where there
    is nothing else) as if the article were not there.
    """
    left, taken = held_out(articles)
    index = Index(left, reader)
    vectors = None
    if encode:
        vectors = Vectors(encode(index.questions.texts), encode(index.passages.texts), split=split)
    questions = taken + [t for t in _spoken(articles) if t not in taken]
    asked = encode([t for t, _ in questions]) if encode and questions else [None] * len(questions)
    cases: list[tuple[Evidence, int]] = []
    barred: list[Evidence] = []
    for n, ((text, gold), vector) in enumerate(zip(questions, asked, strict=True)):
        against = contrast(vector[split:]) if contrast is not None and vector is not None else (0.0, 0.0)
        query = AnalyzedQuery(text, reader.ask(reader.canonical(text)), vector, against)
        if n < len(taken):
            cases.append((gather(index, query, vectors=vectors), gold))
        if len(barred) < MOST:
            others = np.ones(len(articles), np.bool_)
            others[gold] = False
            barred.append(gather(index, query, vectors=vectors, allowed=others))
    return Examination(index, cases, barred)


def threshold_of(found: Examination, model: RankingModel, check: SelfCheck) -> AnswerThreshold:
    """From which confidence this base answers."""
    inside = []
    for evidence, gold in found.cases:
        scores = rank(found.index, evidence, model)
        if len(scores):
            right = int(evidence.articles[int(scores.argmax())]) == gold
            inside.append((confidence(found.index, evidence, scores, model, check)[0], right))
    outside = [
        confidence(found.index, evidence, scores, model, check)[0]
        for evidence in found.barred
        if len(scores := rank(found.index, evidence, model))
    ]
    return choose_threshold(inside, outside)


def _spoken(articles: Sequence[Article]) -> list[tuple[str, int]]:
    """One question of each of up to MOST articles, with the article's number."""
    chance = random.Random(1)
    found = []
    for i in chance.sample(range(len(articles)), min(MOST, len(articles))):
        texts = question_texts(articles[i])
        if texts:
            found.append((chance.choice(texts), i))
    return found
