"""Days of conversations lived through the real rooms: every figure equals a recount of the raw events, made another way."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from bot.handoff.hours import Hours
from bot.reports.periods import Period
from bot.reports.report import Report, make_report, read_facts
from bot.testing import open_theatre
from bot.testing.history import History
from tests.conftest import ARTICLES

ZONE = ZoneInfo("Europe/Moscow")
FIRST = date(2026, 10, 30)  # a Friday: nights, a weekend and the holiday of November 4
DAYS, SHOWN = 5, 4
PERIOD = Period(FIRST + timedelta(days=DAYS - SHOWN), FIRST + timedelta(days=DAYS - 1), ZONE)


@dataclass(frozen=True)
class Raw:
    """An event as it lies in the file."""

    kind: str
    at: datetime
    conversation: int
    ticket: int
    actor: str
    data: dict[str, object]


@dataclass(frozen=True)
class Lived:
    """The report, and what it was made of."""

    report: Report
    events: list[Raw]
    hours: Hours
    now: datetime

    def of(self, *kinds: str) -> list[Raw]:
        return [e for e in self.events if e.kind in kinds]

    def within(self, *kinds: str) -> list[Raw]:
        return [e for e in self.of(*kinds) if PERIOD.start <= e.at < PERIOD.end]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kb")
    for name, (title, aliases, body) in ARTICLES.items():
        (made / f"{name}.md").write_text(f"---\ntitle: {title}\naliases: [{', '.join(aliases)}]\n---\n\n{body}\n", encoding="utf-8")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(folder: Path) -> AsyncIterator[Lived]:
    """Five days of some 40 conversations each, of which the last four are reported."""
    file = folder.parent / "lived.db"
    async with open_theatre(folder) as theatre:
        start = datetime.combine(FIRST, datetime.min.time(), ZONE)
        theatre.clock.at = start.astimezone(UTC)
        questions = [alias for _, aliases, _ in ARTICLES.values() for alias in aliases]
        await History(theatre, questions, per_day=40, seed=7, customers=40).play(start, DAYS)
        now = theatre.clock()
        facts = await read_facts(theatre.house.store, theatre.house.hours, PERIOD, now, answer_within=120)
        hours = theatre.house.hours
        await theatre.house.store.backup(file)
    db = sqlite3.connect(file)
    rows = db.execute("select kind, at, conversation, ticket, actor, data from events order by at, id").fetchall()
    db.close()
    events = [Raw(k, datetime.fromtimestamp(at / 1000, UTC), c or 0, t or 0, a, json.loads(d)) for k, at, c, t, a, d in rows]
    yield Lived(make_report(facts, PERIOD), events, hours, now)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_there_was_enough_to_count(lived: Lived) -> None:
    """A recount of nothing would prove nothing."""
    kinds = Counter(e.kind for e in lived.within(*{e.kind for e in lived.events}))
    for kind, least in {"heard": 300, "answered": 80, "ticket_opened": 40, "first_reply": 30, "ticket_closed": 30, "rated": 5, "feedback": 20}.items():
        assert kinds[kind] >= least, (kind, kinds)


async def test_tickets(lived: Lived) -> None:
    """NST, NTB, reasons, reopened, called off."""
    opened = lived.within("ticket_opened")
    figures = lived.report.figures
    assert figures["nst"].value == len(opened)
    assert figures["ntb"].value == len({e.ticket for e in lived.within("sla_breached")})
    assert {r.key: r.cells["tickets"] for r in lived.report.tables["reasons"].rows} == Counter(str(e.data["reason"]) for e in opened)
    numbers = {e.ticket for e in opened}
    answered = {e.ticket for e in lived.of("first_reply")}
    called_off = {e.ticket for e in lived.of("ticket_closed") if e.actor == "customer"} - answered
    assert figures["abandoned"].value == pytest.approx(len(called_off & numbers) / len(numbers))
    closed = {e.ticket for e in lived.within("ticket_closed")}
    first = {t: min(e.at for e in lived.within("ticket_closed") if e.ticket == t) for t in closed}
    again = {e.ticket for e in lived.of("ticket_reopened") if e.ticket in first and e.at > first[e.ticket]}
    assert again and figures["reopened"].value == pytest.approx(len(again) / len(closed))
    moved = {e.ticket for e in lived.of("ticket_transferred")} & numbers
    assert figures["transferred"].value == pytest.approx(len(moved) / len(numbers))


async def test_times(lived: Lived) -> None:
    """AFRT, MTTR and the service level, in calendar and in working time."""
    opened = {e.ticket: e.at for e in lived.of("ticket_opened")}
    replied = {e.ticket: e.at for e in lived.of("first_reply")}
    inside = [t for t, at in opened.items() if PERIOD.start <= at < PERIOD.end]
    waits = [(replied[t] - opened[t]).total_seconds() for t in inside if t in replied]
    worked = [_worked(lived.hours, opened[t], replied[t]) for t in inside if t in replied]
    afrt = lived.report.figures["afrt"]
    assert afrt.parts["calendar_mean"] == pytest.approx(mean(waits)) and afrt.parts["calendar_median"] == pytest.approx(median(waits))
    assert afrt.parts["calendar_p90"] == pytest.approx(sorted(waits)[-(-9 * len(waits) // 10) - 1])
    assert afrt.value == pytest.approx(mean(worked), abs=1.0) and afrt.parts["median"] == pytest.approx(median(worked), abs=1.0)

    last = {e.ticket: e for e in lived.of("ticket_closed")}
    back = {e.ticket: e.at for e in lived.of("ticket_reopened")}
    solved = [e for t, e in last.items() if e.actor != "customer" and PERIOD.start <= e.at < PERIOD.end and not (t in back and back[t] > e.at)]
    mttr = lived.report.figures["mttr"]
    assert mttr.n == len(solved)
    assert mttr.parts["calendar_mean"] == pytest.approx(mean((e.at - opened[e.ticket]).total_seconds() for e in solved))

    ends = {t: replied.get(t) or min((e.at for e in lived.of("ticket_closed") if e.ticket == t and e.actor == "customer"), default=lived.now) for t in inside}
    in_time = [_worked(lived.hours, opened[t], ends[t]) <= 120 for t in inside if t in replied]
    late = [t for t in inside if t not in replied and _worked(lived.hours, opened[t], ends[t]) > 120]
    assert lived.report.figures["service_level"].value == pytest.approx(sum(in_time) / (len(in_time) + len(late)))


async def test_ratings(lived: Lived) -> None:
    """CSI, its n and its response rate."""
    rated = {e.ticket: e for e in lived.of("rated")}
    scores = [e.data["rating"] for e in rated.values() if PERIOD.start <= e.at < PERIOD.end]
    asked = {e.ticket for e in lived.within("rating_asked")}
    csi = lived.report.figures["csi"]
    assert csi.n == len(scores) and csi.value == pytest.approx(mean(scores))  # type: ignore[type-var]
    assert csi.parts["asked"] == len(asked) and csi.parts["response"] == pytest.approx(len(asked & set(rated)) / len(asked))


async def test_visits(lived: Lived) -> None:
    """Conversations, containment strict and naive, returns, and the split by day, hour and channel."""
    visits = [v for v in _visits(lived) if v.wanted and PERIOD.start <= v.start < PERIOD.end]
    figures = lived.report.figures
    assert figures["conversations"].value == len(visits)
    assert figures["containment_naive"].value == pytest.approx(mean(not v.tickets for v in visits))
    strict = [bool(v.shown) and not v.tickets and not v.bad and not v.again for v in visits]
    assert figures["containment"].value == pytest.approx(mean(strict)) and 0 < sum(strict) < len(strict)
    assert figures["returns"].value == pytest.approx(mean(v.again for v in visits)) and any(v.again for v in visits)
    assert {r.key: r.cells["visits"] for r in lived.report.tables["channels"].rows} == Counter(v.channel for v in visits)
    days = {r.key: (r.cells["bot"], r.cells["person"]) for r in lived.report.tables["days"].rows}
    for key, counted in days.items():
        mine = [v for v in visits if v.start.astimezone(ZONE).date().isoformat() == key]
        assert counted == (sum(not v.tickets for v in mine), sum(bool(v.tickets) for v in mine))
    load = {r.key: r.cells["visits"] for r in lived.report.tables["load"].rows if r.cells["visits"]}
    assert load == Counter(f"{v.start.astimezone(ZONE).isoweekday()}-{v.start.astimezone(ZONE).hour}" for v in visits)


async def test_articles_and_operators(lived: Lived) -> None:
    """How often each article was shown and judged; who closed how many."""
    rows = {r.key: r.cells for r in lived.report.tables["articles"].rows}
    visits = [v for v in _visits(lived) if v.wanted and PERIOD.start <= v.start < PERIOD.end]
    assert {k: c["shown"] for k, c in rows.items() if c["shown"]} == Counter(a for v in visits for a in v.shown)
    judged = Counter((str(e.data["article"]), e.data["helped"]) for e in lived.within("feedback"))
    assert {(k, True): c["yes"] for k, c in rows.items() if c["yes"]} == {k: n for k, n in judged.items() if k[1] and k[0] in rows}
    last = {e.ticket: e for e in lived.of("ticket_closed")}
    taker = {e.ticket: e.actor for e in lived.of("ticket_taken", "ticket_reopened") if e.actor not in ("customer", "bot")}
    back = {e.ticket: e.at for e in lived.of("ticket_reopened")}
    over = [t for t, e in last.items() if e.actor != "customer" and PERIOD.start <= e.at < PERIOD.end and not (t in back and back[t] > e.at)]
    solved = Counter(taker[t] for t in over if t in taker)
    assert {r.key: r.cells["closed"] for r in lived.report.tables["operators"].rows if r.cells["closed"]} == solved


async def test_behind_every_figure_are_its_conversations(lived: Lived) -> None:
    """The list that opens from a number has as many lines as the number says."""
    for key in ("nst", "ntb", "afrt", "mttr", "csi", "conversations", "containment", "service_level"):
        assert len(lived.report.cases(key)) == lived.report.figures[key].n
    for table, columns in {"reasons": ["tickets"], "days": ["bot", "person"], "channels": ["visits"]}.items():
        for row in lived.report.tables[table].rows:
            assert len(lived.report.cases(f"{table}:{row.key}")) == sum(float(row.cells[c] or 0) for c in columns)


# --- the other way to count


@dataclass
class _Seen:
    conversation: int
    start: datetime
    end: datetime
    channel: str
    events: list[Raw]

    again = False

    @property
    def shown(self) -> list[str]:
        return [str(e.data["article"]) for e in self.events if e.kind == "answered"]

    @property
    def tickets(self) -> list[int]:
        return [e.ticket for e in self.events if e.kind == "ticket_opened"]

    @property
    def bad(self) -> bool:
        return any(e.kind == "feedback" and not e.data["helped"] for e in self.events)

    @property
    def about(self) -> set[str]:
        return {*self.shown, *(str(a) for e in self.events if e.kind in ("clarified", "not_helped") for a in e.data["offered"])}  # type: ignore[attr-defined]

    @property
    def wanted(self) -> bool:
        return bool(self.about or self.tickets or any(e.kind == "unanswered" for e in self.events))


def _visits(lived: Lived) -> list[_Seen]:
    """Each conversation cut where it was silent for four hours without an open ticket, and where a ticket was closed for good."""
    done: list[_Seen] = []
    of: dict[int, list[Raw]] = defaultdict(list)
    for event in lived.events:
        of[event.conversation].append(event)
    for conversation, events in of.items():
        mine: list[_Seen] = []
        for n, event in enumerate(events):
            if event.kind == "heard" and event.data["dialog"] != "rating":
                before = events[:n]
                tickets = [e for e in before if e.kind in ("ticket_opened", "ticket_reopened", "ticket_closed")]
                under_way = bool(tickets) and tickets[-1].kind != "ticket_closed"
                cut = bool(tickets) and bool(mine) and tickets[-1].kind == "ticket_closed" and tickets[-1].at >= mine[-1].start
                if not mine or cut or (not under_way and event.at - mine[-1].end > timedelta(hours=4)):
                    mine.append(_Seen(conversation, event.at, event.at, str(event.data["channel"]), []))
                mine[-1].end = event.at
            elif mine and event.kind == "ticket_closed":
                mine[-1].end = max(mine[-1].end, event.at)
            if mine:
                mine[-1].events.append(event)
        for old in mine:
            old.again = any(timedelta() <= new.start - old.end <= timedelta(hours=72) and new.about & old.about for new in mine if new.start > old.start)
        done += mine
    return done


def _worked(hours: Hours, start: datetime, end: datetime) -> float:
    """Seconds of a span in opening hours, minute by minute."""
    if (end - start) < timedelta(minutes=2):
        return (end - start).total_seconds() if hours.is_open(start) else 0.0
    total, at = 0.0, start
    while at < end:
        edge = min(end, (at + timedelta(minutes=1)).replace(second=0, microsecond=0))
        total += (edge - at).total_seconds() if hours.is_open(at) else 0.0
        at = edge
    return total
