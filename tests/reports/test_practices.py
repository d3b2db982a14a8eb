"""What surrounds a conversation stands in the report as one table, in words of either language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.model import Event
from bot.reports.channels import of_channel
from bot.reports.export import to_csv, to_json
from bot.reports.ledger import ReportFacts
from bot.reports.periods import last_days
from bot.reports.practices import ROWS
from bot.reports.report import Report, make_report
from bot.reports.texts import ReportTexts, row_name

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Moscow")


def _report(*events: Event) -> Report:
    facts = ReportFacts(events, ZONE, lambda start, end: end - start, NOON + timedelta(hours=1))
    return make_report(facts, last_days(2, NOON, ZONE))


def _event(kind: str, who: int = 1, **data: object) -> Event:
    return Event(kind, NOON, conversation=who, data=data)


def test_each_is_counted_for_what_it_is() -> None:
    """A broadcast that is no questionnaire is none here; a questionnaire is no flow of a customer's own."""
    report = _report(
        _event("broadcast_started", number="b1", questionnaire="osen"),
        _event("broadcast_started", number="b2"),
        _event("broadcast_said", 1, number="b1"),
        _event("broadcast_said", 2, number="b1"),
        _event("broadcast_said", 2, number="b2"),
        _event("flow_started", 1, flow="osen", number="b1"),
        _event("flow_ended", 1, flow="osen", number="b1", ending="expired"),
        _event("flow_started", 3, flow="pickup"),
        _event("flow_ended", 3, flow="pickup", ending="article"),
        _event("sequence_ended", 4, number="care", why="done"),
        _event("consent_given", 5, version="1"),
        _event("consent_given", 6, version="2"),
    )
    table = report.tables["after"]
    assert {r.key: r.cells["count"] for r in table.rows} == {
        "questionnaire_sent": 2.0,
        "questionnaire_begun": 1.0,
        "flow_begun": 1.0,
        "flow_done": 1.0,
        "consent_given:1": 1.0,
        "consent_given:2": 1.0,
    }
    assert [case.conversation for case in report.cases("after:questionnaire_sent")] == [1, 2]
    assert "after" not in _report(_event("heard")).tables


def test_a_channel_keeps_its_own() -> None:
    """A questionnaire is ordered in the operators' group and counted where it was sent."""
    facts = ReportFacts(
        (
            _event("broadcast_started", 99, number="b1", questionnaire="osen"),
            _event("broadcast_said", 1, number="b1", channel="telegram"),
            _event("broadcast_said", 2, number="b1", channel="vk"),
            _event("sequence_said", 3, number="care", channel="vk"),
        ),
        ZONE,
        lambda start, end: end - start,
        NOON + timedelta(hours=1),
    )
    rows = make_report(of_channel(facts, "vk"), last_days(2, NOON, ZONE)).tables["after"].rows
    assert [(r.key, r.cells["count"]) for r in rows] == [("sequence_said", 1.0), ("questionnaire_sent", 1.0)]


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_rows_are_called_by_words(lang: str) -> None:
    saying, report = ReportTexts(lang), _report(_event("consent_given", version="2026-11"))
    for key in ROWS:
        assert row_name(report, "after", key, key, saying) != key
    named = row_name(report, "after", "consent_given:2026-11", "", saying)
    assert "2026-11" in named and named in to_csv(report, saying).decode()
    assert to_json(report)["tables"]["after"][0]["count"] == 1.0  # type: ignore[index]


def test_what_was_asked_of_the_assistant_is_counted_by_task() -> None:
    """Sent, edited and dropped apart; what the bot asked for at a handover is nobody's."""
    by = [
        ("assistant_requested", "telegram:1"),
        ("assistant_sent", "telegram:1"),
        ("assistant_requested", "bot"),
    ]
    more = [("assistant_requested", "telegram:2"), ("assistant_edited", "telegram:2")]
    events = [Event(kind, NOON, 1, 7, actor, {"task": "draft"}) for kind, actor in (*by, *more)]
    report = _report(*events, Event("assistant_failed", NOON, 1, 7, "telegram:1", {"task": "summary"}))
    rows = {r.key: r.cells for r in report.tables["assistant"].rows}
    assert rows["draft"] == {"asked": 2.0, "sent": 1.0, "edited": 1.0, "dropped": 0.0, "failed": 0.0}
    assert rows["summary"]["failed"] == 1.0 and len(report.cases("assistant:draft")) == 2
    for lang in ("ru", "en"):
        assert row_name(report, "assistant", "draft", "draft", ReportTexts(lang)) != "draft"
    assert "assistant" not in _report(_event("heard")).tables
