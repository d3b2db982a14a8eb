"""A base examines itself: examples are taken out, the rest is indexed, and each asks for its own article."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.knowledge.articles.schema import Article
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.retrieval.features import AnalyzedQuery, Evidence, Vectors, gather
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


def examine(
    articles: Sequence[Article], reader: TextAnalyzer, encode: Encode | None, *, split: int = 0
) -> tuple[Index, list[tuple[Evidence, int]]]:
    """The index without the held-out examples, and for each of them what search knew and which article was
    right.
    """
    left, taken = held_out(articles)
    index = Index(left, reader)
    vectors = None
    if encode:
        vectors = Vectors(encode(index.questions.texts), encode(index.passages.texts), split=split)
    asked = encode([t for t, _ in taken]) if encode and taken else [None] * len(taken)
    cases = []
    for (text, gold), vector in zip(taken, asked, strict=True):
        cases.append(
            (
                gather(
                    index, AnalyzedQuery(text, reader.ask(reader.canonical(text)), vector), vectors=vectors
                ),
                gold,
            )
        )
    return index, cases
