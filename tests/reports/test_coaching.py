"""Who needs which help: with enough cases, against colleagues on the same topic, with the tickets to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import Event, Peer, Ticket
from bot.reports.coaching import CoachingCase, coaching
from bot.reports.ledger import ReportFacts, open_ledger
from bot.reports.periods import last_days

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Moscow")
NAMES, ARTICLES = {"Возврат": "Возврат"}, {"Возврат": ["return"]}


def _cases(*tickets: tuple[str, int, int], scored: float | None = None) -> tuple[CoachingCase, ...]:
    """Each ticket: who answered, in how many minutes it was solved, its rating (0 = none)."""
    events, known = list[Event](), dict[int, Ticket]()
    for number, (by, minutes, rating) in enumerate(tickets, 1):
        peer = Peer("telegram", str(number))
        known[number] = Ticket(number, number, peer, topic="Возврат", operator=by, operator_name=by.title())
        at = NOON + timedelta(minutes=number)
        steps: list[tuple[str, int, str, dict[str, object]]] = [
            ("ticket_opened", 0, "", {}),
            ("ticket_taken", 1, by, {}),
            ("first_reply", 1, by, {}),
            ("ticket_closed", minutes, by, {}),
        ]
        steps += [("rated", minutes + 5, "", {"rating": rating})] if rating else []
        steps += (
            [("dialog_scored", minutes + 6, "", {"score": scored, "of": by})] if scored is not None else []
        )
        events += [Event(k, at + timedelta(minutes=m), number, number, a, d) for k, m, a, d in steps]
    events.sort(key=lambda e: e.at or NOON)
    facts = ReportFacts(tuple(events), ZONE, lambda start, end: end - start, NOON + timedelta(days=1), known)
    return coaching(open_ledger(facts), last_days(2, NOON, ZONE), NAMES, ARTICLES)


def test_low_ratings_and_a_slow_hand_are_reasons_with_examples() -> None:
    """Three reasons for Vera; Olga, whose tickets are as good as usual, is not listed."""
    vera = [("vera", 60, 2), ("vera", 70, 3), ("vera", 80, 1), ("vera", 60, 0)]
    (case,) = _cases(*vera, *[("olga", 10, 5)] * 5)

    assert (case.name, case.topic, case.tickets) == ("Vera", "Возврат", 4)
    assert case.why == ("low_rating", "slow", "no_article") and case.articles == ("return",)
    assert [s.rating for s in case.examples] == [1, 2, 3]


def test_few_cases_and_an_unused_article_alone_are_no_reason() -> None:
    """Three tickets are chance; good answers without the article are good answers."""
    assert _cases(*[("vera", 60, 1)] * 3, *[("olga", 10, 5)] * 5) == ()


def test_a_low_scorecard_is_a_reason() -> None:
    (case,) = _cases(*[("vera", 10, 0)] * 4, scored=0.4)
    assert case.why == ("low_score", "no_article") and case.score == 0.4
