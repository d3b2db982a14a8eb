"""What is said of an article when some of its sentences were chosen: these, and what they need beside them.

Law: only the article's own words are said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from bot.dialogs.composed.article_sentences import ArticleSentence
from bot.dialogs.composed.sentence_words import pattern_of
from bot.dialogs.protocols import ArticleText
from bot.knowledge.query.words import fold
from bot.model import RichText
from bot.text.markdown import join, to_rich


def whole_choice(sentences: Sequence[ArticleSentence], chosen: Collection[int]) -> frozenset[int]:
    """*chosen*, by place, with all without which they would say something else: a list with its lines and the
    words that lead to it, what a sentence leans on, what limits it, what stands between two of a paragraph.
    """
    kept = frozenset(chosen)
    while (wider := kept | {p for place in kept for p in _with(sentences, place, kept)}) != kept:
        kept = wider
    return kept


def excerpt(article: ArticleText, sentences: Sequence[ArticleSentence], kept: Collection[int]) -> RichText:
    """These sentences in the article's order, under the headings of their passages."""
    parts: list[RichText] = []
    for passage, of_passage in groupby((s for s in sentences if s.place in kept), lambda s: s.passage):
        told = [
            join((s.rich for s in block), "\n" if bound else " ")
            for (_, bound), block in groupby(of_passage, lambda s: (s.block, s.bound))
        ]
        if heading := article.passages[passage].heading:
            told[0] = join((to_rich(f"## {heading}"), told[0]), "\n\n")
        parts += told
    return join(parts, "\n\n")


def _with(sentences: Sequence[ArticleSentence], place: int, kept: Collection[int]) -> Iterator[int]:
    one = sentences[place]
    before = sentences[place - 1] if place else None
    after = sentences[place + 1] if place + 1 < len(sentences) else None
    if one.bound:
        yield from (s.place for s in sentences if s.block == one.block)
    else:
        inside = [p for p in kept if sentences[p].block == one.block]
        yield from range(min(inside), max(inside))
    if before is not None and before.passage == one.passage:
        leads = before.block != one.block and before.rich.text.rstrip().endswith(":")
        if leads or (not one.bound and _leans(one)):
            yield before.place
    if after is not None and after.passage == one.passage:
        leads = one.rich.text.rstrip().endswith(":") and after.block != one.block
        if leads or (not after.bound and _begins(after, "limiting")):
            yield after.place
    yield from (s.place for s in sentences if s.passage == one.passage and _holds(s, "excepting"))


def _leans(sentence: ArticleSentence) -> bool:
    return _begins(sentence, "leaning") or _holds(sentence, "pointing")


def _begins(sentence: ArticleSentence, kind: str) -> bool:
    return bool(pattern_of(kind).match(fold(sentence.rich.text).lstrip('«"(—–-• ')))


def _holds(sentence: ArticleSentence, kind: str) -> bool:
    return bool(pattern_of(kind).search(fold(sentence.rich.text)))
