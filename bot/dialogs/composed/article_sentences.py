"""An article as sentences that may be said apart, and what belongs together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.dialogs.composed.sentence_words import words_for
from bot.dialogs.protocols import ArticleText
from bot.model import RichText
from bot.text.markdown import blocks, cut, to_rich

_MARKED = re.compile(r"[|>\-*+`]|\d+[.)]")  # begins a list, a table, a quotation, a fence
_END = re.compile(r"(?<![.!?…])[.!?…]++[»\")]*\s+(?=[«\"(—–-]*[A-ZА-ЯЁ0-9])")
_SHORT = re.compile(r"(?:^|[\s(«])(?:[а-яёa-z]{1,4}|[А-ЯЁA-Z])\.$")
_LONGEST_SHORT = 12  # characters that tell an abbreviation


@dataclass(frozen=True, slots=True)
class ArticleSentence:
    """A sentence or a line of a list: its *place* among all, its passage and its block (a paragraph, a list).

    *bound*: its block is said whole or not at all.
    """

    place: int
    passage: int
    block: int
    rich: RichText
    bound: bool = False


def article_sentences(article: ArticleText) -> tuple[ArticleSentence, ...]:
    """All of them in order; headings are none."""
    found: list[ArticleSentence] = []
    block = 0
    for number, passage in enumerate(article.passages):
        for piece in blocks(passage.text):
            rich = to_rich(piece)
            bound = bool(_MARKED.match(piece))
            if not rich or piece.lstrip().startswith("#"):
                continue
            for sentence in _lines(rich) if bound else _sentences(rich):
                found.append(ArticleSentence(len(found), number, block, sentence, bound))
            block += 1
    return tuple(found)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text without styles."""
    return [s.text for line in text.splitlines() for s in _sentences(RichText(line.strip()))]


def _lines(rich: RichText) -> Iterator[RichText]:
    at = 0
    for line in rich.text.split("\n"):
        if line.strip():
            yield cut(rich, at, at + len(line))
        at += len(line) + 1


def _sentences(rich: RichText) -> Iterator[RichText]:
    start = 0
    for end in _END.finditer(rich.text):
        if _is_short(rich.text[max(start, end.end() - _LONGEST_SHORT) : end.end()].rstrip()):
            continue
        yield cut(rich, start, start + len(rich.text[start : end.end()].rstrip()))
        start = end.end()
    if rich.text[start:].strip():
        yield cut(rich, start, len(rich.text.rstrip()))


def _is_short(said: str) -> bool:
    """Whether the dot at the end is an abbreviation's, or an initial's."""
    word = said.rstrip(".").rsplit(None, 1)[-1].strip('(«"').casefold() if said.strip(" .") else ""
    return bool(word) and bool(_SHORT.search(said)) and (word in words_for("abbreviations") or len(word) == 1)
