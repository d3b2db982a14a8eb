"""The figures: each a pure function over the ledger and a period, with the cases behind it, so that a figure
and its list cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import fmean, median
from typing import NamedTuple

from bot.reports.ledger import Ledger, TicketStory, Visit
from bot.reports.periods import Period

GOALS = ("first_reply", "next_reply", "resolution")
FEW = 5  # ratings below which a mean says nothing and is not shown


class FigureCase(NamedTuple):
    """One thing that was counted: which conversation and ticket, when, and its own value (seconds, score, 0
    or 1).
    """

    conversation: int
    at: datetime
    ticket: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: `value` None = not enough to say anything, `n` how many cases it is made of, `parts` what
    belongs to it.
    """

    key: str
    value: float | None
    n: int
    parts: Mapping[str, float | None] = field(default_factory=dict)
    cases: tuple[FigureCase, ...] = ()


Count = Callable[[Ledger, Period], Figure]


def nst(ledger: Ledger, period: Period) -> Figure:
    """Tickets opened in the period."""
    cases = [_case(s, s.opened) for s in ledger.opened(period)]
    return Figure("nst", len(cases), len(cases), cases=tuple(cases))


def ntb(ledger: Ledger, period: Period) -> Figure:
    """Tickets that breached a deadline in the period."""
    cases = []
    for story in ledger.stories.values():
        if moments := [at for at, _, _ in story.breaches if period.holds(at)]:
            cases.append(_case(story, moments[0], len(moments)))
    tickets = len(ledger.opened(period))
    late = {
        goal: float(
            sum(
                any(g == goal and period.holds(at) for at, g, _ in s.breaches)
                for s in ledger.stories.values()
            )
        )
        for goal in GOALS
    }
    return Figure(
        "ntb",
        len(cases),
        len(cases),
        {"share": len(cases) / tickets if tickets else None, **late},
        tuple(cases),
    )


def csi(ledger: Ledger, period: Period) -> Figure:
    """Mean rating, with how many of those asked answered."""
    rated = [s for s in ledger.stories.values() if s.rating is not None and period.holds(s.rated)]
    questions = [s for s in ledger.stories.values() if any(period.holds(at) for at in s.asked)]
    asked, answered = len(questions), sum(s.rating is not None for s in questions)
    scores = [float(s.rating or 0) for s in rated]
    parts = {
        "asked": float(asked),
        "response": answered / asked if asked else None,
        **{f"rated_{n}": float(scores.count(n)) for n in range(1, 6)},
    }
    return Figure(
        "csi",
        fmean(scores) if len(scores) >= FEW else None,
        len(scores),
        parts,
        tuple(_case(s, s.rated, s.rating) for s in rated),
    )


def nps(ledger: Ledger, period: Period) -> Figure:
    """Share of those who would recommend us less the share of those who would not, in points, with how many
    of those asked answered.
    """
    scored = [e for e in ledger.facts.events if e.kind == "nps_scored" and e.at is not None]
    mine = [e for e in scored if period.holds(e.at)]
    asked = [e for e in ledger.facts.events if e.kind == "nps_asked" and period.holds(e.at)]
    answered = sum(
        any(
            s.conversation == a.conversation and a.at is not None and s.at is not None and s.at >= a.at
            for s in scored
        )
        for a in asked
    )
    scores = [float(s) for e in mine if isinstance(s := e.data.get("score"), int)]
    good, bad = sum(s >= 9 for s in scores), sum(s <= 6 for s in scores)
    parts = {
        "asked": float(len(asked)),
        "response": answered / len(asked) if asked else None,
        "promoters": float(good),
        "passives": float(len(scores) - good - bad),
        "detractors": float(bad),
    }
    cases = tuple(
        FigureCase(e.conversation or 0, e.at, value=s)
        for e, s in zip(mine, scores, strict=True)
        if e.at is not None
    )
    return Figure(
        "nps", 100 * (good - bad) / len(scores) if len(scores) >= FEW else None, len(scores), parts, cases
    )


def afrt(ledger: Ledger, period: Period) -> Figure:
    """From the handoff to the first words of a person, for tickets opened in the period."""
    return _durations("afrt", ledger, [(s, s.opened, s.reply) for s in ledger.opened(period)])


def mttr(ledger: Ledger, period: Period) -> Figure:
    """From opening to the last closing, for tickets resolved in the period."""
    return _durations(
        "mttr",
        ledger,
        [(s, s.opened, s.resolved) for s in ledger.stories.values() if period.holds(s.resolved)],
    )


def bot_reply(ledger: Ledger, period: Period) -> Figure:
    """From the customer's first words to the bot's own answer."""
    waits = [(v, v.wait) for v in ledger.come(period) if v.wait is not None]
    seconds = [w for _, w in waits]
    return Figure(
        "bot_reply",
        fmean(seconds) if seconds else None,
        len(seconds),
        _spread(seconds),
        tuple(_seen(v, w) for v, w in waits),
    )


def service_level(ledger: Ledger, period: Period) -> Figure:
    """Share of handoffs answered by a person within the owner's limit of working time."""
    limit, now, cases = ledger.facts.answer_within, ledger.facts.now, []
    for story in ledger.opened(period):
        waited = _working(ledger, story.opened, story.reply or _given_up(story) or now)
        if story.reply is not None:
            cases.append(_case(story, story.opened, float(waited <= limit)))
        elif waited > limit:
            cases.append(_case(story, story.opened, 0.0))
    return _share("service_level", cases)


def containment(ledger: Ledger, period: Period) -> Figure:
    """Strict: answered by the bot, no person, no «не помогло», and not back about the same within 72
    hours.
    """
    return _share("containment", [_seen(v, float(is_contained(v))) for v in ledger.come(period)])


def containment_naive(ledger: Ledger, period: Period) -> Figure:
    """Simply without a person."""
    return _share("containment_naive", [_seen(v, float(not v.tickets)) for v in ledger.come(period)])


def conversations(ledger: Ledger, period: Period) -> Figure:
    """Visits in which somebody wanted something."""
    cases = [_seen(v) for v in ledger.come(period)]
    return Figure("conversations", len(cases), len(cases), cases=tuple(cases))


def returns(ledger: Ledger, period: Period) -> Figure:
    """Share of visits after which the customer came back about the same."""
    return _share("returns", [_seen(v, float(v.returned)) for v in ledger.come(period)])


def helped(ledger: Ledger, period: Period) -> Figure:
    """Share of «да, помогло» among all answers to that question."""
    cases = [_seen(v, 1.0) for v in ledger.come(period) for _ in range(v.helped)]
    cases += [_seen(v, 0.0) for v in ledger.come(period) for _ in range(v.not_helped)]
    return _share("helped", cases)


def reopened(ledger: Ledger, period: Period) -> Figure:
    """Share of tickets closed in the period that had to be opened again."""
    cases = []
    for story in ledger.stories.values():
        closings = [at for at, _ in story.closed if period.holds(at)]
        if closings:
            cases.append(_case(story, closings[0], float(any(r > closings[0] for r in story.reopened))))
    return _share("reopened", cases)


def transferred(ledger: Ledger, period: Period) -> Figure:
    """Share of tickets opened in the period that went to somebody else."""
    return _share(
        "transferred", [_case(s, s.opened, float(bool(s.transferred))) for s in ledger.opened(period)]
    )


def abandoned(ledger: Ledger, period: Period) -> Figure:
    """Share of tickets opened in the period that the customer called off before anybody answered."""
    return _share(
        "abandoned", [_case(s, s.opened, float(_given_up(s) is not None)) for s in ledger.opened(period)]
    )


COUNTS: tuple[Count, ...] = (
    nst,
    ntb,
    containment,
    afrt,
    mttr,
    csi,
    service_level,
    returns,
    containment_naive,
    conversations,
    bot_reply,
    helped,
    reopened,
    transferred,
    abandoned,
    nps,
)
TILES = ("nst", "ntb", "containment", "afrt", "mttr", "csi", "service_level", "returns")


# --- what several figures share


def is_contained(visit: Visit) -> bool:
    return bool(visit.shown) and not visit.tickets and not visit.not_helped and not visit.returned


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least *share* of the values do not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def mean_of(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def working_seconds(ledger: Ledger, start: datetime | None, end: datetime | None) -> float | None:
    """Working time between two moments that may not have come."""
    return None if start is None or end is None else _working(ledger, start, end)


def _working(ledger: Ledger, start: datetime | None, end: datetime) -> float:
    return ledger.facts.working(start, end).total_seconds() if start is not None and end > start else 0.0


def _durations(
    key: str, ledger: Ledger, spans: Iterable[tuple[TicketStory, datetime | None, datetime | None]]
) -> Figure:
    """The headline is the mean in working time; calendar time stands beside it."""
    known = [(s, start, end) for s, start, end in spans if start is not None and end is not None]
    working = [_working(ledger, start, end) for _, start, end in known]
    calendar = [max(timedelta(), end - start).total_seconds() for _, start, end in known]
    parts = {**_spread(working), **{f"calendar_{k}": v for k, v in _spread(calendar).items()}}
    cases = tuple(_case(s, start, value) for (s, start, _), value in zip(known, working, strict=True))
    return Figure(key, mean_of(working), len(known), parts, cases)


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    return {
        "mean": mean_of(values),
        "median": median(values) if values else None,
        "p90": percentile(values, 0.9) if values else None,
    }


def _share(key: str, cases: Sequence[FigureCase]) -> Figure:
    return Figure(key, mean_of([c.value or 0.0 for c in cases]), len(cases), cases=tuple(cases))


def _given_up(story: TicketStory) -> datetime | None:
    """When the customer called the ticket off, unanswered."""
    return next((at for at, by in story.closed if by == "customer"), None) if story.reply is None else None


def _case(story: TicketStory, at: datetime | None, value: float | None = None) -> FigureCase:
    assert at is not None
    return FigureCase(story.conversation, at, story.number, value)


def _seen(visit: Visit, value: float | None = None) -> FigureCase:
    return FigureCase(visit.conversation, visit.start, visit.tickets[-1] if visit.tickets else None, value)
