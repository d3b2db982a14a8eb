"""The gate before publishing: the customers' questions of the last days, replayed against a draft of the
base.

report = await gate.compare(draft_of(knowledge, changed=[article], removed=["old/one"]))
if report.blocked: ...          # shown; a supervisor may say yes: await gate.allow(report, actor, reason)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from bot.dialogs.offline_decision import AskerFacts, OfflineDecision
from bot.feedback_loader import in_slices
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.articles.encodings import read_any
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import Article, read_text
from bot.knowledge.articles.writer import DRAFTS
from bot.knowledge.quality.feedback import EVENTS, judged
from bot.knowledge.quality.golden import GoldenQuestion, read_golden
from bot.knowledge.quality.release import (
    AskedBase,
    GateProgress,
    GateReport,
    ReleaseLimits,
    ReplayedQuestion,
    broken_golden,
    compare_sides,
    published,
)
from bot.knowledge.quality.turn_log import LoggedTurn, found_for, searched, talks
from bot.knowledge.search import Knowledge
from bot.model import Answer, Event
from bot.storage.base import Recipient, Store, TurnRecord

BATCH = 1000
PORTION = 500  # conversations whose customers are read at once
VERDICTS = 20_000  # of the customers, that are looked at
STANDS = timedelta(days=7)  # for which a yes holds
ALLOWED = "release_allowed"  # a supervisor published in spite of the gate


class ReplayStore(Protocol):
    """What is read of a store."""

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> tuple[TurnRecord, ...]: ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]: ...

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> tuple[Recipient, ...]: ...


@dataclass(frozen=True, slots=True)
class DraftBase:
    """A base as it would be: all its articles, and the files that give none."""

    articles: tuple[Article, ...]
    unreadable: tuple[str, ...] = ()


def draft_of(
    knowledge: Knowledge, *, changed: Iterable[Article] = (), removed: Collection[str] = ()
) -> DraftBase:
    """The present base with these articles instead of those of the same id, or added, and without the
    *removed* ones.
    """
    known = {a.id: a for a in knowledge.staff.articles()}
    known.update((a.id, a) for a in changed)
    return DraftBase(tuple(a for id, a in sorted(known.items()) if id not in removed))


def with_drafts_published(knowledge: Knowledge, only: Collection[str] = ()) -> DraftBase:
    """The present base with its drafts published: those named, else all."""
    drafts = [a for a in drafts_in(knowledge) if not only or a.id in only]
    return draft_of(knowledge, changed=[replace(a, status="published") for a in drafts])


def drafts_in(knowledge: Knowledge) -> tuple[Article, ...]:
    """What waits to be published to customers: drafts among the articles, and changes of published ones that
    were kept beside them.
    """
    found = {a.id: a for a in knowledge.articles() if a.status == "draft"}
    kept = knowledge.folder / DRAFTS
    for path in sorted(kept.rglob("*.md")) if kept.is_dir() else ():
        if (article := _changed(knowledge, path, path.relative_to(kept))) is not None:
            found[article.id] = article
    return tuple(found.values())


def unfilled_in(drafts: Iterable[Article]) -> dict[str, tuple[str, ...]]:
    """The places of drafts that nobody has filled yet, by article: such a draft cannot be published,
    whatever customers ask.
    """
    texts = {a.id: "\n".join((a.title, *(f"{p.heading}\n{p.text}" for p in a.passages))) for a in drafts}
    return {id: tuple(found) for id, text in texts.items() if (found := blanks(text))}


def _changed(knowledge: Knowledge, draft: Path, place: Path) -> Article | None:
    """The article as the draft of its change has it; None where that cannot be read, or is for operators."""
    folder, channels = knowledge.folder, knowledge.settings.channels
    try:
        article, _ = read_text(read_any(draft.read_bytes()), folder / place, folder, known_channels=channels)
        file = read_any((folder / place).read_bytes()) if (folder / place).is_file() else ""
    except (OSError, UnicodeDecodeError):
        return None
    if article is None or article.internal:
        return None
    known, written = knowledge.article(article.id), read_text(file, folder / place, folder)[0]
    beside = [q for q in known.aliases if written and q not in written.aliases] if known else []
    twin = known.twin_of if known else ""
    return replace(article, twin_of=twin, aliases=tuple(dict.fromkeys((*article.aliases, *beside))))


def draft_in(folder: Path, channels: Sequence[str] = ()) -> DraftBase:
    """A folder of articles as the base."""
    articles, problems = ArticleRepository(folder, channels).read()
    return DraftBase(articles, tuple(sorted({p.file for p in problems if p.severity == "error" and p.file})))


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What a gate holds to: the owner's limits, the file of golden questions, and the time."""

    limits: ReleaseLimits
    golden: Path | None
    clock: Callable[[], datetime]


class ReleaseGate:
    """Compares drafts with the base in use, over the questions in a store (None: golden questions alone).

    What the base in use says to a question is asked once, as long as the base stays; nothing of a comparison
    changes the base or the store.
    """

    def __init__(
        self,
        store: ReplayStore | None,
        knowledge: Knowledge,
        judge: OfflineDecision,
        terms: GateTerms,
    ) -> None:
        self._store, self._knowledge, self._judge = store, knowledge, judge
        self.limits, self._golden, self._clock = terms.limits, terms.golden, terms.clock
        self._before: tuple[object, dict[object, Answer]] = (None, {})

    async def compare(self, draft: DraftBase, progress: GateProgress | None = None) -> GateReport:
        """What publishing *draft* would change. It runs in a thread: answers go on; where the caller is
        cancelled, so is the thread. Raises `ConfigError` (golden questions that cannot be read),
        `StorageError`, and `GateCancelled` where *progress* says so.
        """
        watched = progress or GateProgress()
        limited = {key for a in (*self._knowledge.articles(), *draft.articles) for key in a.segment}
        questions = await self._questions(limited)
        try:
            return await asyncio.to_thread(self._compared, draft, questions, watched)
        finally:
            watched.cancelled = True  # of a caller who went away the thread goes on otherwise

    async def _questions(self, limited: Collection[str]) -> Sequence[ReplayedQuestion]:
        if self._store is None:
            return ()
        now, limits = self._clock(), self.limits
        since = now - timedelta(days=limits.days)
        turns = await _newest(self._store, since, limits.questions)
        events = await in_slices(self._store, turns[0].at, now, EVENTS) if turns else ()
        fields = await _fields(self._store, turns, limited)
        return await asyncio.to_thread(partial(gathered, turns, events, fields=fields, most=limits.questions))

    async def allow(self, store: Store, report: GateReport, actor: str, reason: str) -> None:
        """A supervisor publishes in spite of it: on record, with the reason and the figures."""
        now = self._clock()
        held = [f"{r.code}:{r.value:.4g}" for r in report.blocked]
        data = {"key": report.key, "reason": reason, "held_back_by": held}
        await store.enqueue([], now, events=[Event(ALLOWED, now, actor=actor, data=data)])

    async def allowed(self, store: Store, report: GateReport) -> Event | None:
        """The newest yes to this very draft over this very base; None where there is none."""
        since = self._clock() - STANDS
        told = await store.events(since=since, kinds=(ALLOWED,))
        return next((e for e in reversed(told) if e.data.get("key") == report.key), None)

    def _compared(
        self, draft: DraftBase, questions: Sequence[ReplayedQuestion], progress: GateProgress
    ) -> GateReport:
        trial = self._knowledge.trial([a for a in draft.articles if not a.internal])
        before = _base(published(self._knowledge.articles()), self._judge, self._remembered())
        after = _base(published(draft.articles), self._judge.over(trial))
        if not self._same(trial):
            trial.examine()
        else:
            after = replace(after, replay=before.replay, ask=before.ask)
        golden = self._goldens()
        progress.total = len(questions)
        changes, coverage, (answered, answered_after) = compare_sides(questions, before, after, progress)
        return GateReport(
            key=f"{self._knowledge.articles_version}-{trial.articles_version}",
            limits=self.limits,
            questions=len(questions),
            asked=sum(q.asked for q in questions),
            answered=answered,
            answered_after=answered_after,
            lost=sum(c.question.asked for c in changes if c.lost),
            changes=changes,
            coverage=coverage,
            golden=broken_golden(golden, before, after),
            golden_asked=len(golden),
            unreadable=draft.unreadable,
        )

    def _same(self, trial: Knowledge) -> bool:
        return trial.articles_version == self._knowledge.articles_version

    def _remembered(self) -> dict[object, Answer]:
        """What the base in use said before, as long as it is the same."""
        knowledge = self._knowledge
        search = (knowledge.threshold, knowledge.status.embeddings, knowledge.today())
        state = (knowledge.articles_version, *search)
        if self._before[0] != state:
            self._before = (state, {})
        return self._before[1]

    def _goldens(self) -> Sequence[GoldenQuestion]:
        if self.limits.golden == "skip" or self._golden is None or not self._golden.is_file():
            return ()
        return read_golden(self._golden)


def _base(
    articles: tuple[Article, ...], judge: OfflineDecision, known: dict[object, Answer] | None = None
) -> AskedBase:
    """A base asked through *judge*; the same question is asked once."""
    said: dict[object, Answer] = {} if known is None else known

    def replay(question: ReplayedQuestion) -> Answer:
        fields = tuple(sorted(question.fields.items(), key=str))
        key = (question.question, question.language, question.channel, question.last, str(fields))
        if (answer := said.get(key)) is None:
            answer = said[key] = judge(
                question.question,
                language=question.language,
                channel=question.channel,
                asker=AskerFacts(question.last, question.fields),
            )
        return answer

    return AskedBase(
        articles, replay, lambda golden: judge(golden.q, answered=golden.answered, language=golden.language)
    )


# --- the questions


async def _fields(
    store: ReplayStore, turns: Sequence[TurnRecord], limited: Collection[str]
) -> Mapping[int, Mapping[str, object]]:
    """Of the customers of these conversations the fields by which articles are limited; nothing is read where
    none are.
    """
    found: dict[int, Mapping[str, object]] = {}
    talks_of = sorted({turn.conversation for turn in turns}) if limited else []
    for start in range(0, len(talks_of), PORTION):
        for who in await store.listeners(only=talks_of[start : start + PORTION], limit=PORTION):
            found[who.conversation] = {k: v for k, v in who.customer.fields.items() if k in limited}
    return found


async def _newest(store: ReplayStore, since: datetime, most: int) -> list[TurnRecord]:
    """The newest turns, oldest first: from so long ago, or as many as hold the different questions wanted."""
    before, turns = await _end(store), list[TurnRecord]()
    different: set[str] = set()
    while before > 1 and len(different) < most:
        first = max(1, before - BATCH)
        rows = [r for r in await store.turns(after=first - 1, limit=BATCH) if r.id < before]
        turns[:0] = rows
        different |= {_key(r.text) for r in rows if _is_question(r)}
        before = first
        if rows and rows[0].at < since:
            break
    return [t for t in turns if t.at >= since]


async def _end(store: ReplayStore) -> int:
    """A number above that of the last turn."""
    low, high = 0, BATCH
    while await store.turns(after=high, limit=1):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await store.turns(after=middle, limit=1) else (low, middle)
    return high + 1


@dataclass(slots=True)
class _Asked:
    """The times that one question was asked."""

    newest: LoggedTurn
    language: str
    channel: str
    last: str
    fields: Mapping[str, object]
    times: int = 0
    handed_over: int = 0
    helped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


def gathered(
    turns: Sequence[TurnRecord],
    events: Iterable[Event],
    *,
    fields: Mapping[int, Mapping[str, object]],
    most: int,
) -> tuple[ReplayedQuestion, ...]:
    """Turns (oldest first) and what customers said of answers, as questions: those of the same words,
    language, channel, context and limiting *fields* (by conversation) are one.
    """
    said = {(f.conversation, f.at): f for f in judged(turns, events, newest=VERDICTS)}
    found: dict[tuple[str, ...], _Asked] = {}
    channels = {turn.conversation: turn.peer.channel for turn in turns}
    for talk in talks(turns).values():
        for n, turn in enumerate(talk):
            if not _is_question(turn):
                continue
            place, own = (
                _place(turn, channels[turn.conversation], talk[:n]),
                fields.get(turn.conversation, {}),
            )
            asked = found.setdefault(
                (*place, str(sorted(own.items(), key=str))), _Asked(turn, *place[1:], own)
            )
            asked.newest = max(asked.newest, turn, key=lambda t: t.id)
            asked.times += 1
            asked.handed_over += _went_to_a_person(talk[n:])
            if (verdict := said.get((turn.conversation, turn.at))) is not None:
                (asked.helped if verdict.right else asked.failed)[verdict.article] += 1
    questions = sorted(found.values(), key=lambda a: -a.newest.id)[:most]
    return tuple(_replayed(asked) for asked in questions)


def _replayed(asked: _Asked) -> ReplayedQuestion:
    return ReplayedQuestion(
        turn=asked.newest.id,
        conversation=asked.newest.conversation,
        question=asked.newest.text.strip(),
        at=asked.newest.at,
        language=asked.language,
        channel=asked.channel,
        last=asked.last,
        fields=asked.fields,
        asked=asked.times,
        handed_over=asked.handed_over,
        helped=dict(asked.helped),
        failed=dict(asked.failed),
    )


def _is_question(turn: LoggedTurn) -> bool:
    """Asked of the bot, and searched for."""
    return searched(turn) and turn.dialog != "relay" and any(c.isalpha() for c in turn.text)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _place(turn: LoggedTurn, channel: str, earlier: Sequence[LoggedTurn]) -> tuple[str, str, str, str]:
    """What tells one question from another: words, language, channel, and the article it goes on from."""
    last = ""
    if turn.why.get("followed"):
        told = next((t for t in reversed(earlier) if t.dialog == "faq" and t.result == "answered"), None)
        last = next(iter(found_for(told)), ("", ""))[0] if told is not None else ""
    return _key(turn.text), str(turn.why.get("language") or ""), channel, last


def _went_to_a_person(talk: Sequence[LoggedTurn]) -> bool:
    """Whether a person was called with the first turn's question, before the next one."""
    for n, turn in enumerate(talk):
        if n and _is_question(turn):
            return False
        if turn.result == "handed_off":
            return True
    return False
