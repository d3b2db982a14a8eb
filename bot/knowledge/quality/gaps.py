"""What the base could not answer: questions missed, clarified in vain or answered without help, gathered by
their meaning.

Everything here is a function over records; who has a store reads them from it (`bot kb suggest`, a page).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from bot.model import Answer, Decision, Event, HistoryEntry
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
CLEARLY = 1.5  # how much more operators' words have in common with the question they answer than with others
COMPARED = 50  # wordings among which the one that stands for all is looked for
ALIASES = 10  # questions in a draft
REMARK = 200  # characters of a source that its head names
REPLIES = 6  # operators' lines kept of one conversation
NEWEST = 2000  # questions looked at
DISMISSED, RESTORED = ASIDE = "gap_dismissed", "gap_restored"  # events: «не наш вопрос», and taken back
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
Failure = tuple[LoggedTurn, Kind, datetime | None]  # a question, how it failed, and when the next one came
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
    def answer(self) -> str:
        """What an operator answered to the very question that stands for all, else the newest words; "" where
        nobody did.
        """
        said = [m for m in self.missed if m.replies]
        same = [m for m in said if " ".join(m.question.split()) == self.question]
        return "\n\n".join((same or said)[-1].replies) if said else ""

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
        failures = [f for f in _failures(talk) if any(c.isalpha() for c in f[0].text)]
        if not failures:
            continue
        answers = answers_to(failures, talk, history(conversation)) if history else {}
        seen: set[str] = set()
        for turn, kind, _ in failures:
            words = " ".join(fold(turn.text).split())
            replies = answers.get(turn.id, ())
            if words in seen or (_is_carried(turn) and history and not replies):
                continue
            seen.add(words)
            article, title = next(iter(found_for(turn)), ("", ""))
            found.append(
                MissedQuestion(
                    mask(turn.text.strip()),
                    kind,
                    turn.at,
                    conversation,
                    article,
                    title,
                    replies[:REPLIES],
                    mask(str(turn.why.get("understood", ""))),
                )
            )
    return tuple(sorted(found, key=lambda m: (m.at, m.conversation))[-NEWEST:])


@dataclass(slots=True)
class _Pending:
    """A question that a person may answer: of the turn `id` (0 = one that is no gap), until something else
    came.
    """

    text: str
    at: datetime
    until: datetime | None = None
    id: int = 0
    answered: bool = False

    def holds(self, at: datetime) -> bool:
        return self.at <= at and (self.until is None or at < self.until)


def answers_to(
    failures: Sequence[Failure], talk: Sequence[LoggedTurn], lines: Sequence[HistoryEntry]
) -> dict[int, tuple[str, ...]]:
    """Operators' words, masked, under the turns whose question they answer.

    law: where several questions wait, words count as the answer to the one they have most in common with, and
    to none where that is not clear: the answer to another question never stands under this one.
    """
    calls = {t.text.strip() for t in talk if _is_handover(t)}
    asked = [_Pending(t.text, t.at, until, t.id) for t, _, until in failures]
    own = [f[0].text for f in failures]
    asked += [
        _Pending(line.text, line.at)
        for line in lines
        if line.author == "customer"
        and _ASKS.search(line.text)
        and line.text.strip() not in calls
        and not any(line.text.strip() in text for text in own)
        and _roots(line.text)
    ]
    asked.sort(key=lambda q: q.at)
    found: dict[int, list[str]] = {}
    last: _Pending | None = None
    for line in lines:
        if line.author != "operator" or not line.text:
            continue
        waiting = [q for q in asked if not q.answered and q.holds(line.at)]
        last = last if last is not None and last.holds(line.at) else None
        meant = _meant(line.text, waiting, last)
        if meant is not None:
            meant.answered, last = True, meant
            if meant.id:
                found.setdefault(meant.id, []).append(mask(line.text))
    return {id: tuple(words) for id, words in found.items()}


def _meant(text: str, waiting: Sequence[_Pending], last: _Pending | None) -> _Pending | None:
    """The question that an operator's words answer: the only one that waits; of several the one they are most
    like; where none waits, the one they answered last.
    """
    if not waiting:
        return last
    if len(waiting) == 1:
        return waiting[0]
    said = _roots(text)
    alike = sorted(((_share(_roots(q.text), said), n) for n, q in enumerate(waiting)), reverse=True)
    best, second = alike[0], alike[1]
    return waiting[best[1]] if best[0] > CLEARLY * second[0] else None


def _failures(talk: Sequence[LoggedTurn]) -> Iterable[Failure]:
    """The turns of one conversation whose question failed, how, and when the next question came."""
    asked = [n for n, t in enumerate(talk) if _is_question(t)]
    for place, n in enumerate(asked):
        turn = talk[n]
        nxt = asked[place + 1] if place + 1 < len(asked) else len(talk)
        after = talk[n + 1 : nxt]
        goes_on = nxt >= len(talk) or _is_handover(talk[nxt]) or _is_carried(talk[nxt])
        until = None if goes_on else talk[nxt].at  # of a talk with a person the questions before it go on
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
        read = np.abs(vectors).sum(1) > 0  # what the encoder does not know is compared by words alone
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


def marks_of(gap: Gap) -> frozenset[str]:
    """The questions of a gap as events remember them: no words of anybody's."""
    return frozenset(question_id(q) for q in gap.questions)


def dismissed(events: Iterable[Event]) -> frozenset[str]:
    """Marks of the questions that were put aside as no business of ours, and not taken back."""
    found: set[str] = set()
    for event in events:
        marks = event.data.get("questions")
        marked = {str(m) for m in marks} if isinstance(marks, list | tuple) else set()
        if event.kind in ASIDE:
            found = found | marked if event.kind == DISMISSED else found - marked
    return frozenset(found)


def is_dismissed(gap: Gap, marks: frozenset[str]) -> bool:
    """Whether most wordings of a gap were put aside."""
    own = marks_of(gap)
    return 2 * len(own & marks) > len(own)


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


@dataclass(frozen=True, slots=True)
class DraftWords:
    """The words of a draft article ("" = as the gap has them), and the *sources* that its head names."""

    title: str
    body: str
    sources: tuple[str, ...] = ()


def draft(
    gap: Gap,
    *,
    placeholder: str,
    lang: str = "",
    replies: Sequence[str] | None = None,
    words: DraftWords | None = None,
) -> tuple[str, str]:
    """Title and text of a draft article: the customers' questions, and the operators' words (*replies* of
    them, else all) for a person to edit; or *words* that were made of them.
    """
    title = words.title if words is not None and words.title else _titled(gap)
    aliases = [q for q in gap.questions if HIDDEN not in q and len(q) <= 200][:ALIASES]
    body = "\n\n".join(gap.replies if replies is None else replies) or placeholder
    head = ArticleHead(
        title=title,
        aliases=aliases,
        status="draft",
        lang=lang,
        remarks=tuple(" ".join(s.split())[:REMARK] for s in words.sources) if words is not None else (),
    )
    return title, article_text(head, words.body if words is not None else body)


def _titled(gap: Gap) -> str:
    """The question that stands for all, as a heading."""
    title = _PREAMBLE.sub("", gap.question).rstrip(" ?!.…")
    return title[:1].upper() + title[1:]
