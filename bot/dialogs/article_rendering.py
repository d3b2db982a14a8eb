"""How much of an article is said at once: the lead and what fits the question, the rest behind a button."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.dialogs.protocols import ArticleText
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

    def more(self, told: int = 0) -> tuple[RichText, int]:
        """What the next press brings when *told* pieces of the rest were said, and how many were said then; 0
        = all.
        """
        size, end = 0, told
        while end < len(self.left) and (end == told or size + len(self.left[end].text) <= MORE):
            size += len(self.left[end].text)
            end += 1
        return join(self.left[told:end], "\n\n"), end if end < len(self.left) else 0


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
        return AnswerPortion(RichText(article.title), RichText())
    if not follow_up and sum(b.length for b in blocks) <= WHOLE:
        return AnswerPortion(_said(blocks), RichText())
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
    return AnswerPortion(_said(shown), _said(left), tuple(b.rich for b in left))


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
