"""Who needs which article or training: operators whose tickets on a topic go worse than those of their
colleagues, with the tickets to talk about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bot.reports.ledger import Ledger, TicketStory
from bot.reports.metrics import mean_of, working_seconds
from bot.reports.periods import Period

LEAST = 4  # tickets of an operator on a topic below which nothing is said
RATED, SCORED = 3, 3  # ratings, and scorecards
LOW = 3.5  # a mean rating below it, of those
POOR = 0.6  # a mean of the scorecard below it
SLOWER = 1.5  # times the median of the others
UNUSED, EDITED = 0.75, 0.5  # shares of tickets without the article that exists, of ready answers made anew
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class CoachingCase:
    """An operator and a topic. `why` are the reasons: low_rating, low_score, slow, no_article, edited; the
    figures are None where there are too few to say anything.
    """

    operator: str
    name: str
    topic: str
    tickets: int
    why: tuple[str, ...]
    rating: float | None
    score: float | None
    seconds: float | None
    others: float | None
    unused: float | None
    edited: float | None
    articles: tuple[str, ...]
    examples: tuple[TicketStory, ...]


def coaching(
    ledger: Ledger, period: Period, names: Mapping[str, str], articles: Mapping[str, Sequence[str]]
) -> tuple[CoachingCase, ...]:
    """Operators and topics with a reason to talk, the most reasons first. *names* gives the topic of a
    ticket's or an article's name, *articles* those of a topic.
    """
    found: dict[tuple[str, str], list[TicketStory]] = defaultdict(list)
    for story in ledger.opened(period):
        ticket = ledger.facts.tickets.get(story.number)
        topic = names.get(ticket.topic, ticket.topic) if ticket else ""
        if topic and story.operator and story.reply is not None:
            found[story.operator, topic].append(story)
    used, edited, scores = _used(ledger)
    people = {t.operator: t.operator_name for t in ledger.facts.tickets.values() if t.operator}
    cases = []
    for (operator, topic), stories in found.items():
        if len(stories) < LEAST:
            continue
        others = [s for (by, of), more in found.items() if of == topic and by != operator for s in more]
        own, theirs = _seconds(ledger, stories), _seconds(ledger, others)
        ratings = [float(s.rating) for s in stories if s.rating is not None]
        marks = [scores[s.number] for s in stories if s.number in scores]
        ready = [s for s in stories if s.number in used]
        figures = {
            "rating": mean_of(ratings) if len(ratings) >= RATED else None,
            "score": mean_of(marks) if len(marks) >= SCORED else None,
            "seconds": median(own) if own else None,
            "others": median(theirs) if len(theirs) >= LEAST else None,
            "unused": 1 - len(ready) / len(stories) if articles.get(topic) else None,
            "edited": mean_of([float(s.number in edited) for s in ready]) if len(ready) >= RATED else None,
        }
        if why := _reasons(figures):
            worst = sorted(stories, key=lambda s: (s.rating or 6, scores.get(s.number, 1.0), s.number))
            cases.append(
                CoachingCase(
                    operator,
                    people.get(operator) or operator,
                    topic,
                    len(stories),
                    why,
                    articles=tuple(articles.get(topic, ())),
                    examples=tuple(worst[:EXAMPLES]),
                    **figures,
                )
            )
    return tuple(sorted(cases, key=lambda c: (-len(c.why), -c.tickets, c.name, c.topic)))


def _reasons(of: Mapping[str, float | None]) -> tuple[str, ...]:
    """That the article was not used alone is no reason: the answer may have been good without it."""

    def below(key: str, limit: float) -> bool:
        value = of[key]
        return value is not None and value < limit

    seconds, others = of["seconds"], of["others"]
    slow = seconds is not None and others is not None and others > 0 and seconds > SLOWER * others
    told = [
        *(["low_rating"] if below("rating", LOW) else []),
        *(["low_score"] if below("score", POOR) else []),
        *(["slow"] if slow else []),
        *(["edited"] if (of["edited"] or 0) > EDITED else []),
    ]
    return (*told, *(["no_article"] if told and (of["unused"] or 0) >= UNUSED else []))


def _used(ledger: Ledger) -> tuple[set[int], set[int], dict[int, float]]:
    """Tickets in which an article or a ready answer was sent, those in which it was made anew first, and the
    newest scorecard of each.
    """
    used, edited, scores = set[int](), set[int](), dict[int, float]()
    for event in ledger.facts.events:
        if event.ticket is None:
            continue
        if event.kind in ("ready_sent", "ready_edited"):
            used.add(event.ticket)
            if event.kind == "ready_edited":
                edited.add(event.ticket)
        score = event.data.get("score")
        if event.kind in ("dialog_scored", "dialog_reviewed") and isinstance(score, (int, float)):
            scores[event.ticket] = float(score)
    return used, edited, scores


def _seconds(ledger: Ledger, stories: Sequence[TicketStory]) -> list[float]:
    """Working time from opening to closing."""
    spans = (working_seconds(ledger, s.opened, s.resolved) for s in stories)
    return [s for s in spans if s is not None]
