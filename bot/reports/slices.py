"""Volumes, answers, waits and ratings side by side: by channel, topic, tag and category, beside the period
before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from bot.reports.ledger import Ledger, TicketStory, Visit
from bot.reports.metrics import FEW, is_contained, mean_of, working_seconds
from bot.reports.periods import Period
from bot.reports.tables import Cell, Table, TableRow

VISITS = ("visits", "person", "containment", "afrt", "csi", "ratings")
TICKETS = ("tickets", "afrt", "csi", "ratings", "reopened")
COUNTED = frozenset({"visits", "person", "tickets", "ratings"})  # 0 where there was nothing
BEFORE = "before_"  # begins the names of the cells of the period before
UNKNOWN = "unknown"
Sides = Callable[[Visit], Collection[str]]


def channels(ledger: Ledger, period: Period, before: Period | None) -> Table:
    """By where the conversation is held."""
    return _of_visits("channels", ledger, period, before, lambda v: (v.channel or UNKNOWN,))


def topics(ledger: Ledger, period: Period, before: Period | None, names: Mapping[str, str]) -> Table:
    """By topic; *names* gives articles' topics by id and title."""
    return _of_visits("topics", ledger, period, before, lambda v: (topic_of(v, ledger, names),))


def topic_of(visit: Visit, ledger: Ledger, names: Mapping[str, str]) -> str:
    """The topic of the article that was shown (or offered) first, else the ticket's own."""
    known, articles = ledger.facts.tickets, [*visit.shown, *visit.offered]
    if articles:
        return names.get(articles[0]) or articles[0].rpartition("/")[0] or articles[0]
    own = next((known[t].topic for t in visit.tickets if t in known and known[t].topic), "")
    return names.get(own, own) or UNKNOWN


def tags(ledger: Ledger, period: Period, before: Period | None, of: Mapping[str, Collection[str]]) -> Table:
    """By the tags of the article that was shown (or offered) first and those of the tickets; a visit with
    several counts under each, one without any nowhere. *of* gives the tags of articles by id.
    """
    stories = ledger.stories

    def sides(visit: Visit) -> Collection[str]:
        first = [*visit.shown, *visit.offered][:1]
        own = [t for number in visit.tickets if number in stories for t in stories[number].tags]
        return dict.fromkeys([t.casefold() for a in first for t in of.get(a, ())] + own)

    return _of_visits("tags", ledger, period, before, sides)


def categories(ledger: Ledger, period: Period, before: Period | None) -> Table:
    """Tickets by the reason that operators chose when they closed them."""

    def counted(days: Period) -> dict[str, list[TicketStory]]:
        found: dict[str, list[TicketStory]] = defaultdict(list)
        for story in ledger.opened(days):
            ticket = ledger.facts.tickets.get(story.number)
            found[(ticket.category if ticket else "") or UNKNOWN].append(story)
        return found

    now, earlier = counted(period), counted(before) if before else None
    cells = {name: _ticket_cells(ledger, period, stories) for name, stories in now.items()}
    was = {n: _ticket_cells(ledger, before, s) for n, s in earlier.items()} if earlier and before else {}
    return _table("categories", TICKETS, now, cells, was, before)


def _of_visits(key: str, ledger: Ledger, period: Period, before: Period | None, sides: Sides) -> Table:
    def counted(days: Period) -> dict[str, list[Visit]]:
        found: dict[str, list[Visit]] = defaultdict(list)
        for visit in ledger.come(days):
            for name in sides(visit):
                found[name].append(visit)
        return found

    now, earlier = counted(period), counted(before) if before else None
    cells = {name: _visit_cells(ledger, period, seen) for name, seen in now.items()}
    was = {n: _visit_cells(ledger, before, seen) for n, seen in earlier.items()} if earlier and before else {}
    return _table(key, VISITS, now, cells, was, before)


def _visit_cells(ledger: Ledger, period: Period, seen: Sequence[Visit]) -> dict[str, Cell]:
    numbers = dict.fromkeys(t for v in seen for t in v.tickets)
    stories = [s for n in numbers if (s := ledger.stories.get(n)) and period.holds(s.opened)]
    waits = _ticket_cells(ledger, period, stories)
    return {
        "visits": float(len(seen)),
        "person": float(sum(bool(v.tickets) for v in seen)),
        "containment": mean_of([float(is_contained(v)) for v in seen]),
        **{k: waits[k] for k in ("afrt", "csi", "ratings")},
    }


def _ticket_cells(ledger: Ledger, period: Period, stories: Sequence[TicketStory]) -> dict[str, Cell]:
    waits = [w for s in stories if (w := working_seconds(ledger, s.opened, s.reply)) is not None]
    scores = [float(s.rating) for s in stories if s.rating is not None]
    return {
        "tickets": float(len(stories)),
        "afrt": mean_of(waits),
        "csi": mean_of(scores) if len(scores) >= FEW else None,
        "ratings": float(len(scores)),
        "reopened": mean_of([float(bool(s.reopened)) for s in stories]),
    }


def _table(
    key: str,
    columns: tuple[str, ...],
    now: Mapping[str, Sequence[Visit]] | Mapping[str, Sequence[TicketStory]],
    cells: Mapping[str, Mapping[str, Cell]],
    was: Mapping[str, Mapping[str, Cell]],
    before: Period | None,
) -> Table:
    rows = []
    for name in sorted(now, key=lambda n: (-len(now[n]), n)):
        nothing = {c: 0.0 if c in COUNTED else None for c in columns}
        beside = {f"{BEFORE}{c}": was.get(name, nothing)[c] for c in columns} if before else {}
        rows.append(TableRow(name, name, {**cells[name], **beside}, now[name]))
    return Table(key, columns, tuple(rows), columns if before else ())
