"""A simulated week in the real service: `python -m tests.reports.week` plays it, counts it twice, and prints
figure by figure whether both agree.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import open_hours
from bot.config.loader import Config
from bot.demo.history import DemoTraffic, History
from bot.demo.personas import OperatorPersona
from bot.knowledge.articles.schema import read_articles
from bot.observability import set_up_logging
from bot.reports.periods import Period
from bot.reports.report import Report, make_report, read_facts
from bot.storage.sqlite.store import SqliteStore
from bot.testing import open_test_bot
from tests.reports.practices import Practices
from tests.reports.recount import Recount, Values

ZONE = ZoneInfo("Europe/Moscow")
MONDAY = date(2026, 11, 2)  # a week with nights, a weekend and the holiday of November 4
DAYS, PER_DAY, OPERATORS = 7, 3160, 20  # some come less on weekends: 21 000 conversations in all
QUICKNESS = (15, 30, 60, 120, 300)
TEAM = tuple(
    OperatorPersona(str(9001 + n), f"Оператор-{n + 1:02d}", QUICKNESS[n % len(QUICKNESS)])
    for n in range(OPERATORS)
)
ANSWER_WITHIN = 120.0  # seconds of the service level
COUNTED = ("afrt.n", "mttr.n", "csi.n", "nps.n", "bot_reply.n")
COMPARED = {
    "channels": ("visits", "person", "containment", "afrt", "csi", "ratings"),
    "topics": ("visits", "person", "containment", "afrt", "csi", "ratings"),
    "tags": ("visits", "person", "containment", "afrt", "csi", "ratings"),
    "categories": ("tickets", "afrt", "csi", "ratings", "reopened"),
}  # tables whose rows stand beside the period before, and the columns of that
NUMBERS = ("visits", "person", "ratings", "tickets")  # 0 where there was nothing before
TABLES = (
    "days",
    "load",
    "reasons",
    "articles",
    "operators",
    "ready",
    "scores",
    "playbooks",
    "compensations",
    "after",
    *COMPARED,
)
SETTINGS = {
    "teams": (
        {"name": "senior", "title": "Старшие", "operators": tuple(f"telegram:{c.id}" for c in TEAM[:4])},
        {"name": "returns", "title": "Возвраты", "topics": ("Возврат", "Возврат товара")},
    ),
    "routing": {
        "supervisors": ("telegram:9001", "telegram:9002"),
        "categories": ("Доставка", "Возврат", "Другое"),
    },
    "sla": {
        "policies": (
            {"priority": 1, "first_reply": "10m", "next_reply": "1h", "resolution": "4h"},
            {"first_reply": "30m", "next_reply": "2h", "resolution": "9h"},
        ),
        "escalate_to": "senior",
        "quiet_warn": "20h",
        "quiet_close": "6h",
    },
    "rating": {"days_between": 3},
    "canned": {"folder": "builtin"},
    "quality": {"mystery": True},
    "authority": {"limits": ({"amount": 500},)},
    "nps": {"ask": True, "apart": "1h", "quiet": "2h"},
    "report": {"answer_within": ANSWER_WITHIN},
    "consent": {"policy": "https://shop.example/policy", "version": "2026-11"},
    "dialogs": {
        "forms": (
            {
                "name": "callback",
                "when": "command",
                "fields": ({"name": "phone", "type": "phone", "ask": {"ru": "Телефон?", "en": "Phone?"}},),
            },
        )
    },
    "flows": {"folder": str(Path(__file__).parent / "flows")},
    "aftercare": {"thanks": True, "check_in": "20h"},
    "vip": {"fields": {"tier": "gold"}},
    "sequences": {
        "care": {
            "event": "ticket_closed",
            "fields": {"tier": "gold"},
            "steps": (
                {"after": "2h", "text": {"ru": "Всё ли доехало?", "en": "Did all arrive?"}},
                {"after": "3h", "text": {"ru": "Расскажите, как вам у нас.", "en": "Tell us how it was."}},
            ),
        },
    },
}


def settings(base: Path) -> Config:
    """The config of the week: teams, deadlines by priority, and nothing that asks too seldom to be
    counted.
    """
    return Config.model_validate({"base": base, **SETTINGS})


async def play(
    file: Path, articles: Path, *, per_day: int, days: int, first: date = MONDAY, seed: int = 7
) -> History:
    """Live through the days; what is kept lies in *file*."""
    async with open_test_bot(
        articles, config=settings(articles.parent), storage=str(file), threads=False
    ) as testbot:
        start = datetime.combine(first, datetime.min.time(), ZONE)
        testbot.clock.at = start.astimezone(UTC)
        questions = [
            alias for a in testbot.service.knowledge.articles() if a.lang == "ru" for alias in a.aliases[:4]
        ]
        traffic = DemoTraffic(questions, per_day, customers=max(60, 3 * per_day), seed=seed)
        history = History(testbot, traffic, team=TEAM, rounds=timedelta(minutes=30))
        practices = Practices(history.stage, TEAM[0])
        for day in range(days):
            for at, person in practices.day(start + timedelta(days=day)):
                history.join(at, person)
        await history.play(start, days)
        return history


async def report_of(file: Path, articles: Path, period: Period, now: datetime) -> Report:
    """The report as the command and the page make it."""
    store, hours = SqliteStore.open(file), open_hours(settings(articles.parent))
    try:
        facts = await read_facts(store, hours, period, now, answer_within=ANSWER_WITHIN)
    finally:
        await store.close()
    return make_report(facts, period, read_articles(articles)[0])


def flat(report: Report) -> Values:
    """Every number that the report shows, by its name."""
    found: Values = {}
    for prefix, figures in (("", report.figures), ("before.", report.before)):
        for key, figure in figures.items():
            found[prefix + key] = figure.value
            found |= {f"{prefix}{key}.{part}": value for part, value in figure.parts.items()}
            if f"{key}.n" in COUNTED:
                found[f"{prefix}{key}.n"] = float(figure.n)
    for table in report.tables.values():
        columns = [c for c in table.columns if c not in ("weekday", "hour")]
        columns += [f"before_{c}" for c in table.compared]
        found |= {f"{table.key}.{row.key}.{c}": row.cells[c] for row in table.rows for c in columns}  # type: ignore[misc]
    return found


def counted(file: Path, articles: Path, period: Period, now: datetime, *, before: bool) -> Values:
    """The same numbers, counted the other way."""
    known = read_articles(articles)[0]
    titles = {a.id: a.title for a in known}
    tags = {a.id: a.tags for a in known}
    topics = {**{a.title: a.topic for a in known if a.topic}, **{a.id: a.topic for a in known if a.topic}}
    last = round(now.timestamp() * 1000)

    def count(days: Period) -> Values:
        return Recount(
            file,
            days.first,
            days.last,
            limit=ANSWER_WITHIN,
            now=last,
            article_topics=topics,
            titles=titles,
            article_tags=tags,
        ).values

    again = count(period)
    if before:
        earlier = count(period.previous())
        again |= {f"before.{k}": v for k, v in earlier.items() if k.partition(".")[0] not in TABLES}
        again |= _beside(again, earlier)
    return again


def _beside(now: Values, earlier: Values) -> Values:
    """What each row of the tables that compare was in the period before."""
    found: Values = {}
    for key in now:
        name, column = key.rpartition(".")[::2]
        if column in COMPARED.get(key.partition(".")[0], ()):
            nothing = 0.0 if column in NUMBERS else None
            found[f"{name}.before_{column}"] = earlier.get(key, nothing)
    return found


def differences(shown: Values, again: Values) -> list[str]:
    """What one of both says otherwise, or does not say."""
    wrong = []
    for key in sorted({*shown, *again}):
        a, b = shown.get(key), again.get(key)
        if (
            key not in shown
            or key not in again
            or (a is None) != (b is None)
            or (a is not None and b is not None and abs(a - b) > 1e-6 * max(1.0, abs(b)))
        ):
            wrong.append(
                f"{key}: the report says {a if key in shown else 'nothing'}, the recount"
                f" {b if key in again else 'nothing'}"
            )
    return wrong


def show(shown: Values, again: Values) -> int:
    """Print figure by figure, table by table; returns how many numbers differ."""
    wrong = {w.partition(": ")[0]: w for w in differences(shown, again)}
    tables: dict[str, list[str]] = {}
    for key in shown | again:
        name = key.partition(".")[0]
        if name in TABLES:
            tables.setdefault(name, []).append(key)
        else:
            value = shown.get(key)
            print(
                f"{'UNEQUAL' if key in wrong else 'equal':8} {key:32}"
                f" {'-' if value is None else f'{value:.4f}'.rstrip('0').rstrip('.')}"
            )
    for name, keys in tables.items():
        bad = sum(k in wrong for k in keys)
        print(f"{'UNEQUAL' if bad else 'equal':8} table {name:26} {len(keys)} cells, {bad} differ")
    print(*wrong.values(), sep="\n")
    return len(wrong)


def compare(file: Path, articles: Path, days: int, first: date = MONDAY) -> int:
    """The whole time, and its last days against those before; returns how many numbers differ."""
    now, wrong = datetime.combine(first + timedelta(days=days), datetime.min.time(), ZONE).astimezone(UTC), 0
    last = first + timedelta(days=days - 1)
    part = (days - 1) // 2
    for period in (Period(first, last, ZONE), Period(last - timedelta(days=part - 1), last, ZONE)):
        cpu = time.process_time()
        report = asyncio.run(report_of(file, articles, period, now))
        spent = time.process_time() - cpu
        has_before = any(f.value is not None for f in report.before.values())
        again = counted(file, articles, period, now, before=has_before)
        shown = {k: v for k, v in flat(report).items() if has_before or not k.startswith("before.")}
        print(
            f"\n{period.first} - {period.last}{', against as many days before' if has_before else ''}: the"
            f" report took {spent:.2f} s CPU"
        )
        wrong += show(shown, again)
    print(f"\n{'every figure equals the recount' if not wrong else f'{wrong} NUMBERS DIFFER'}")
    return wrong


def main() -> int:
    """Play (or take the file that is there), count twice, compare.

    The exit code is 1 where a number differs.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-day", type=int, default=PER_DAY)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--file", type=Path, help="keep the database here; one that is there is only counted")
    parser.add_argument("--articles", type=Path, default=Path("kb_articles"))
    given = parser.parse_args()
    set_up_logging(level="error")
    shared, articles = (
        Path("/dev/shm"),
        given.articles.resolve(),
    )  # memory where there is such a thing: the disk is not what is measured
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        file = given.file or Path(folder) / "week.db"
        if not file.is_file():
            wall, cpu = time.perf_counter(), time.process_time()
            history = asyncio.run(
                play(file, articles, per_day=given.per_day, days=given.days, seed=given.seed)
            )
            print(
                f"played {given.days} days: {history.visits} visits, {history.stage.words} words and presses"
                f" of people, in {time.perf_counter() - wall:.0f} s ({time.process_time() - cpu:.0f} s CPU),"
                f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most, file"
                f" {file.stat().st_size >> 20} MB"
            )
        return int(compare(file, articles, given.days) > 0)


if __name__ == "__main__":
    sys.exit(main())
