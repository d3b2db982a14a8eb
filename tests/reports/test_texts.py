"""Figures are said as people say them, every figure has its definition, and exports open where they
should.
"""

from __future__ import annotations

import csv
import html
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.model import Event, Peer, Ticket
from bot.reports.digest import digest, next_digest
from bot.reports.export import to_csv, to_json, to_xlsx
from bot.reports.ledger import ReportFacts
from bot.reports.metrics import COUNTS
from bot.reports.periods import Period
from bot.reports.report import Report, make_report
from bot.reports.texts import BETTER, UNITS, ReportTexts

ZONE = ZoneInfo("Europe/Moscow")
DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
PERIOD = Period(date(2026, 11, 16), date(2026, 11, 22), ZONE)


def _report() -> Report:
    """One ticket, answered after five minutes, breached, rated by six, with an operator who likes
    formulas.
    """
    events = [
        Event(
            "heard",
            DAY,
            1,
            None,
            data={"channel": "vk", "dialog": "human", "result": "handed_off", "seconds": 2.5},
        ),
        Event("ticket_opened", DAY, 1, 1, data={"reason": "asked"}),
        Event("sla_breached", DAY + timedelta(minutes=4), 1, 1, data={"kind": "first_reply"}),
        Event("ticket_taken", DAY + timedelta(minutes=5), 1, 1, "vk:7"),
        Event("first_reply", DAY + timedelta(minutes=5), 1, 1, "vk:7"),
        Event("ticket_closed", DAY + timedelta(minutes=65), 1, 1, "vk:7"),
        *(
            Event("rated", DAY + timedelta(hours=2), n, n, data={"rating": 4 if n % 2 else 5})
            for n in range(1, 7)
        ),
    ]
    ticket = Ticket(1, 1, Peer("vk", "5"), operator="vk:7", operator_name="=cmd|calc")
    return make_report(
        ReportFacts(tuple(events), ZONE, lambda a, b: b - a, DAY + timedelta(days=1), {1: ticket}), PERIOD
    )


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_every_figure_has_words_and_a_unit(lang: str) -> None:
    """Nothing is shown without its definition, and both languages know the same keys."""
    for count in COUNTS:
        metric = ReportTexts(lang).word(f"metrics.{count.__name__}")
        assert (
            set(metric) == {"short", "name", "text"}
            and metric["text"].endswith((".", "»"))
            and count.__name__ in UNITS
        )
    assert set(BETTER) <= set(UNITS)
    for part in ("metrics", "parts", "tables", "reasons", "units", "digest"):
        russian, english = ReportTexts("ru").word(part), ReportTexts("en").word(part)
        assert isinstance(russian, Mapping) and set(russian) == set(english)
    for table in _report().tables.values():
        assert set(table.columns) == set(ReportTexts(lang).word(f"tables.{table.key}.columns"))


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [("seconds", 4.25, "4,2 с"), ("seconds", 59.6, "1 мин"), ("seconds", 190, "3 мин 10 с"),
    ("seconds", 2460, "41 мин"), ("seconds", 7260, "2 ч 1 мин"),
     ("seconds", 86400 * 3 + 7200, "3 д 2 ч"), ("share", 0.727, "72,7 %"), ("share", 1, "100 %"),
     ("score", 4.567, "4,6"), ("count", 1234, "1\u202f234"), ("count", None, "—")],
)  # fmt: skip
def test_numbers_as_people_read_them(unit: str, value: float | None, said: str) -> None:
    """Minutes and hours, commas and thin spaces."""
    assert ReportTexts("ru").show(unit, value) == said  # type: ignore[arg-type]


def test_a_change_says_whether_it_is_good() -> None:
    """Fewer minutes are good, fewer settled conversations are not, more tickets are neither."""
    report, saying = _report(), ReportTexts("ru")
    slow, fast = replace(report.figures["afrt"], value=240.0), replace(report.figures["afrt"], value=200.0)
    assert (
        saying.change("afrt", fast, slow).mood == "good" and saying.change("afrt", slow, fast).mood == "bad"
    )
    assert (
        saying.change("afrt", fast, slow).text == "−40 с" and saying.change("afrt", fast, fast).text == "±0"
    )
    assert saying.change("containment", replace(fast, value=0.5), replace(fast, value=0.6)).mood == "bad"
    assert (
        saying.change("nst", replace(fast, value=12), replace(fast, value=10)).text == "+20 %"
        and saying.change("nst", fast, slow).mood == ""
    )


def test_one_ticket_counted_by_hand() -> None:
    """What the small story must come to."""
    report = _report()
    values = {k: f.value for k, f in report.figures.items()}
    assert (values["nst"], values["ntb"], values["afrt"], values["mttr"], values["csi"]) == (
        1,
        1,
        300,
        3900,
        4.5,
    )
    assert values["containment"] == 0 and values["service_level"] == 0 and values["bot_reply"] == 2.5
    assert report.before["nst"].value is None, "the service is younger than the period before"


def test_few_ratings_are_not_shown() -> None:
    """Four ratings say nothing; their number is told all the same."""
    report = _report()
    few = make_report(
        ReportFacts(
            tuple(Event("rated", DAY, n, n, data={"rating": 5}) for n in range(4)),
            ZONE,
            lambda a, b: b - a,
            DAY,
        ),
        PERIOD,
    )
    assert few.figures["csi"].value is None and few.figures["csi"].n == 4 and report.figures["csi"].n == 6


def test_exports_open_elsewhere() -> None:
    """CSV for a Russian Excel with no cell a formula; a workbook with a sheet for each table; JSON without
    loss.
    """
    report, saying = _report(), ReportTexts("ru")
    text = to_csv(report, saying)
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))
    assert any(row and row[0] == "'=cmd|calc" for row in rows) and not any(
        cell.startswith("=") for row in rows for cell in row
    )
    book = zipfile.ZipFile(io.BytesIO(to_xlsx(report, saying)))
    assert sum(n.startswith("xl/worksheets/sheet") for n in book.namelist()) == 1 + len(report.tables)
    assert not any(b"<f>" in book.read(n) for n in book.namelist() if "worksheets" in n)
    read = json.loads(json.dumps(to_json(report)))
    assert read["figures"]["afrt"]["value"] == 300 and read["figures"]["nst"]["means"]


ASKED_FOR = {  # what a supervisor was promised, each with its parts
    "nst": (),
    "ntb": ("share", "first_reply", "next_reply", "resolution"),
    "csi": ("asked", "response"),
    "service_level": (),
    "containment": (),
    "containment_naive": (),
    "reopened": (),
    "transferred": (),
    "bot_reply": ("mean", "median", "p90"),
    **dict.fromkeys(
        ("afrt", "mttr"), ("mean", "median", "p90", "calendar_mean", "calendar_median", "calendar_p90")
    ),
}
TABLES = {
    "reasons": {"tickets", "share"},
    "articles": {"shown", "yes", "no", "led"},
    "operators": {"closed", "afrt", "mttr", "csi", "breached"},
    "channels": {"visits", "containment"},
    "topics": {"visits", "containment"},
    "load": {"weekday", "hour", "visits"},
    "days": {"bot", "person"},
}


def test_every_figure_is_in_every_form() -> None:
    """Each figure with its parts and each table, in JSON, in the CSV and in the workbook, with what it means
    printed beside.
    """
    report, saying = _report(), ReportTexts("ru")
    read, text = to_json(report), to_csv(report, saying).decode("utf-8-sig")
    book = zipfile.ZipFile(io.BytesIO(to_xlsx(report, saying)))
    words = html.unescape(
        "".join(book.read(f"xl/{part}.xml").decode() for part in ("workbook", "sharedStrings"))
    )
    for key, parts in ASKED_FOR.items():
        figure = read["figures"][key]  # type: ignore[index]
        assert set(parts) <= set(figure["parts"]) and {"value", "before", "n", "means"} <= set(figure), key
        for shown in (text.replace('""', '"'), words):
            assert saying.name(key) in shown and saying.definition(key, report) in shown, key
    for table, columns in TABLES.items():
        assert columns <= set(report.tables[table].columns) and table in read["tables"]  # type: ignore[operator]
        for shown in (text.replace('""', '"'), words):
            assert (
                saying.word(f"tables.{table}.name") in shown and saying.word(f"tables.{table}.text") in shown
            ), table


def test_the_digest_comes_on_monday() -> None:
    """At nine, local time, once a week; with the figures and why people were called."""
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert next_digest(friday, ZONE) == datetime(2026, 11, 23, 9, tzinfo=ZONE)
    assert next_digest(datetime(2026, 11, 23, 8, 59, tzinfo=ZONE), ZONE) == datetime(
        2026, 11, 23, 9, tzinfo=ZONE
    )
    assert next_digest(datetime(2026, 11, 23, 9, tzinfo=ZONE), ZONE) == datetime(2026, 11, 30, 9, tzinfo=ZONE)
    text = digest(_report(), ReportTexts("ru")).text
    assert (
        "16.11 – 22.11" in text and "попросил человека — 1" in text and "Первый ответ человека: 5 мин" in text
    )


def test_a_ready_answer_that_always_goes_unchanged_is_pointed_at() -> None:
    """In the table, the week's digest and the terminal; one that is made to fit, or seldom sent, is not."""
    ways = {
        "canned:refund": (18, 1),
        "canned:hello": (12, 6),
        "canned:rare": (3, 0),
        "article:delivery": (30, 0),
    }
    events = [
        Event("heard", DAY, 1, data={"channel": "vk", "dialog": "human", "result": "handed_off"}),
        Event("ticket_opened", DAY, 1, 1),
    ]
    for what, (sent, edited) in ways.items():
        for n in range(sent + edited):
            kind = "ready_sent" if n < sent else "ready_edited"
            events.append(
                Event(kind, DAY + timedelta(minutes=n), 1, 1, "vk:7", {"what": what, "title": what.title()})
            )
    report = make_report(
        ReportFacts(tuple(events), ZONE, lambda a, b: b - a, DAY + timedelta(days=1), {}, 60.0), PERIOD
    )
    rows = {r.key: r for r in report.tables["ready"].rows}

    assert {k: (r.cells["sent"], r.cells["edited"]) for k, r in rows.items()} == {
        "refund": (18, 1),
        "hello": (12, 6),
        "rare": (3, 0),
    }
    assert [r.name.startswith("⚠") for r in rows.values()] == [True, False, False]
    assert len(report.cases("ready:refund")) == 19
    told = digest(report, ReportTexts("ru")).text
    assert "Canned:Refund" in told and "Canned:Hello" not in told
    assert report.figures["nst"].n == 1
