"""What happened, put in order: visits of customers and the stories of tickets, both read from the events
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import Event, Ticket
from bot.reports.periods import Period

SILENCE = timedelta(
    hours=4
)  # after so long without a word (and without an open ticket) the next word begins a new visit
RETURN = timedelta(hours=72)  # who asks about the same again within it was not helped
BEFORE = timedelta(days=7)  # how far before a period events are wanted, so that what began earlier is known
PRACTICES = (
    "sequence_said",
    "sequence_ended",
    "check_in_asked",
    "check_in_answered",
    "consent_given",
    "consent_refused",
    "consent_withdrawn",
    "broadcast_started",
    "broadcast_said",
    "flow_started",
    "flow_ended",
    "upset_customer",
)  # what surrounds a conversation: counted by itself, no part of a visit or of a ticket's story
ASSISTANT = (  # what operators asked it for, and what became of that
    "assistant_requested",
    "assistant_sent",
    "assistant_edited",
    "assistant_dropped",
    "assistant_failed",
)
KINDS = (
    "heard",
    "answered",
    "clarified",
    "not_helped",
    "unanswered",
    "feedback",
    "ticket_opened",
    "ticket_taken",
    "first_reply",
    "ticket_closed",
    "ticket_assigned",
    "ticket_moved",
    "ticket_reopened",
    "ticket_transferred",
    "ticket_tagged",
    "sla_breached",
    "rating_asked",
    "rated",
    "ready_sent",
    "ready_edited",
    "nps_asked",
    "nps_scored",
    "mystery_begun",
    "dialog_scored",
    "dialog_reviewed",
    "playbook_ended",
    "compensation_given",
    "compensation_asked",
    "compensation_decided",
    "demo",
    *PRACTICES,
    *ASSISTANT,
)
COMMENTS = "comments"  # the dialog of public words
_LEFT_ALONE = ("ignored", "carried")
_OURS = frozenset({"rating", "nps", "outreach"})  # dialogs that the service began itself
_NO_STORY = frozenset(
    {
        "heard",
        "answered",
        "clarified",
        "feedback",
        "unanswered",
        "ready_sent",
        "ready_edited",
        "dialog_scored",
        "dialog_reviewed",
        "playbook_ended",
        "compensation_given",
        "compensation_asked",
        "compensation_decided",
        *PRACTICES,
        *ASSISTANT,
    }
)


@dataclass(slots=True)
class Visit:
    """What a customer came for in one go. `asked`: they wanted something, and did more than say hello."""

    conversation: int
    start: datetime
    end: datetime
    channel: str = ""
    turns: int = 0
    shown: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    helped: int = 0
    not_helped: int = 0
    unanswered: int = 0
    tickets: tuple[int, ...] = ()
    led: str = ""  # the article that was shown last before a person was called
    wait: float | None = None  # seconds from the first words to the bot's own answer
    over: bool = False
    returned: bool = False  # the customer came again about the same

    @property
    def asked(self) -> bool:
        return bool(self.shown or self.offered or self.tickets or self.unanswered)

    @property
    def topics(self) -> set[str]:
        return {*self.shown, *self.offered}


@dataclass(slots=True)
class TicketStory:
    """A ticket's way from opening to closing."""

    number: int
    conversation: int = 0
    channel: str = ""
    opened: datetime | None = None
    reason: str = ""
    taken: list[tuple[datetime, str]] = field(default_factory=list)
    reply: datetime | None = None
    replied_by: str = ""
    closed: list[tuple[datetime, str]] = field(default_factory=list)
    reopened: list[datetime] = field(default_factory=list)
    transferred: list[tuple[datetime, str]] = field(default_factory=list)
    breaches: list[tuple[datetime, str, str]] = field(
        default_factory=list
    )  # when, which deadline, who had it
    asked: list[datetime] = field(default_factory=list)
    rated: datetime | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def operator(self) -> str:
        """Who answers for it: the last one who took it, else who answered first."""
        return self.taken[-1][1] if self.taken else self.replied_by

    @property
    def resolved(self) -> datetime | None:
        """When it was closed for good; None while it is open, or when the customer called it off
        unanswered.
        """
        if not self.closed or (self.closed[-1][1] == "customer" and self.reply is None):
            return None
        at = self.closed[-1][0]
        return None if any(r > at for r in self.reopened) else at


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything figures are counted from.

    *working* says how much of a stretch people were there; *now* is where knowledge ends.
    """

    events: tuple[Event, ...]
    zone: ZoneInfo
    working: Callable[[datetime, datetime], timedelta]
    now: datetime
    tickets: Mapping[int, Ticket] = field(
        default_factory=dict
    )  # for names, topics, and tickets older than the events
    answer_within: float = 20.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The facts in order; made once, counted for several periods, of which it remembers its parts."""

    facts: ReportFacts
    visits: tuple[Visit, ...]
    stories: Mapping[int, TicketStory]
    _come: dict[Period, tuple[Visit, ...]] = field(default_factory=dict, compare=False)
    _opened: dict[Period, tuple[TicketStory, ...]] = field(default_factory=dict, compare=False)

    def come(self, period: Period) -> tuple[Visit, ...]:
        """Visits that began in the period and in which something was wanted."""
        if period not in self._come:
            self._come[period] = tuple(v for v in self.visits if period.holds(v.start) and v.asked)
        return self._come[period]

    def opened(self, period: Period) -> tuple[TicketStory, ...]:
        """Tickets opened in the period."""
        if period not in self._opened:
            self._opened[period] = tuple(s for s in self.stories.values() if period.holds(s.opened))
        return self._opened[period]


def without_played(events: Iterable[Event]) -> list[Event]:
    """The events without those of mystery customers, who are no customers in any figure; `mystery_begun` has
    to be among the kinds that were read.
    """
    known = list(events)
    played = {e.conversation for e in known if e.kind == "mystery_begun"}
    return [e for e in known if e.conversation is None or e.conversation not in played]


def open_ledger(facts: ReportFacts) -> Ledger:
    """Put the events in order."""
    visits = _visits(facts.events)
    channels = {v.conversation: v.channel for v in visits if v.channel}
    return Ledger(facts, tuple(visits), _stories(facts, channels))


def _visits(events: Iterable[Event]) -> list[Visit]:
    done: list[Visit] = []
    current: dict[int, Visit] = {}
    open_tickets: dict[int, int] = {}
    for event in events:
        if event.at is None or event.conversation is None:
            continue
        own = event.conversation
        visit = current.get(own)
        if event.kind == "heard":
            if event.data.get("dialog") in _OURS:
                continue  # an answer to our question is not a visit
            if event.data.get("dialog") == COMMENTS and event.data.get("result") in _LEFT_ALONE:
                continue  # nor is what people say under a post without asking us anything
            if visit is None or visit.over or (own not in open_tickets and event.at - visit.end > SILENCE):
                visit = Visit(own, event.at, event.at, str(event.data.get("channel", "")))
                current[own] = visit
                done.append(visit)
            visit.end, visit.turns = event.at, visit.turns + 1
            if visit.wait is None and event.data.get("result") in ("answered", "clarified", "handed_off"):
                visit.wait = _number(event.data.get("seconds"))
        elif event.kind == "ticket_closed":
            open_tickets.pop(own, None)
            if visit is not None:
                visit.over, visit.end = True, max(visit.end, event.at)
        elif event.kind == "ticket_reopened":
            if event.ticket is not None:
                open_tickets[own] = event.ticket
            if visit is not None:
                visit.over = False
                _call_person(visit, event.ticket)
        elif visit is not None:
            _note(visit, event, open_tickets)
    _mark_returns(done)
    return done


def _note(visit: Visit, event: Event, open_tickets: dict[int, int]) -> None:
    article = str(event.data.get("article") or "")
    if event.kind == "answered":
        visit.shown += (article,)
    elif event.kind in ("clarified", "not_helped"):
        offered = event.data.get("offered")
        visit.offered += tuple(str(a) for a in offered) if isinstance(offered, (list, tuple)) else ()
    elif event.kind == "unanswered":
        visit.unanswered += 1
    elif event.kind == "feedback":
        good = event.data.get("helped") is True
        visit.helped, visit.not_helped = visit.helped + good, visit.not_helped + (not good)
    elif event.kind == "ticket_opened" and event.ticket is not None:
        _call_person(visit, event.ticket)
        open_tickets[visit.conversation] = event.ticket


def _call_person(visit: Visit, ticket: int | None) -> None:
    """A person has come to the visit, with a new ticket or one that is opened again."""
    if ticket is not None and ticket not in visit.tickets:
        visit.tickets += (ticket,)
        visit.led = visit.shown[-1] if visit.shown else ""


def _mark_returns(visits: Iterable[Visit]) -> None:
    """Visits come in the order of their start."""
    before: dict[int, list[Visit]] = {}
    for visit in visits:
        earlier = before.setdefault(visit.conversation, [])
        for old in earlier:
            if timedelta() <= visit.start - old.end <= RETURN and old.topics & visit.topics:
                old.returned = True
        earlier[:] = [old for old in earlier if visit.start - old.end <= RETURN] + [visit]


def _stories(facts: ReportFacts, channels: Mapping[int, str]) -> dict[int, TicketStory]:
    found: dict[int, TicketStory] = {}
    for event in facts.events:
        if event.ticket is None or event.at is None or event.kind in _NO_STORY:
            continue
        story = found.get(event.ticket)
        if story is None:
            known = facts.tickets.get(event.ticket)
            story = found[event.ticket] = TicketStory(
                event.ticket, event.conversation or 0, channels.get(event.conversation or 0, "")
            )
            if known is not None:  # opened before the events that were read
                story.opened, story.reply, story.reason = known.opened, known.first_reply, known.reason
                story.channel = known.customer_peer.channel
                if known.operator and known.taken is not None and known.taken < event.at:
                    story.taken.append((known.taken, known.operator))
        _tell(story, event, event.at)
    return found


def _tell(story: TicketStory, event: Event, at: datetime) -> None:
    match event.kind:
        case "ticket_opened":
            story.opened, story.reason, story.conversation = (
                at,
                str(event.data.get("reason") or ""),
                event.conversation or story.conversation,
            )
        case "ticket_taken":
            story.taken.append((at, event.actor))
        case "ticket_assigned":
            story.taken.append((at, event.actor))
            if event.data.get("from"):
                story.transferred.append((at, event.actor))
        case "first_reply":
            story.reply, story.replied_by = at, event.actor
        case "ticket_closed":
            story.closed.append((at, event.actor))
        case "ticket_reopened":
            story.reopened.append(at)
            if event.actor not in ("", "customer", "bot"):
                story.taken.append((at, event.actor))
        case "ticket_transferred":
            story.transferred.append((at, event.actor))
        case "ticket_moved" if event.actor:  # out of somebody's hands; the queue's own moves are no transfer
            story.transferred.append((at, event.actor))
        case "sla_breached":
            story.breaches.append((at, str(event.data.get("goal") or ""), event.actor))
        case "ticket_tagged":
            tags = event.data.get("tags")
            story.tags = tuple(str(t) for t in tags) if isinstance(tags, (list, tuple)) else ()
        case "rating_asked":
            story.asked.append(at)
        case "rated":
            story.rated, story.rating = at, int(_number(event.data.get("rating")) or 0) or None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
