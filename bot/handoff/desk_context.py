"""What the operators' side is made of: the owner's rules, where tickets are looked up, and the context that
holds it all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from bot.config.handoff import Routing, Sla, Team, VipSettings
from bot.config.quality import AuthoritySettings, QualitySettings
from bot.handoff.assist.canned import CannedAnswers
from bot.handoff.mystery.scenario import Scenarios
from bot.handoff.operators.roster import Roster
from bot.handoff.operators.teams import Teams
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.playbooks.playbook import Playbooks
from bot.handoff.queue.queue import Queue
from bot.handoff.shared_state import SharedState
from bot.handoff.sla.hours import Hours
from bot.handoff.sla.targets import Deadlines
from bot.i18n.texts import Texts
from bot.model import (
    Answer,
    Attachment,
    Conversation,
    Customer,
    Event,
    HistoryEntry,
    Outbound,
    OwedAnswer,
    Peer,
    RichText,
    Ticket,
    Turn,
)
from bot.quality.scorecard import Scorecard
from bot.text.tone import ToneCheck

if TYPE_CHECKING:
    from bot.handoff.group_status import Groups
    from bot.handoff.operators.registry import Registry
    from bot.handoff.outreach.commands import OutreachCommands
    from bot.handoff.places import DeskPlaces

About = Callable[[str], Sequence[str]]
Ask = Callable[[str, "ArticleAudience"], Awaitable[Answer]]
Article = Callable[[str, "ArticleAudience"], RichText]
Files = Callable[[str, "ArticleAudience"], tuple[Attachment, ...]]
Find = Callable[[str, "ArticleAudience"], Awaitable[Sequence["FoundArticle"]]]
SideAnswerer = Callable[[Turn], Awaitable["BotAnswer | None"]]
Meaning = Literal["yes", "not_needed", "call", ""]
DeliveryStatus = Literal["pending", "sending", "sent", "unknown", "failed", "cancelled"]


def _nothing(article: str) -> Sequence[str]:
    return ()


def _no() -> bool:
    return False


def _no_text(article: str, audience: ArticleAudience) -> RichText:
    return RichText()


def _no_files(article: str, audience: ArticleAudience) -> tuple[Attachment, ...]:
    return ()


def _is_nothing(text: str) -> bool:
    return False


def _no_meaning(text: str) -> Meaning:
    return ""


def _calm(text: str) -> float:
    return 0.0


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class ArticleAudience:
    """Whom articles are for: the customer, where they write, and their language. Without a customer it is
    whoever works here, who may read everything.
    """

    customer: Customer | None = None
    channel: str = ""
    language: str = ""

    @property
    def fields(self) -> Mapping[str, object]:
        return self.customer.fields if self.customer else {}


@dataclass(frozen=True, slots=True)
class BotAnswer:
    """What the bot answers by itself: the words, and the article they are of ("" = none)."""

    text: RichText
    article: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article that an operator has searched for; an *internal* one is never sent to a customer."""

    id: str
    title: str
    snippet: str = ""
    internal: bool = False


@dataclass(frozen=True, slots=True)
class DeskRules:
    """How the owner wants the desk to work. *about* gives the names of an article's topic, the one to be
    shown first.

    *article* is the text of one as a customer gets it, empty where it is not for them, *files* what comes
    with it, *read* the text as operators read it, *ask* finds the one that answers a customer's question;
    None = no hints. *internal* is the text of an article that is for operators alone, empty for every other;
    *find* searches by an operator's words;
    *has_internal*: whether there is anything for operators alone.
    *facts* are known to every ready answer. *undo*: seconds in which an operator's words can be taken back.
    *question* is the question in a customer's words, "" where they hold none; *aside* is what the bot itself
    surely answers to a
    waiting customer; *meaning* tells a yes, "not needed any more" and a mere call for a person from the rest.
    *is_thanks*: whether words are no more than thanks or a good-bye, which nobody owes an answer to.
    *tone* looks at how texts for customers sound; None = no remarks. *vip*: which customers are
    important, *upset*: how angry words are (0..1), *points*: the field of loyalty points.
    *authority*: what operators may give.
    *scorecard* is filled in when a dialog ends; None = never. *scenarios* are those of mystery customers.
    *assistant*: whether operators may ask it.
    *answer_choice*: whether waiting customers may say when and where to be answered.
    """

    teams: tuple[Team, ...] = ()
    routing: Routing = field(default_factory=Routing)
    sla: Sla = field(default_factory=Sla)
    about: About = _nothing
    article: Article | None = None
    read: Article = _no_text
    files: Files = _no_files
    internal: Article = _no_text
    has_internal: Callable[[], bool] = _no
    find: Find | None = None
    ask: Ask | None = None
    canned: CannedAnswers | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    undo: float = 60.0
    is_thanks: Callable[[str], bool] = _is_nothing
    question: Callable[[str], str] = _as_it_is
    aside: SideAnswerer | None = None
    meaning: Callable[[str], Meaning] = _no_meaning
    tone: ToneCheck | None = None
    vip: VipSettings = field(default_factory=VipSettings)
    points: str = ""
    upset: Callable[[str], float] = _calm
    playbooks: Playbooks = field(default_factory=Playbooks)
    authority: AuthoritySettings = field(default_factory=AuthoritySettings)
    answer_choice: bool = False
    assistant: bool = False
    quality: QualitySettings = field(default_factory=QualitySettings)
    scorecard: Scorecard | None = None
    scenarios: Scenarios = field(default_factory=Scenarios)

    def is_supervisor(self, id: str) -> bool:
        """Whether this operator may order; where none are named, everybody may."""
        return not self.routing.supervisors or id in self.routing.supervisors

    @property
    def on_uncertain(self) -> Literal["resend", "hold"]:
        """What becomes of an operator's words of which nobody can tell whether they arrived."""
        return "hold" if self.routing.in_doubt == "ask" else "resend"


class SettledDelivery(Protocol):
    """A delivery, as far as the desk looks at it."""

    @property
    def outbound(self) -> Outbound: ...

    @property
    def status(self) -> str: ...

    @property
    def id(self) -> int: ...


class DeliveryReader(Protocol):
    """Where deliveries are looked up."""

    async def deliveries(
        self,
        *,
        status: Collection[DeliveryStatus] = (),
        after: int = 0,
        peer: Peer | None = None,
        name: str = "",
        limit: int = 200,
    ) -> Sequence[SettledDelivery]: ...


class TicketReader(DeliveryReader, Protocol):
    """What the desk looks up: kept things, never changed from here."""

    async def ticket(self, number: int) -> Ticket | None: ...

    async def tickets(self, *, open_only: bool = True, limit: int = 200) -> Sequence[Ticket]: ...

    async def queue(self) -> Sequence[Ticket]: ...

    async def recent_answers(self) -> Sequence[tuple[datetime, datetime]]: ...

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> Sequence[HistoryEntry]: ...

    async def conversation(self, peer: Peer) -> Conversation | None: ...

    async def customer(self, id: int) -> Customer | None: ...

    async def topic(self, ticket: int, channel: str, chat: str) -> str | None: ...

    async def find_customers(self, fields: Mapping[str, str]) -> Sequence[Customer]: ...

    async def joined(self, customer: int) -> Sequence[int]: ...

    async def owed(self, now: datetime, late: timedelta) -> Sequence[OwedAnswer]: ...

    async def unattended(self) -> Sequence[Conversation]: ...

    async def setting(self, name: str) -> str | None: ...

    async def incident_met(self, number: int) -> Sequence[int]: ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> Sequence[Event]: ...


@dataclass(frozen=True, slots=True)
class DeskContext:
    """What the operators' side knows besides the turn: complete when it is made, nothing is assigned later.
    `shared` keeps roster, teams, incidents, groups and places as the store has them.

    Operators read *lang*. *ask_rating*: how long after closing a customer is asked how it was (or thanked),
    *check_in*: and whether all is well; None = never.
    """

    texts: Texts
    lang: str
    hours: Hours
    rules: DeskRules
    roster: Roster
    teams: Teams
    queue: Queue
    deadlines: Deadlines
    incidents: Incidents
    groups: Groups
    places: DeskPlaces
    shared: SharedState
    ticket_reader: TicketReader
    commands: Registry
    outreach: OutreachCommands
    ask_rating: timedelta | None = None
    check_in: timedelta | None = None

    def lang_of(self, customer: Customer | None) -> str:
        return customer.language if customer else self.lang

    def audience(self, turn: Turn, ticket: Ticket | None = None) -> ArticleAudience:
        """The customer whom the turn, or the ticket, is about."""
        peer = ticket.customer_peer if ticket is not None else turn.conversation.peer
        return ArticleAudience(turn.customer, peer.channel, self.lang_of(turn.customer))

    def seen(self, event: Event) -> None:
        """An observer of what was committed, for what this process alone keeps."""
        self.roster.seen(event)
