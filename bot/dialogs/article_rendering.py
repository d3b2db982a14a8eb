"""How much of an article is said at once: the lead and what fits the question, the rest behind a button."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.dialogs.protocols import ArticleText
from bot.knowledge.articles.attached import AttachedFile
from bot.model import RichText
from bot.text.markdown import blocks, join, to_rich

ENOUGH = 600  # characters of one answer
MORE = 8000  # characters that one press brings: three messages of any messenger at most
WHOLE = 750  # an article up to this is said whole: a button for two lines is a nuisance


@dataclass(frozen=True, slots=True)
class AnswerPortion:
    """What is said now, and what is left for «Подробнее»."""

    text: RichText
    rest: RichText
    left: tuple[RichText, ...] = ()  # the rest in pieces that stay whole
    files: tuple[AttachedFile, ...] = ()  # those of the passages that are said now
    left_files: tuple[tuple[int, AttachedFile], ...] = ()  # the others, each with its piece of the rest

    def more(self, told: int = 0) -> tuple[RichText, int]:
        """What the next press brings when *told* pieces of the rest were said, and how many were said then; 0
        = all.
        """
        size, end = 0, told
        while end < len(self.left) and (end == told or size + len(self.left[end].text) <= MORE):
            size += len(self.left[end].text)
            end += 1
        return join(self.left[told:end], "\n\n"), end if end < len(self.left) else 0

    def more_files(self, told: int = 0) -> tuple[AttachedFile, ...]:
        """The files that go with what `more` says."""
        _, end = self.more(told)
        return tuple(file for n, file in self.left_files if told <= n < (end or len(self.left)))


@dataclass(frozen=True, slots=True)
class _Block:
    number: int
    passage: int
    rich: RichText

    @property
    def length(self) -> int:
        return len(self.rich.text)


def portion(article: ArticleText, passage: int = 0, *, follow_up: bool = False) -> AnswerPortion:
    """The lead and the passage that fits best; a follow-up gets that passage alone.

    Never empty where the article is not.
    """
    blocks = _blocks(article)
    if not blocks:
        return AnswerPortion(RichText(article.title), RichText(), files=tuple(article.attached))
    short = sum(b.length for b in blocks) <= WHOLE
    if short and not follow_up:
        return AnswerPortion(_said(blocks), RichText(), files=tuple(article.attached))
    best = [b for b in blocks if b.passage == passage] or [
        b for b in blocks if b.passage == blocks[0].passage
    ]
    lead = [] if follow_up else [b for b in blocks if b.passage == blocks[0].passage]
    space = ENOUGH - sum(b.length for b in best) if best[0] not in lead else ENOUGH
    shown = _fitting(lead, space) + (_fitting(best, ENOUGH) if best[0] not in lead else [])
    if not shown:
        shown = blocks[:1]
    if not follow_up and len(shown) == len(lead):  # the next whole part where there is space
        following = [b for b in blocks if b.passage == blocks[0].passage + 1]
        if following and sum(b.length for b in shown + following) <= ENOUGH:
            shown += following
    left = [b for b in blocks if b not in shown]
    # of a short article all have come with the first answer
    attached = () if short else tuple(article.attached)
    files, later = _parted(attached, shown, left, follow_up=follow_up)
    return AnswerPortion(_said(shown), _said(left), tuple(b.rich for b in left), files, later)


def _parted(
    files: Sequence[AttachedFile], shown: Sequence[_Block], left: Sequence[_Block], *, follow_up: bool
) -> tuple[tuple[AttachedFile, ...], tuple[tuple[int, AttachedFile], ...]]:
    """Files go with the first words of their passage; those of the head with the answer, once."""
    now, later = {b.passage for b in shown}, {b.passage: n for n, b in reversed(list(enumerate(left)))}
    first = tuple(f for f in files if f.passage in now or (f.passage < 0 and not follow_up))
    return first, tuple((later[f.passage], f) for f in files if f.passage in later and f.passage not in now)


def _fitting(blocks: list[_Block], space: int) -> list[_Block]:
    done: list[_Block] = []
    for block in blocks:
        if done and sum(b.length for b in done) + block.length > space:
            break
        done.append(block)
    return done


def _said(blocks: list[_Block]) -> RichText:
    return join((b.rich for b in blocks), "\n\n")


def _blocks(article: ArticleText) -> list[_Block]:
    done: list[_Block] = []
    for place, passage in enumerate(article.passages):
        pieces = blocks(passage.text) or [""]
        rich = [found for piece in pieces if (found := to_rich(piece))]
        if passage.heading:
            title = to_rich(f"## {passage.heading}")
            rich = [join((title, *rich[:1]), "\n" if _goes_on(pieces) else "\n\n"), *rich[1:]]
        done += [_Block(number, place, one) for number, one in enumerate(rich, len(done))]
    return done


def _goes_on(pieces: list[str]) -> bool:
    return not re.match(r"[|>\-*+\d`]", pieces[0])
