"""The report tells of scores, playbooks and compensations; few dialogs make no mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import Event
from bot.reports.ledger import ReportFacts
from bot.reports.periods import last_days
from bot.reports.report import Report, make_report

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Moscow")
OLGA = "telegram:1"


def _report(*events: Event) -> Report:
    facts = ReportFacts(events, ZONE, lambda start, end: end - start, NOON + timedelta(hours=1))
    return make_report(facts, last_days(2, NOON, ZONE))


def _event(kind: str, ticket: int, actor: str = "", **data: object) -> Event:
    return Event(kind, NOON, conversation=ticket, ticket=ticket, actor=actor, data=data)


def test_scores_count_once_and_only_the_sample_is_the_supervisors() -> None:
    events = [_event("dialog_scored", n, of=OLGA, score=0.5) for n in range(1, 6)]
    events += [_event("dialog_scored", 1, of=OLGA, score=1.0)]  # closed again: the newest counts
    events += [_event("dialog_reviewed", n, of=OLGA, score=0.0, reason="low_rating") for n in range(1, 4)]
    events += [_event("dialog_reviewed", 4, of=OLGA, score=1.0, reason="sample")]
    (row,) = _report(*events).tables["scores"].rows
    assert dict(row.cells) == {"scored": 5.0, "by_itself": 0.6, "sampled": 1.0, "by_supervisor": None}


def test_playbooks_and_compensations() -> None:
    report = _report(
        _event("playbook_ended", 1, playbook="return", steps=5, done=4, required_open=0),
        _event("playbook_ended", 2, playbook="return", title="Возврат", steps=5, done=1, required_open=2),
        _event("compensation_given", 1, OLGA, amount=300.0),
        _event("compensation_asked", 2, OLGA, amount=1500.0),
        _event("compensation_asked", 3, OLGA, amount=9000.0),
        _event("compensation_decided", 2, "telegram:9", of=OLGA, amount=1500.0, decision="yes"),
        _event("compensation_decided", 3, "telegram:9", of=OLGA, amount=9000.0, decision="no"),
    )
    (playbook,) = report.tables["playbooks"].rows
    assert dict(playbook.cells) == {"tickets": 2.0, "steps_done": 0.5, "required_open": 1.0}
    assert (playbook.key, playbook.name) == ("return", "Возврат")
    (olga,) = report.tables["compensations"].rows
    assert dict(olga.cells) == {"given": 1.0, "asked": 2.0, "allowed": 1.0, "refused": 1.0, "sum": 1800.0}
    assert [case.ticket for case in report.cases("compensations:telegram:1")] == [1, 2, 3, 2, 3]


def test_where_there_is_nothing_no_table_is_shown() -> None:
    assert not {"scores", "playbooks", "compensations"} & set(_report(_event("heard", 1)).tables)
