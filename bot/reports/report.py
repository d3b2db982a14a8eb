"""The report of a period beside the one before: figures, tables, and the list behind every number."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.model import Event, Ticket
from bot.reports import service_quality, slices, tables
from bot.reports.assistant_tasks import assistant_use
from bot.reports.canned_answers import ready
from bot.reports.ledger import BEFORE, KINDS, RETURN, Ledger, ReportFacts, open_ledger, without_played
from bot.reports.metrics import COUNTS, Figure, FigureCase
from bot.reports.periods import Period
from bot.reports.practices import practices
from bot.reports.tables import Table

SLICE = timedelta(days=2)  # so much is read at once, so that reading for a report never holds up the bot
AT_ONCE = 1000  # so many tickets are


class ReportSource(Protocol):
    """Where the facts are kept: the part of the store that a report reads."""

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]: ...

    async def tickets_of(self, numbers: Collection[int], *, bare: bool = False) -> tuple[Ticket, ...]: ...


class Calendar(Protocol):
    """Opening hours (bot/handoff/sla/hours.py)."""

    zone: ZoneInfo

    def working(self, start: datetime, end: datetime) -> timedelta: ...

    def is_holiday(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown.

    `before` are the same figures for the period before; `demo`: the history was played, not lived.
    """

    period: Period
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure]
    tables: Mapping[str, Table]
    answer_within: float
    made: datetime
    demo: bool = False

    def cases(self, of: str) -> tuple[FigureCase, ...]:
        """The cases behind a figure ("ntb") or a row of a table ("reasons:asked"); empty where there is no
        such thing.
        """
        table, _, row = of.partition(":")
        if row and table in self.tables:
            return next((r.cases for r in self.tables[table].rows if r.key == row), ())
        return self.figures[of].cases if of in self.figures else ()


async def read_facts(
    source: ReportSource,
    calendar: Calendar,
    period: Period,
    now: datetime,
    *,
    answer_within: float = 20.0,
    compare: bool = True,
) -> ReportFacts:
    """All that the report of *period* (and, to *compare*, the one before) is counted from, read in small
    slices.
    """
    at, end = (
        (period.previous() if compare else period).start - BEFORE,
        min(period.end + RETURN, now + timedelta(seconds=1)),
    )
    events: list[Event] = []
    while at < end:
        events += await source.events(since=at, until=min(at + SLICE, end), kinds=KINDS)
        at += SLICE
    events = without_played(events)
    numbers, known = sorted({e.ticket for e in events if e.ticket is not None}), dict[int, Ticket]()
    for start in range(0, len(numbers), AT_ONCE):
        some = await source.tickets_of(numbers[start : start + AT_ONCE], bare=True)
        known |= {ticket.number: ticket for ticket in some}
    return ReportFacts(tuple(events), calendar.zone, calendar.working, now, known, answer_within)


class ReportedArticle(Protocol):
    """What a report wants to know of an article."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def topic(self) -> str: ...

    @property
    def tags(self) -> tuple[str, ...]: ...


def make_report(facts: ReportFacts, period: Period, articles: Iterable[ReportedArticle] = ()) -> Report:
    """Count everything. *articles* are those of the base, for titles and topics."""
    with _undisturbed():
        return _counted(facts, period, tuple(articles))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Counting makes much and drops nothing: the collector would look through all of it again and again (40 %
    of the time).
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _counted(facts: ReportFacts, period: Period, known: Sequence[ReportedArticle]) -> Report:
    titles = {a.id: a.title for a in known}
    ledger = open_ledger(facts)
    counted = {c.__name__: c(ledger, period) for c in COUNTS}
    first = facts.events[0].at if facts.events else None
    earlier = period.previous()
    compares = first is not None and first < earlier.start + timedelta(days=1)
    if compares:
        before = {c.__name__: c(ledger, earlier) for c in COUNTS}
    else:  # the service is younger than the period before: a comparison would only mislead
        before = {key: Figure(key, None, 0) for key in counted}
    return Report(
        period,
        counted,
        before,
        {
            **_tables(ledger, period, titles),
            **_slices(ledger, period, earlier if compares else None, known),
        },
        facts.answer_within,
        facts.now,
        any(e.kind == "demo" for e in facts.events),
    )


def topic_names(known: Sequence[ReportedArticle]) -> dict[str, str]:
    """By an article's id and by its title the one name of its topic: its own, else that of its section's
    other articles, else the section.
    """
    sections: dict[str, Counter[str]] = defaultdict(Counter)
    for article in known:
        if article.topic:
            sections[article.id.rpartition("/")[0]][article.topic] += 1
    named: dict[str, str] = {}
    for article in known:
        section = article.id.rpartition("/")[0]
        usual = sections[section].most_common(1) if section else []
        name = article.topic or (usual[0][0] if usual else section or article.title)
        named[article.id] = name
        named.setdefault(article.title, name)
    return named


def _tables(ledger: Ledger, period: Period, titles: Mapping[str, str]) -> dict[str, Table]:
    made = (
        tables.days(ledger, period),
        tables.load(ledger, period),
        tables.reasons(ledger, period),
        tables.articles(ledger, period, titles),
        tables.operators(ledger, period),
        ready(ledger, period),
        *(made for made in service_quality.all_tables(ledger, period) if made.rows),
        *(made for made in (practices(ledger, period), assistant_use(ledger, period)) if made.rows),
    )
    return {t.key: t for t in made}


def _slices(
    ledger: Ledger, period: Period, before: Period | None, known: Sequence[ReportedArticle]
) -> dict[str, Table]:
    """The tables that compare, each row beside the period *before* where there was one."""
    made = (
        slices.topics(ledger, period, before, topic_names(known)),
        slices.categories(ledger, period, before),
        slices.tags(ledger, period, before, {a.id: a.tags for a in known}),
        slices.channels(ledger, period, before),
    )
    return {t.key: t for t in made}
