"""What publishing a draft of the base would change for the questions that customers really asked, and whether
the owner's limits allow it.

Everything here is a function over questions and two ways of asking; who has a store is `bot/release_gate.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.golden import GoldenQuestion, judge_golden
from bot.model import Answer, Decision, Intent
from bot.text.markdown import plain

FEWEST = 20  # answers given today from which the share of lost ones says anything
WORDS = 280  # characters kept of what is said


@dataclass(frozen=True, slots=True)
class ReleaseLimits:
    """What the owner allows: questions of the last *days* are replayed, at most *questions* different ones;
    at most *max_lost_share* of the answers of today may be lost, 0..1. *golden*: whether a golden question
    that comes right no more holds back ("must"), is only told ("tell"), or is not asked ("skip").
    """

    days: int = 30
    questions: int = 2000
    max_lost_share: float = 0.02
    golden: Literal["must", "tell", "skip"] = "must"


@dataclass(frozen=True, slots=True)
class ReplayedQuestion:
    """A question as customers asked it, and what came of it: `asked` times, `handed_over` of them to a
    person; `helped` and `failed` say how often which article did. `turn` is the newest time it was asked.

    `last` is the article that it went on from, "" where it stands alone. `question` is as it was typed,
    `fields` are those of the customers by which articles are limited.
    """

    turn: int
    conversation: int
    question: str
    at: datetime
    language: str = ""
    channel: str = ""
    last: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    asked: int = 1
    handed_over: int = 0
    helped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """What the bot says to a question: the article and its title ("" where it tells none), and how the
    article begins; where it asks back, what it offers. No words of customers are in it.
    """

    decision: str
    article: str = ""
    title: str = ""
    words: str = ""


class ChangeKind(StrEnum):
    """What becomes of a question: no answer any more (a person, or a question back), another article, an
    answer at last, or another way of having none.
    """

    LOST = "lost"
    UNSURE = "unsure"
    OTHER = "other"
    HANDED = "handed"
    ASKED = "asked"
    GAINED = "gained"


_WEIGHTS = {
    ChangeKind.LOST: 3.0,
    ChangeKind.UNSURE: 2.0,
    ChangeKind.OTHER: 1.0,
    ChangeKind.HANDED: 0.5,
    ChangeKind.ASKED: -0.5,
    ChangeKind.GAINED: -1.0,
}


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """A question that is decided otherwise. `helped` is how often customers said that the answer of *before*
    helped, `failed` that it did not.
    """

    question: ReplayedQuestion
    kind: ChangeKind
    before: ReleaseAnswer
    after: ReleaseAnswer
    helped: int = 0
    failed: int = 0

    @property
    def harmful(self) -> bool:
        """Likely harm: an answer that helped somebody is given no more."""
        return self.helped > 0 and self.kind in (ChangeKind.LOST, ChangeKind.UNSURE, ChangeKind.OTHER)

    @property
    def lost(self) -> bool:
        """Whether it counts against the owner's limit: no answer any more, or not the one that helped."""
        return self.harmful or self.kind in (ChangeKind.LOST, ChangeKind.UNSURE)

    @property
    def harm(self) -> tuple[float, ...]:
        """What changes are sorted by, the worst highest."""
        better = -1.0 if self.kind is ChangeKind.OTHER and self.failed and not self.helped else 1.0
        weight = better * _WEIGHTS[self.kind]
        return (float(self.harmful), weight * self.question.asked, float(self.helped))


@dataclass(frozen=True, slots=True)
class GoldenBreak:
    """A golden question that comes right today and no more afterwards."""

    question: str
    expected: str
    got: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ArticleCoverage:
    """How many of the customers' questions (each as often as it was asked) an article answers, today and
    afterwards. `state` tells what the draft does with it: added, changed, removed, or "" for nothing.
    """

    article: str
    title: str
    before: int
    after: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class GateReason:
    """Why publishing is held back: `code` is "lost" (a share over its limit) or "golden" (a number)."""

    code: Literal["lost", "golden"]
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class GateReport:
    """What publishing would change, the worst first.

    `asked` counts the questions as often as they were asked, `questions` the different ones; `answered`
    are those answered today, `lost` those of them that are no more. `unreadable` are files of the draft
    that give no article. `blocked` is empty where the owner's limits allow it.
    """

    key: str
    limits: ReleaseLimits
    questions: int
    asked: int
    answered: int
    answered_after: int
    lost: int
    changes: tuple[DecisionChange, ...]
    coverage: tuple[ArticleCoverage, ...]
    golden: tuple[GoldenBreak, ...] = ()
    golden_asked: int = 0
    unreadable: tuple[str, ...] = ()

    @property
    def lost_share(self) -> float:
        """Of what is answered today, how much is lost; 0..1."""
        return self.lost / self.answered if self.answered else 0.0

    @property
    def enough(self) -> bool:
        """Whether there are questions enough for the share to say anything."""
        return self.answered >= FEWEST

    @property
    def blocked(self) -> tuple[GateReason, ...]:
        found: list[GateReason] = []
        if self.golden and self.limits.golden == "must":
            found.append(GateReason("golden", len(self.golden), 0))
        if self.enough and self.lost_share > self.limits.max_lost_share:
            found.append(GateReason("lost", self.lost_share, self.limits.max_lost_share))
        return tuple(found)

    @property
    def unused(self) -> tuple[ArticleCoverage, ...]:
        """Articles of the draft that answer none of the questions."""
        return tuple(c for c in self.coverage if not c.after and c.state != "removed")


@dataclass(frozen=True, slots=True)
class AskedBase:
    """The base as it is or would be: its published articles, and how it answers: `replay` a customer's
    question, `ask` a golden one.
    """

    articles: tuple[Article, ...]
    replay: Callable[[ReplayedQuestion], Answer]
    ask: Callable[[GoldenQuestion], Answer]

    def said(self, question: ReplayedQuestion) -> ReleaseAnswer:
        """What it says to a question."""
        answer = self.replay(question)
        decision = str(answer.decision)
        if answer.decision is Decision.CLARIFY:
            offered = answer.candidates[: answer.options] if answer.act is Intent.QUESTION else ()
            return ReleaseAnswer(decision, words=" · ".join(c.title for c in offered))
        article = next((a for a in self.articles if a.id == answer.article), None)
        if answer.decision is not Decision.ANSWER or article is None:
            return ReleaseAnswer(decision)
        return ReleaseAnswer(decision, article.id, article.title, _beginning(article.lead))


@lru_cache(maxsize=4096)
def _beginning(lead: str) -> str:
    words = " ".join(plain(lead).split())
    return words if len(words) <= WORDS else words[:WORDS].rsplit(" ", 1)[0] + " …"


class GateProgress:
    """How far a comparison is; whoever no longer wants it sets `cancelled`."""

    def __init__(self) -> None:
        self.done, self.total, self.cancelled = 0, 0, False


class GateCancelled(Exception):
    """Somebody no longer wanted to know."""


def published(articles: Iterable[Article]) -> tuple[Article, ...]:
    """What customers may be told."""
    return tuple(a for a in articles if a.status == "published" and not a.internal)


def compare_sides(
    questions: Sequence[ReplayedQuestion], before: AskedBase, after: AskedBase, progress: GateProgress
) -> tuple[tuple[DecisionChange, ...], tuple[ArticleCoverage, ...], tuple[int, int]]:
    """The changes, the worst first; the coverage of each article; how many questions are answered on either
    side. Raises `GateCancelled`.
    """
    family = {a.id: a.twin_of or a.id for side in (before, after) for a in side.articles}
    changes: list[DecisionChange] = []
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    total = [0, 0]
    progress.total = len(questions)
    for question in questions:
        if progress.cancelled:
            raise GateCancelled
        answers = (before.said(question), after.said(question))
        for n, answer in enumerate(answers):
            if answer.decision == Decision.ANSWER:
                counts[n][answer.article] += question.asked
                total[n] += question.asked
        if (change := _change(question, *answers, family)) is not None:
            changes.append(change)
        progress.done += 1
    changes.sort(key=lambda c: (tuple(-h for h in c.harm), -c.question.turn))
    return tuple(changes), _coverage(before.articles, after.articles, *counts), (total[0], total[1])


def _change(
    question: ReplayedQuestion, before: ReleaseAnswer, after: ReleaseAnswer, family: Mapping[str, str]
) -> DecisionChange | None:
    def kin(article: str) -> str:
        return family.get(article, article)

    if (before.decision, kin(before.article)) == (after.decision, kin(after.article)):
        return None
    kind = _kind(before.decision, after.decision)

    def times(marks: Mapping[str, int]) -> int:
        return sum(
            n for article, n in marks.items() if before.article and kin(article) == kin(before.article)
        )

    return DecisionChange(question, kind, before, after, times(question.helped), times(question.failed))


def _kind(before: str, after: str) -> ChangeKind:
    if before == Decision.ANSWER:
        return {Decision.ANSWER.value: ChangeKind.OTHER, Decision.CLARIFY.value: ChangeKind.UNSURE}.get(
            after, ChangeKind.LOST
        )
    if after == Decision.ANSWER:
        return ChangeKind.GAINED
    return ChangeKind.ASKED if after == Decision.CLARIFY else ChangeKind.HANDED


def _coverage(
    before: Sequence[Article], after: Sequence[Article], was: Counter[str], now: Counter[str]
) -> tuple[ArticleCoverage, ...]:
    """Each article of either side, those that answer most first."""
    old, new = {a.id: a for a in before}, {a.id: a for a in after}
    rows = [
        ArticleCoverage(
            id, (new.get(id) or old[id]).title, was[id], now[id], _state(old.get(id), new.get(id))
        )
        for id in {**old, **new}
    ]
    return tuple(sorted(rows, key=lambda c: (-c.after, -c.before, c.article)))


def _state(old: Article | None, new: Article | None) -> str:
    if old is None or new is None:
        return "added" if old is None else "removed"
    return "" if _said(old) == _said(new) else "changed"


def _said(article: Article) -> tuple[object, ...]:
    """What customers are told by it, and by which questions."""
    return (article.title, article.questions, article.body, article.channels, article.segment)


def broken_golden(
    goldens: Sequence[GoldenQuestion], before: AskedBase, after: AskedBase
) -> tuple[GoldenBreak, ...]:
    """The golden questions that come right today and no more afterwards."""

    twins = {a.id: a.twin_of for side in (before, after) for a in side.articles if a.twin_of}
    old = judge_golden(goldens, before.ask, twins)
    new = judge_golden([v.golden for v in old if v.right], after.ask, twins)
    return tuple(
        GoldenBreak(v.golden.q, v.golden.expected, v.got, v.golden.file, v.golden.line)
        for v in new
        if not v.right
    )
