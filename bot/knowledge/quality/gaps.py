"""What the base could not answer: questions missed, clarified in vain or answered without help, gathered by
their meaning.

Everything here is a function over records; who has a store reads them from it (`bot kb suggest`, a page).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from math import log
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from bot.knowledge.articles.catalog import is_russian
from bot.knowledge.articles.drafts import ArticleHead, article_text
from bot.knowledge.quality.lint.questions import gist
from bot.knowledge.quality.turn_log import LoggedTurn, found_for, talks
from bot.knowledge.query.words import fold
from bot.model import Answer, Decision, HistoryEntry
from bot.text.pii import HIDDEN, mask

Kind = Literal["unanswered", "clarified", "not_helped"]
ALIKE = 0.52  # share of common words, by weight, from which two questions are one gap
CLOSE = 0.6  # nearness of meanings from which they are
APART = 0.1  # is taken off it where the questions share one word and each has another
SHARED = 0.3  # part of common words in nearness, where the encoder reads a language less well than Russian
TELLING = 12.0  # weight from which a word of its own makes another question
# what it tells that the same article (or another) came nearest, where words or meaning are near already
AGREED = 0.1
UNHEARD = 1e-4  # share of texts that a word nobody counted is in
ROOT = 5  # letters
WORDS = 4  # fewer said to an operator are hardly a question
COMPARED = 50  # wordings among which the one that stands for all is looked for
ALIASES = 10  # questions in a draft
REPLIES = 6  # operators' lines kept of one conversation
NEWEST = 2000  # questions looked at
_ASKING = frozenset({"out_of_scope", "low_confidence", "clarified", "repeated"})
_MISSED = frozenset({"out_of_scope", "low_confidence"})
_PREAMBLE = re.compile(
    r"^(?:(?:а|и|но|ну|вы|скажите|подскажите|пожалуйста|здравствуйте|добрый"
    r" день|привет|please|hello|hi)\b[\s,!.]*)+",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|^(?:а |и |но |ну )?(?:как|где|когда|куда|сколько|почему|зачем|можно|какой|какая|какие"
    r"|what|how|when|where|why|can|do)\b",
    re.IGNORECASE,
)
Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class MissedQuestion:
    """One question that did not get its answer, masked.

    `article` is the best one that was rejected; `replies` are operators' words.
    """

    question: str
    kind: Kind
    at: datetime
    conversation: int
    article: str = ""
    title: str = ""
    replies: tuple[str, ...] = ()
    understood: str = ""  # with typos and layout mended, "" = as it is


@dataclass(frozen=True, slots=True)
class Gap:
    """Missed questions of one meaning, newest last.

    `id` stays the same as long as its first question does.
    """

    id: str
    missed: tuple[MissedQuestion, ...]

    @property
    def count(self) -> int:
        """How many customers asked it."""
        return len({m.conversation for m in self.missed})

    @property
    def questions(self) -> tuple[str, ...]:
        """The different wordings, the commonest first."""
        said = Counter(" ".join(m.question.split()) for m in self.missed)
        return tuple(q for q, _ in said.most_common())

    @property
    def question(self) -> str:
        """The wording that stands for all: the one that has most in common with the others, the shorter of
        equals.
        """
        return _standing(self.questions)

    @property
    def kinds(self) -> Mapping[str, int]:
        return dict(Counter(m.kind for m in self.missed))

    @property
    def article(self) -> str:
        """The article that was rejected most often, "" where there was none."""
        found = Counter(m.article for m in self.missed if m.article).most_common(1)
        return found[0][0] if found else ""

    @property
    def title(self) -> str:
        return next((m.title for m in self.missed if m.article == self.article), "")

    @property
    def replies(self) -> tuple[str, ...]:
        """What operators answered, without repeats."""
        return tuple(dict.fromkeys(r for m in self.missed for r in m.replies))

    @property
    def last(self) -> datetime:
        return max(m.at for m in self.missed)


def missed(
    turns: Iterable[LoggedTurn], history: Callable[[int], Sequence[HistoryEntry]] | None = None
) -> tuple[MissedQuestion, ...]:
    """The questions that went without an answer, oldest first; a question asked twice in a conversation
    counts once.

    *turns* are oldest first, of all conversations; *history* gives the lines of one; without it
    nothing is known of what operators answered.
    """
    found: list[MissedQuestion] = []
    for conversation, talk in talks(turns).items():
        lines: Sequence[HistoryEntry] | None = None
        seen: set[str] = set()
        for turn, kind, until in _failures(talk):
            words = " ".join(fold(turn.text).split())
            if words in seen or not any(c.isalpha() for c in words):
                continue
            seen.add(words)
            lines = (history(conversation) if history else ()) if lines is None else lines
            article, title = next(iter(found_for(turn)), ("", ""))
            replies = [
                mask(line.text)
                for line in _answering(
                    lines, turn.at, until, {t.text.strip() for t in talk if _is_handover(t)}
                )
            ]
            if _is_carried(turn) and history and not replies:
                continue
            understood = mask(str(turn.why.get("understood", "")))
            found.append(
                MissedQuestion(
                    mask(turn.text.strip()),
                    kind,
                    turn.at,
                    conversation,
                    article,
                    title,
                    tuple(replies[:REPLIES]),
                    understood,
                )
            )
    return tuple(sorted(found, key=lambda m: (m.at, m.conversation))[-NEWEST:])


def _answering(
    lines: Sequence[HistoryEntry], asked: datetime, until: datetime | None, calls: Collection[str]
) -> Iterable[HistoryEntry]:
    """An operator's words to a question: up to the customer's next question.

    *calls* are their words that only call a person.
    """
    for line in lines:
        if line.at < asked:
            continue
        if until is not None and line.at >= until:
            return
        if (
            line.author == "customer"
            and line.at > asked
            and line.text.strip() not in calls
            and _ASKS.search(line.text)
        ):
            return
        if line.author == "operator" and line.text:
            yield line


def _failures(talk: Sequence[LoggedTurn]) -> Iterable[tuple[LoggedTurn, Kind, datetime | None]]:
    """The turns of one conversation whose question failed, how, and when the next question came."""
    asked = [n for n, t in enumerate(talk) if _is_question(t)]
    for place, n in enumerate(asked):
        turn = talk[n]
        nxt = asked[place + 1] if place + 1 < len(asked) else len(talk)
        after = talk[n + 1 : nxt]
        until = talk[nxt].at if nxt < len(talk) and not _is_handover(talk[nxt]) else None
        if turn.dialog == "faq" and turn.result == "answered":
            if any(t.reason == "not_helped" for t in after):
                yield turn, "not_helped", until
        elif turn.reason in _MISSED or _is_carried(turn):
            if turn.text.strip():
                yield turn, "unanswered", until
        elif turn.reason in ("clarified", "repeated") and not any(
            t.result == "answered" and t.dialog == "faq" for t in after
        ):
            yield turn, "clarified", until


def _is_question(turn: LoggedTurn) -> bool:
    if not turn.text.strip():
        return False
    if turn.dialog == "faq" and turn.result == "answered":
        return bool(found_for(turn)) and turn.why.get("decision") == "answer"
    return (turn.reason in _ASKING and bool(turn.why)) or _is_carried(turn)


def _is_carried(turn: LoggedTurn) -> bool:
    """Asked of an operator who had the ticket already, and the articles had nothing sure for them to send:
    what they answer is to be learnt.
    """
    doubtful = (
        turn.dialog == "relay"
        and turn.reason == "carried"
        and turn.why.get("decision") in ("clarify", "handoff")
    )
    return doubtful and len(turn.text.split()) >= WORDS and bool(_ASKS.search(turn.text))


def _is_handover(turn: LoggedTurn) -> bool:
    return turn.result == "handed_off"


@cache
def _rarity() -> Mapping[str, float]:
    """How telling a lemma is: the rarer in customers' texts, the more."""
    folder = Path(__file__).parents[1] / "data"
    rows = (
        row.partition("\t")
        for name in ("frequency_ru.txt", "frequency_en.txt")
        for row in (folder / name).read_text("utf-8").splitlines()
    )
    return {word: log(max(UNHEARD, float(share))) ** 2 for word, _, share in rows}


def _roots(question: str) -> dict[str, float]:
    """What a question is about, with weights: the beginnings of its words that matter, so that «ремонт» and
    «ремонтируете» are one; no numbers.
    """
    return {
        word[:ROOT]: _rarity().get(word, log(UNHEARD) ** 2) for word in gist(question) if not word.isdigit()
    }


def _share(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The weight that two questions have in common, 0..1."""
    common = sum(min(weight, other[root]) for root, weight in one.items() if root in other)
    return 2 * common / (sum(one.values()) + sum(other.values()) or 1.0)


@lru_cache(maxsize=8192)
def _standing(questions: tuple[str, ...]) -> str:
    """Of the first `COMPARED` wordings the one that has most in common with the others, the shorter of
    equals.
    """
    lemmas = {q: _roots(q) for q in questions[:COMPARED]}
    clean = [q for q in lemmas if HIDDEN not in q] or list(lemmas)
    return max(clean, key=lambda q: (sum(_share(lemmas[q], other) for other in lemmas.values()), -len(q)))


def group(found: Sequence[MissedQuestion], encode: Encode | None = None) -> tuple[Gap, ...]:
    """Gaps, the most asked first: questions that share half of their words, or whose vectors are near where
    *encode* makes some.

    A question joins the gap that is most like it on the whole, so that a chain of neighbours does not swallow
    everything.
    """
    wordings = list(dict.fromkeys(m.question for m in found))
    place = {q: n for n, q in enumerate(wordings)}
    read = {m.question: m.understood or m.question for m in found}
    rejected = {m.question: m.article for m in reversed(found) if m.article}
    near = [rejected.get(q, "") for q in wordings]
    size = len(wordings)
    numbers = {article: n for n, article in enumerate(sorted(set(near)))}
    names = np.array([numbers[a] for a in near], np.int32)
    named = names != numbers.get("", -1)
    same = np.where(names[:, None] == names[None], 1, -1)
    agree = np.where(named[:, None] & named[None], same, 0).astype(np.float32).reshape(size, size)
    alike = _likeness([read[q] for q in wordings], encode, agree > 0)
    alike += AGREED * agree * (alike > 0.5 * ALIKE)
    of = _joined(alike)
    gathered: dict[int, list[MissedQuestion]] = {}
    for m in found:
        gathered.setdefault(of[place[m.question]], []).append(m)
    gaps = [Gap(question_id(members[0].question), tuple(members)) for members in gathered.values()]
    return tuple(sorted(gaps, key=lambda g: (-g.count, -len(g.missed), -g.last.timestamp())))


def _joined(alike: Vectors) -> Sequence[int]:
    """The group of each wording: that whose members it is most like on the whole, else one of its own."""
    size = len(alike)
    sums, counts = np.zeros((size, size), np.float32), np.zeros(size, np.float32)
    of: list[int] = []
    known = 0
    for n in range(size):
        means = sums[:known, n] / counts[:known]
        best = int(np.argmax(means)) if known else -1
        if best < 0 or means[best] < ALIKE:
            best, known = known, known + 1
        sums[best] += alike[n]
        counts[best] += 1
        of.append(best)
    return of


def _likeness(wordings: Sequence[str], encode: Encode | None, agreed: npt.NDArray[np.bool_]) -> Vectors:
    """How alike each pair is: `ALIKE` is as near as one gap, by words or by meaning, whichever is more.

    *agreed* pairs had one article rejected.
    """
    roots = [_roots(q) for q in wordings]
    names = {name: n for n, name in enumerate(sorted({w for words in roots for w in words}))}
    table = np.zeros((len(wordings), max(1, len(names))), np.float32)
    for row, words in enumerate(roots):
        table[row, [names[w] for w in words]] = [np.sqrt(weight) for weight in words.values()]
    common, sizes = table @ table.T, (table**2).sum(1)
    alike = 2 * common / np.maximum(1e-6, sizes[:, None] + sizes[None, :])
    about = _about_others(table) & ~agreed
    alike[about] *= 0.5
    if encode is not None and wordings:
        vectors = encode(wordings)
        cosine = np.clip(vectors @ vectors.T, 0, 1)
        foreign = ~np.array([is_russian(q) for q in wordings])
        both = np.ix_(foreign, foreign)
        near = cosine - APART * about
        near[both] = SHARED * alike[both] + (1 - SHARED) * cosine[both]
        read = np.abs(vectors).sum(1) > 0  # words that the encoder does not know are compared by letters alone
        alike = np.where(read[:, None] & read[None], near * (ALIKE / CLOSE), alike)
    return np.asarray(alike, np.float32)


def _about_others(table: Vectors) -> npt.NDArray[np.bool_]:
    """Which pairs share a single word while each has one more of its own: of one thing («ваза»), but two
    questions about it.
    """
    said, telling = table > 0, (table**2 >= TELLING).astype(np.int32)
    shared = said.astype(np.int32) @ said.T.astype(np.int32)
    own = telling.sum(1)[:, None] - telling @ said.T.astype(np.int32) > 0
    return np.asarray((shared == 1) & own & own.T, bool)


def question_id(question: str) -> str:
    """The same for questions of the same words, whatever their order and endings."""
    return "g" + hashlib.sha256(" ".join(gist(question)).encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True)
class DraftEffect:
    """How many wordings of a gap the base answers, out of how many, and with which articles."""

    answered: int
    total: int
    articles: Mapping[str, int]


def effect(gap: Gap, ask: Callable[[str], Answer]) -> DraftEffect:
    """What the base makes of a gap's questions now."""
    answers = [ask(q) for q in gap.questions]
    told = [a.article for a in answers if a.decision is Decision.ANSWER and a.article]
    return DraftEffect(len(told), len(answers), dict(Counter(told)))


def is_closed(gap: Gap, now: DraftEffect, changed: Callable[[str], datetime | None]) -> bool:
    """Whether every wording is answered now, by another article than the one that failed, or by one changed
    after the last question.

    *changed* tells when an article's file was last written.
    """
    if now.answered < now.total:
        return False
    failed = {m.article for m in gap.missed if m.kind == "not_helped"}
    for article in now.articles:
        at = changed(article)
        if article in failed and (at is None or at <= gap.last):
            return False
    return True


def draft(gap: Gap, *, placeholder: str, lang: str = "") -> tuple[str, str]:
    """Title and text of a draft article: the customers' questions, and the operators' words for a person to
    edit.
    """
    title = _PREAMBLE.sub("", gap.question).rstrip(" ?!.…")
    title = title[:1].upper() + title[1:]
    aliases = [q for q in gap.questions if HIDDEN not in q and len(q) <= 200][:ALIASES]
    body = "\n\n".join(gap.replies) or placeholder
    return title, article_text(ArticleHead(title=title, aliases=aliases, status="draft", lang=lang), body)
