"""What the figures look like from each side: by day, by hour, by reason, article and operator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.reports.ledger import Ledger, TicketStory, Visit
from bot.reports.metrics import FEW, FigureCase, mean_of, working_seconds
from bot.reports.periods import Period

Cell = str | float | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: what it is about (`key`, shown as `name`), its numbers by column, and what it was
    counted from.
    """

    key: str
    name: str
    cells: Mapping[str, Cell]
    of: Sequence[Visit] | Sequence[TicketStory] | Sequence[FigureCase] = ()

    @property
    def cases(self) -> tuple[FigureCase, ...]:
        """The cases behind the row; made when somebody looks."""
        return tuple(_case(thing) for thing in self.of)


@dataclass(slots=True)
class OperatorShare:
    """The tickets in which an operator had a part, by what it was."""

    taken: list[TicketStory] = field(default_factory=list)
    answered: list[TicketStory] = field(default_factory=list)
    closed: list[TicketStory] = field(default_factory=list)
    rated: list[TicketStory] = field(default_factory=list)
    late: list[TicketStory] = field(default_factory=list)

    def all(self) -> list[TicketStory]:
        """Each ticket once."""
        every = (*self.taken, *self.answered, *self.closed, *self.rated, *self.late)
        return list({s.number: s for s in every}.values())


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same columns; column names have their words in words/*.yaml.

    Of the columns in `compared` the rows have the cells of the period before, too: "before_" and the name.
    """

    key: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    compared: tuple[str, ...] = ()


def days(ledger: Ledger, period: Period) -> Table:
    """Visits by day: settled by the bot alone, or with a person."""
    by_day: dict[date, list[Visit]] = {day: [] for day in period.days()}
    for visit in ledger.come(period):
        by_day[visit.start.astimezone(period.zone).date()].append(visit)
    rows = [
        TableRow(
            day.isoformat(),
            day.isoformat(),
            {
                "bot": float(sum(not v.tickets for v in seen)),
                "person": float(sum(bool(v.tickets) for v in seen)),
            },
            seen,
        )
        for day, seen in by_day.items()
    ]
    return Table("days", ("bot", "person"), tuple(rows))


def load(ledger: Ledger, period: Period) -> Table:
    """Visits by weekday (1 = Monday) and hour of their beginning; the key is "weekday-hour"."""
    grid: dict[tuple[int, int], list[Visit]] = {(w, h): [] for w in range(1, 8) for h in range(24)}
    for visit in ledger.come(period):
        local = visit.start.astimezone(period.zone)
        grid[local.isoweekday(), local.hour].append(visit)
    rows = [
        TableRow(
            f"{w}-{h}", f"{w}-{h}", {"weekday": float(w), "hour": float(h), "visits": float(len(seen))}, seen
        )
        for (w, h), seen in grid.items()
    ]
    return Table("load", ("weekday", "hour", "visits"), tuple(rows))


def reasons(ledger: Ledger, period: Period) -> Table:
    """Why people were called, the most frequent first."""
    found: dict[str, list[TicketStory]] = defaultdict(list)
    stories = ledger.opened(period)
    for story in stories:
        found[story.reason or "unknown"].append(story)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return Table(
        "reasons",
        ("tickets", "share"),
        tuple(
            TableRow(r, r, {"tickets": float(len(s)), "share": len(s) / len(stories)}, s) for r, s in ranked
        ),
    )


def articles(ledger: Ledger, period: Period, titles: Mapping[str, str]) -> Table:
    """How each article did: shown, helped, did not help, and how often a person was called after it.

    All *titles* are listed.
    """
    shown: Counter[str] = Counter()
    led: Counter[str] = Counter()
    seen: dict[str, list[Visit]] = defaultdict(list)
    for visit in ledger.come(period):
        shown.update(visit.shown)
        led.update([visit.led] if visit.led else [])
        for article in dict.fromkeys(visit.shown):
            seen[article].append(visit)
    yes, no = _feedback(ledger, period)
    rows = []
    for article in sorted({*shown, *titles}, key=lambda a: (-shown[a], titles.get(a, a))):
        told = yes[article] + no[article]
        cells: dict[str, Cell] = {
            "shown": float(shown[article]),
            "yes": float(yes[article]),
            "no": float(no[article]),
            "helped_share": yes[article] / told if told else None,
            "led": float(led[article]),
        }
        rows.append(TableRow(article, titles.get(article, article), cells, seen[article]))
    return Table("articles", ("shown", "yes", "no", "helped_share", "led"), tuple(rows))


def _feedback(ledger: Ledger, period: Period) -> tuple[Counter[str], Counter[str]]:
    yes: Counter[str] = Counter()
    no: Counter[str] = Counter()
    for event in ledger.facts.events:
        if event.kind == "feedback" and period.holds(event.at):
            (yes if event.data.get("helped") is True else no)[str(event.data.get("article") or "")] += 1
    return yes, no


def operators(ledger: Ledger, period: Period) -> Table:
    """What each operator did in the period.

    A ticket is the one's who took it (or was given it) last; times are working time.
    """
    names = {t.operator: t.operator_name for t in ledger.facts.tickets.values() if t.operator}
    deeds: dict[str, OperatorShare] = defaultdict(OperatorShare)
    for story in ledger.stories.values():
        for operator in {by for at, by in story.taken if period.holds(at)} | (
            {story.replied_by} if period.holds(story.reply) else set()
        ):
            deeds[operator].taken.append(story)
        if story.replied_by and period.holds(story.opened):
            deeds[story.replied_by].answered.append(story)
        if story.operator and period.holds(story.resolved):
            deeds[story.operator].closed.append(story)
        if story.operator and period.holds(story.rated) and story.rating is not None:
            deeds[story.operator].rated.append(story)
        for operator in {by for at, _, by in story.breaches if by and period.holds(at)}:
            deeds[operator].late.append(story)
    deeds.pop("", None)
    rows = []
    for operator, his in deeds.items():
        replies = [w for s in his.answered if (w := working_seconds(ledger, s.opened, s.reply)) is not None]
        solved = [w for s in his.closed if (w := working_seconds(ledger, s.opened, s.resolved)) is not None]
        scores = [float(s.rating) for s in his.rated if s.rating is not None]
        cells: dict[str, Cell] = {
            "taken": float(len(his.taken)),
            "closed": float(len(his.closed)),
            "afrt": mean_of(replies),
            "mttr": mean_of(solved),
            "csi": mean_of(scores) if len(scores) >= FEW else None,
            "ratings": float(len(scores)),
            "breached": float(len(his.late)),
        }
        rows.append(
            TableRow(
                operator,
                names.get(operator) or operator,
                cells,
                [s for s in his.all() if s.opened is not None],
            )
        )
    rows.sort(key=lambda r: (-float(r.cells["closed"] or 0), r.name))
    return Table("operators", ("taken", "closed", "afrt", "mttr", "csi", "ratings", "breached"), tuple(rows))


def _case(thing: Visit | TicketStory | FigureCase) -> FigureCase:
    if isinstance(thing, FigureCase):
        return thing
    if isinstance(thing, Visit):
        return FigureCase(thing.conversation, thing.start, thing.tickets[-1] if thing.tickets else None)
    assert thing.opened is not None
    return FigureCase(thing.conversation, thing.opened, thing.number)
