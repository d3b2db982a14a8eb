"""Where the simulated week and the report disagreed, or the figure did not say what is printed beside it:
each case once, by hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.model import Event
from bot.reports.ledger import ReportFacts
from bot.reports.periods import Period
from bot.reports.report import Report, make_report
from bot.testing import TestBot

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
PERIOD = Period(date(2026, 11, 16), date(2026, 11, 22), ZoneInfo("Europe/Moscow"))


BEFORE: dict[str, Any] = {"from": "vk:7"}  # a word of Python's own, so it is no keyword


def _event(
    kind: str,
    minutes: float,
    *,
    ticket: int | None = None,
    actor: str = "",
    conversation: int = 1,
    **data: Any,
) -> Event:
    return Event(kind, START + timedelta(minutes=minutes), conversation, ticket, actor, data)


def _heard(minutes: float, result: str = "answered") -> Event:
    return _event("heard", minutes, channel="vk", dialog="faq", result=result, seconds=2.0)


def _report(*events: Event) -> Report:
    return make_report(
        ReportFacts(events, ZoneInfo("Europe/Moscow"), lambda a, b: b - a, START + timedelta(days=1)), PERIOD
    )


OPENED = (_heard(0, "handed_off"), _event("ticket_opened", 0, ticket=1, reason="asked"))


def test_a_ticket_opened_again_is_a_person() -> None:
    """A customer who was answered by the bot and then brought back to their old ticket was not settled by the
    bot.
    """
    closed = (
        _event("first_reply", 5, ticket=1, actor="vk:7"),
        _event("ticket_closed", 9, ticket=1, actor="vk:7"),
    )
    again = (
        _heard(400),
        _event("answered", 400, article="a"),
        _heard(401, "handed_off"),
        _event("ticket_reopened", 401, ticket=1, actor="customer"),
    )
    report = _report(*OPENED, *closed, *again)
    assert (
        report.figures["conversations"].value == 2
        and report.figures["containment_naive"].value == 0
        and report.figures["containment"].value == 0
    )
    assert {r.key: r.cells["led"] for r in report.tables["articles"].rows} == {"a": 1.0}


def test_who_was_given_a_ticket_has_it() -> None:
    """After a transfer the ticket is the other one's: they close it and get its rating; the first answer
    stays the first one's.
    """
    taken = (
        _event("ticket_taken", 1, ticket=1, actor="vk:7"),
        _event("first_reply", 2, ticket=1, actor="vk:7"),
    )
    passed = (*taken, _event("ticket_assigned", 3, ticket=1, actor="vk:8", **BEFORE))
    report = _report(
        *OPENED,
        *passed,
        _event("ticket_closed", 9, ticket=1, actor="vk:8"),
        _event("rated", 20, ticket=1, actor="vk:8", rating=5),
    )
    cells = {r.key: r.cells for r in report.tables["operators"].rows}
    assert (cells["vk:7"]["closed"], cells["vk:8"]["closed"]) == (0, 1) and (
        cells["vk:7"]["ratings"],
        cells["vk:8"]["ratings"],
    ) == (0, 1)
    assert (cells["vk:7"]["afrt"], cells["vk:8"]["afrt"]) == (120, None)
    assert report.figures["transferred"].value == 1


def test_a_move_out_of_the_queue_is_no_transfer() -> None:
    """A ticket that nobody had yet and that goes to another team was not handed on; taken out of somebody's
    hands it was.
    """
    assert _report(*OPENED, _event("ticket_moved", 3, ticket=1, team="b")).figures["transferred"].value == 0
    assert (
        _report(*OPENED, _event("ticket_moved", 3, ticket=1, actor="vk:7", team="b"))
        .figures["transferred"]
        .value
        == 1
    )


def test_solved_by_the_customer_is_resolved() -> None:
    """«Да, решён» after an answer counts for the time to resolve; called off unanswered does not."""
    ends = _event("ticket_closed", 60, ticket=1, actor="customer")
    answered = _report(*OPENED, _event("first_reply", 5, ticket=1, actor="vk:7"), ends)
    assert answered.figures["mttr"].value == 3600 and answered.figures["abandoned"].value == 0
    unanswered = _report(*OPENED, ends)
    assert unanswered.figures["mttr"].n == 0 and unanswered.figures["abandoned"].value == 1


def test_the_topic_is_the_first_article_offered() -> None:
    """Not the first in the alphabet."""
    report = _report(
        _heard(0, "clarified"), _event("clarified", 0, offered=["returns/money", "delivery/time"])
    )
    assert [r.key for r in report.tables["topics"].rows] == ["returns"]


def test_missed_deadlines_by_kind() -> None:
    """Beside NTB stands which promise was broken, and by whom it was held."""
    report = _report(
        *OPENED,
        _event("ticket_taken", 1, ticket=1, actor="vk:7"),
        _event("sla_breached", 30, ticket=1, actor="vk:7", goal="first_reply"),
        _event("sla_breached", 90, ticket=1, actor="vk:8", goal="resolution"),
    )
    ntb = report.figures["ntb"]
    assert ntb.value == 1 and (
        ntb.parts["first_reply"],
        ntb.parts["next_reply"],
        ntb.parts["resolution"],
    ) == (1, 0, 1)
    assert {r.key: r.cells["breached"] for r in report.tables["operators"].rows} == {"vk:7": 1, "vk:8": 1}


async def test_who_puts_a_ticket_off_has_taken_it(testbot: TestBot) -> None:
    """/snooze on a ticket that nobody had makes it the operator's, in the events too: it stands in their
    row.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("/snooze 2h", ticket=1)
    taken = await testbot.service.store.events(kinds=["ticket_taken"])
    assert [(e.ticket, e.actor) for e in taken] == [(1, "telegram:9001")]
