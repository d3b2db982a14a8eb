"""What inbox, engine and outbox keep: each method is one transaction, and a sentence about the service.

What is accepted is kept; a turn is taken by one worker at a time; what a turn decided is committed all at
once or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from bot.model import (
    ChatLine,
    Conversation,
    Customer,
    CustomerMerge,
    DeskState,
    Event,
    HistoryEntry,
    Idea,
    Inbound,
    Outbound,
    Outcome,
    OwedAnswer,
    Peer,
    Press,
    Status,
    Ticket,
    Turn,
    Visitor,
)

DeliveryStatus = Literal["pending", "sending", "sent", "unknown", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class ScheduledInbound:
    """An inbound with the moment its conversation may be taken: later for typed words (a burst becomes one
    turn), now for presses.

    A conversation is ready at the latest of its waiting arrivals' `ready`, but never later than `limit` after
    the first.
    """

    inbound: Inbound
    ready: datetime
    limit: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox on its way: what was enqueued, how often it was tried, and what `edits` points at
    now.
    """

    id: int
    outbound: Outbound
    conversation: int | None = None
    turn: int | None = None
    tries: int = 0
    doubts: int = 0
    target: str = ""
    created: datetime | None = None
    status: DeliveryStatus = "pending"
    error: str = ""
    message: str = ""
    epoch: int = 0  # of the lease under which it was taken


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of a delivery. `due` with status "pending" is the next try; `say` are deliveries that
    follow from it.

    `counted` False leaves the number of tries as it was (a limit said "later"). `doubted` marks that the try
    may have arrived. `unreachable` marks the conversation of the peer as one that cannot be written to (until
    it writes again).
    """

    status: DeliveryStatus
    message: str = ""
    error: str = ""
    due: datetime | None = None
    counted: bool = True
    doubted: bool = False
    outbound: Outbound | None = None  # the delivery as it is to be tried next (plain text, moved chat)
    say: tuple[Outbound, ...] = ()
    ahead: tuple[
        Outbound, ...
    ] = ()  # deliveries that go before this delivery, which stays pending (a remade topic's history)
    events: tuple[Event, ...] = ()
    unreachable: bool = False
    also: tuple[str, ...] = ()  # see `Outbound.also`


@dataclass(frozen=True, slots=True)
class FinishedTurn:
    """What a finished turn left behind: the ids of its deliveries, its events as kept, and the version of the
    desk's state that they made (0 = none).
    """

    deliveries: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    desk_version: int = 0


@dataclass(frozen=True, slots=True)
class ArticleVersion:
    """What a file of the articles held after a step: `act` names the step, `actor` who did it. `content` None
    = the file was taken away.
    """

    article: str
    at: datetime
    actor: str
    act: str
    content: str | None
    reason: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn as the history keeps it: what was decided and why, and from which version of the articles."""

    id: int
    conversation: int
    peer: Peer
    at: datetime
    dialog: str
    result: str
    reason: str
    text: str
    why: Mapping[str, object]
    error: str = ""
    articles: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A customer's private conversation, as somebody looks at it who may write to them first.

    `wrote` is when their last words came.
    """

    conversation: int
    peer: Peer
    customer: Customer
    status: Status = Status.BOT
    reachable: bool = True
    wrote: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where the next page of a list begins: behind the line with this time (milliseconds) and number."""

    at: int
    line: int


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """Which of the customers' private conversations are looked for; what is left empty is not asked.

    *words* must all stand in one line of the period (parts of words do, case and ё make no difference);
    *customer* are words of a name, an address or a field; *article* was given as an answer and *event*
    happened in the period, from *since* up to but not including *until*. *before* is the `next` of the page
    before.
    """

    words: tuple[str, ...] = ()
    customer: str = ""
    article: str = ""
    event: str = ""
    channel: str = ""
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: PageKey | None = None


@dataclass(frozen=True, slots=True)
class FoundConversation:
    """A conversation of a list: it stands at its last line in the period, or the last one with the words that
    were looked for; *at*, *line* (its number), *author* and *text* are that line's.
    """

    conversation: int
    peer: Peer
    customer: Customer
    status: Status
    ticket: int | None
    at: datetime
    line: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of a list, the newest first; `next` is where the next one begins, None = there is none.

    `looked_until` is set where the page ended because it had looked at as much as one page does: what is
    older has not been searched yet.
    """

    rows: tuple[FoundConversation, ...]
    next: PageKey | None = None
    looked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A line of a customer: its place in the history, whose conversation, what was said."""

    id: int
    conversation: int
    text: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was kept, with its number and whom it is about; numbers grow with each commit."""

    id: int
    event: Event
    customer: int | None = None
    peer: Peer | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one process, among those that share a database, to do what only one may do at a time.

    "channel:NAME" is the right to send to that channel and to poll it, "periodic" to go the rounds. *epoch*
    grows with each change of holder; after *until* (the database's time) anybody may take it.
    """

    name: str
    holder: str
    epoch: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Replica:
    """A process at work on the database, as it last reported.

    *articles* is the version of the articles it answers from, *skew* how many seconds its wall clock is ahead
    of the database's, *settings* the fingerprint of its config.
    """

    name: str
    version: str = ""
    roles: tuple[str, ...] = ()
    articles: str = ""
    settings: str = ""
    skew: float = 0.0
    started: datetime | None = None
    seen: datetime | None = None


class Store(Protocol):
    """Storage of everything.

    Raises `StorageError`; then nothing of the call was done. Safe to call from one event loop.
    """

    file: Path | None  # the database's file; None where it is none
    holder: str  # this process among those that share the database
    shared: bool  # whether other processes may be at work on it, too

    # --- intake
    async def accept(
        self, channel: str, arrivals: Sequence[ScheduledInbound], *, cursor: str | None = None
    ) -> int:
        """Keep what arrived, once: an inbound whose (channel, key) is known is passed over. The cursor moves
        in the same transaction. Makes the customer and the conversation of a private peer at its first
        message, refreshes name and username later, marks the conversation reachable. Returns how many were
        new.
        """
        ...

    async def cursor(self, channel: str) -> str | None:
        """Where the channel's queue stood when `accept` last moved it."""
        ...

    # --- turns
    async def take_turn(self, now: datetime, *, batch: int = 50) -> Turn | None:
        """The conversation that has been ready longest, locked for this taker, with its oldest waiting
        inbounds: a run of MESSAGEs (at most *batch*; in groups one MESSAGE, or the parts of one album), or
        one inbound of any other kind; with history (last 30 lines), customer, open ticket, resolved presses
        and quotes.

        The ticket of a private conversation is its open one (else the one its pressed button belongs to); of
        a group thread the one the topic, the pressed button or the quoted message belongs to, and `subject`,
        `customer`, `history` are then that ticket's. A press that does not belong to a delivery made to this
        peer resolves to nothing.
        """
        ...

    async def finish_turn(self, turn: Turn, outcome: Outcome, now: datetime) -> FinishedTurn:
        """Commit everything an outcome holds, close the turn's inbounds with its result, write the history
        and unlock.

        Raises `VersionConflict` (nothing done, turn unlocked and ready again) when the conversation's version
        moved on, when the ticket in the outcome was changed by somebody else, or when its number was taken
        meanwhile. `status` and `state` go to `turn.subject` where there is one and to the turn's own
        conversation otherwise. COSMETIC deliveries replace waiting ones of the same peer, kind and
        `edits`/`quotes`. Events change the desk's state in the same transaction, here and wherever else
        events are kept (see `desk_state`).
        """
        ...

    async def release_turn(self, turn: Turn, *, error: str = "", ready: datetime | None = None) -> None:
        """Give a turn back undecided. With *error* its attempts grow by one."""
        ...

    async def rest_turn(self, turn: Turn, inbounds: Sequence[Inbound], until: datetime) -> None:
        """Give a turn back undecided until then, its *inbounds* as they are now: somebody looks at what came
        with them. New words do not shorten the rest.
        """
        ...

    async def keep_heard(self, conversation: int, inbounds: Sequence[Inbound], now: datetime) -> None:
        """Keep what was found out about *inbounds*, and end the rest of their conversation. What was decided
        or forgotten meanwhile stays as it is; a repeat changes nothing.
        """
        ...

    async def fire_timers(self, now: datetime) -> int:
        """Turn due timers into inbounds of their conversations (kind INTERNAL, each exactly once).

        Returns how many.
        """
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """When the earliest turn or timer becomes ready (maybe in the past); None when nothing waits."""
        ...

    # --- deliveries
    async def take_deliveries(
        self, now: datetime, *, limit: int = 32, resting: Collection[tuple[str, str]] = ()
    ) -> tuple[Delivery, ...]:
        """Mark as "sending" and return deliveries that may go now.

        These are the oldest open one of each (channel, chat, thread, priority), due, not of a (channel, chat)
        or (channel, "") that rests, and not editing a message that is still on its way (cancelled when that
        one failed). Priorities in order, then oldest first.
        """
        ...

    async def settle(self, delivery: Delivery, settled: DeliveryResult, now: datetime) -> tuple[int, ...]:
        """Record what became of a delivery, with its follow-ups; returns the ids of these."""
        ...

    async def recover(
        self,
        now: datetime,
        *,
        begun: datetime | None = None,
        but: Collection[int] = (),
        channels: Collection[str] | None = None,
    ) -> int:
        """Rows left "sending" by a crash may have arrived. `resend` ones become pending with a doubt on
        record, `hold` ones unknown. Returns how many. Beside a living sender: those *begun* until then that
        they have not in hand (*but*). Only of *channels* where they are given. Where senders change, only of
        channels whose lease this process has; without *begun* those that an earlier holder left.
        """
        ...

    async def owed(self, now: datetime, late: timedelta) -> tuple[OwedAnswer, ...]:
        """What the bot owes for longer than *late*: `undecided` one for each conversation with a kept
        message, `undelivered` words to customers on their way, `unanswered` answers of the last day that were
        given up with no person called since.
        """
        ...

    async def retry(self, now: datetime, late: timedelta, held: timedelta) -> int:
        """Put back into line what fell out of it: conversations with waiting messages, orders with nobody
        first, and turns that somebody holds for longer than *held* (their decision will meet a
        `VersionConflict`). Returns how much was mended.
        """
        ...

    async def sends_since(self, since: datetime) -> tuple[tuple[Outbound, datetime, int], ...]:
        """What was begun to be sent since then, when, and how often it was tried by now; oldest first. A new
        process must respect the limits of the old one.
        """
        ...

    async def next_delivery(self, now: datetime) -> datetime | None:
        """When the earliest open delivery is due; None when nothing is open."""
        ...

    async def resolve_unknown(self, delivery: int, *, arrived: bool, now: datetime) -> bool:
        """A person (or a press on its keyboard) settled an unknown delivery; False when it was not
        unknown.
        """
        ...

    async def enqueue(
        self, say: Sequence[Outbound], now: datetime, *, events: Sequence[Event] = ()
    ) -> tuple[int, ...]:
        """Enqueue something outside any turn (the desk's greeting, a notice of the service)."""
        ...

    async def announce(
        self,
        channel: str,
        choose: Callable[[StoredEvent], Outbound | None],
        now: datetime,
        *,
        limit: int = 200,
    ) -> int:
        """Enqueue what *choose* (pure, run in the writer's thread) makes of each event recorded since
        *channel*'s cursor, and move
        the cursor, in one transaction; returns how many were looked at. A channel heard of for the first time
        begins with now.
        """
        ...

    # --- desk
    async def desk_state(self) -> DeskState:
        """What the events so far tell of operators, groups and incidents, without reading them again.

        operator_met, operator_joined, operator_away, operator_back, operator_left, ticket_assigned,
        desk_lost, desk_found, desk_checked, desk_bound, chat_moved, incident_on and incident_off make a new
        version of it; each taken turn carries the version as of then (`Turn.desk_version`).
        """
        ...

    async def incident_met(self, number: int) -> tuple[int, ...]:
        """The conversations in which an incident's words were said (event incident_met), in order."""
        ...

    async def has_met(self, number: int, conversation: int) -> bool:
        """Whether the incident's words were said there."""
        ...

    async def topic(self, ticket: int, channel: str, chat: str) -> str | None:
        """The thread in which this ticket is shown in this chat."""
        ...

    async def keep_topic(self, ticket: int, channel: str, chat: str, thread: str) -> None: ...

    async def forget_topic(self, channel: str, chat: str, thread: str) -> int | None:
        """The thread is gone; returns the ticket it showed."""
        ...

    async def move_chat(self, channel: str, old: str, new: str) -> None:
        """A chat got a new id: conversations, topics, open deliveries and the bound desk follow."""
        ...

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...

    async def first_setting(self, name: str, value: str) -> str:
        """The setting as whoever came first kept it: *value* where nobody had."""
        ...

    async def count_up(self, name: str, amount: int) -> int:
        """Add *amount* to the number that is kept as this setting (0 where there is none); returns the sum.
        Of many at once each gets a sum of its own.
        """
        ...

    async def tickets(
        self, *, open_only: bool = True, limit: int = 200, bare: bool = False
    ) -> tuple[Ticket, ...]:
        """Tickets, oldest waiting first, then in work; closed ones (newest first) after them where asked for;
        *bare*: without its state.
        """
        ...

    async def tickets_of(self, numbers: Collection[int], *, bare: bool = False) -> tuple[Ticket, ...]:
        """The tickets with these numbers, in their order; what there is not is passed over."""
        ...

    async def tickets_in(self, conversation: int) -> tuple[Ticket, ...]:
        """All tickets of a conversation, the first one first."""
        ...

    async def ticket(self, number: int) -> Ticket | None: ...

    async def queue(self) -> tuple[Ticket, ...]:
        """Every waiting ticket, the oldest first, with no more of its state than team, place and the
        time that its customer asked for.
        """
        ...

    async def recent_answers(self) -> tuple[tuple[datetime, datetime], ...]:
        """When the newest tickets were opened and first answered by a person, as a turn knows it."""
        ...

    async def unattended(self) -> tuple[Conversation, ...]:
        """Conversations that a person should be at, with no open ticket and no timer that would end it."""
        ...

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> tuple[HistoryEntry, ...]: ...

    # --- looking
    async def conversation(self, peer: Peer) -> Conversation | None: ...

    async def customer(self, id: int) -> Customer | None: ...

    async def conversations(self, customer: int) -> tuple[Conversation, ...]:
        """All that is said with a customer in private, where they wrote last first."""
        ...

    async def find_customers(self, fields: Mapping[str, str]) -> tuple[Customer, ...]:
        """Customers whose field has exactly one of these values, in the order they came."""
        ...

    async def find_inbound(self, channel: str, key: str) -> Inbound | None:
        """The inbound that was kept under this key (without its words where those were blanked)."""
        ...

    async def newest_message(self, conversation: int) -> Inbound | None:
        """The latest message of a customer that was decided on there, while its words are kept; None where
        there is none.
        """
        ...

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> tuple[TurnRecord, ...]:
        """Turns of a conversation; without one those of all customers, played ones (`PLAYED`) left out."""
        ...

    async def deliveries(
        self,
        *,
        status: Collection[DeliveryStatus] = (),
        after: int = 0,
        peer: Peer | None = None,
        name: str = "",
        limit: int = 200,
    ) -> tuple[Delivery, ...]: ...

    async def press(self, token: str, peer: Peer) -> Press | None:
        """What a button meant when it was offered to this peer."""
        ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]: ...

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> tuple[Recipient, ...]:
        """Customers' private conversations in the order of their ids, forgotten ones left out; *only* these
        where some are named.
        """
        ...

    async def search_conversations(self, query: ConversationQuery, *, limit: int = 50) -> ConversationPage:
        """The customers' private conversations with a line in the period, as a list: each once, at its last
        line (with the words that are looked for), the newest first; forgotten customers are left out. A page
        looks at a limited number of lines, so it may hold fewer than *limit* rows, or none, and still have a
        `next`.
        """
        ...

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> tuple[CustomerMessage, ...]:
        """What customers wrote since then, in order, from the line behind *after* on."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many inbounds wait, deliveries by status, tickets by status: for health and metrics."""
        ...

    # --- several processes (a store that is one process's own holds every lease and hears no hints)
    async def renew(self, names: Collection[str], now: datetime, lasting: timedelta) -> Mapping[str, Lease]:
        """Take or keep leases: of *names* those that nobody else holds are this process's until *now* +
        *lasting*. Returns those it holds now; a lease that came from another holder has a new epoch.
        """
        ...

    async def give_up(self, names: Collection[str]) -> None:
        """Let go of leases, so that others may take them at once. Names that it does not hold are passed
        over.
        """
        ...

    async def leases(self) -> tuple[Lease, ...]:
        """Who holds what, also what is past its time; empty for a store of one process."""
        ...

    async def report(self, replica: Replica, now: datetime) -> None:
        """Say that this process is at work, and with what. A repeat says it anew."""
        ...

    async def replicas(self, since: datetime) -> tuple[Replica, ...]:
        """The processes that reported since then, by name; empty for a store of one process."""
        ...

    async def hit(self, name: str, now: datetime, within: timedelta) -> int:
        """Count one more of *name* (a login, a request of a key) over all processes; how many there were
        *within* that time, this one included.
        """
        ...

    async def clock(self) -> datetime | None:
        """What time the database says it is; None where it has no clock of its own."""
        ...

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call *heard* in the caller's event loop, with "turns" or "deliveries", when another process has
        made some ready. A hint only: it may be lost, so everything is looked for by polling, too.
        """
        ...

    # --- people's data and the file itself
    async def change_fields(
        self, customer: int, changes: Mapping[str, object], now: datetime, *, by: str
    ) -> bool:
        """Lay *changes* over the customer's fields (None takes one away), with an event; False where they are
        not known.
        """
        ...

    async def join_customers(self, how: CustomerMerge, now: datetime, *, by: str) -> bool:
        """Two customers become one, or are two again, with an event; False where there is nothing to do.

        A repeat does nothing.
        """
        ...

    async def known_as(self, customer: int) -> int:
        """The number of the customer as whom this one is known: their own, unless they were joined into
        another.
        """
        ...

    async def joined(self, customer: int) -> tuple[int, ...]:
        """The customers who are known as this one, the latest first."""
        ...

    async def export_customer(self, id: int) -> Mapping[str, object]: ...

    async def forget_customer(self, id: int, now: datetime) -> bool:
        """Nothing of the customer's words, names and addresses stays in any table, index or free page; counts
        stay.
        """
        ...

    async def clamp_delays(self, now: datetime) -> int:
        """After the wall clock went back: bursts, rests and retries that were put off by it wait for a minute
        (ten for a delivery) at most. Timers keep their hour. Returns how many rows waited for longer; a
        repeat finds none.
        """
        ...

    async def keep_file(self, file: str, conversation: int, content: bytes, now: datetime) -> None:
        """Keep a file that was attached on a page, under a name of our own; a repeat changes nothing. It goes
        when its customer is forgotten, and with the words that are as old.
        """
        ...

    async def keep_version(self, version: ArticleVersion) -> None:
        """Keep what a file of the articles holds now; of one file the newest hundred are kept."""
        ...

    async def article_versions(self, article: str) -> tuple[ArticleVersion, ...]:
        """The kept versions of a file, the newest first."""
        ...

    async def kept_file(self, file: str) -> bytes | None:
        """What is kept under the name; None where it is not there any more."""
        ...

    async def ideas(self) -> tuple[Idea, ...]:
        """What customers suggest and support, the newest 5000 in the order in which they came."""
        ...

    # --- chats that are shown on pages of ours
    async def meet_visitor(self, inbound: Inbound, now: datetime) -> Visitor:
        """The visitor of this peer; made with customer and conversation where there is none yet."""
        ...

    async def visitor(self, channel: str, chat: str) -> Visitor | None: ...

    async def login_visitor(self, channel: str, login: str) -> Visitor | None:
        """Whom the business knows as *login*."""
        ...

    async def log_in_visitor(self, inbound: Inbound, login: str, now: datetime) -> Visitor | None:
        """The visitor whom the business knows as *login*. The chat of *inbound* becomes theirs, or goes on in
        the one that is theirs already, with its lines and as one customer. Somebody else's stays as it is:
        None where *login* has none of their own. A repeat changes nothing.
        """
        ...

    async def mark_visitor(self, channel: str, chat: str, **marks: int | str | datetime) -> None:
        """Note what was `read` (it never falls), when they were `seen` or `mailed`, their `email`."""
        ...

    async def away_visitors(
        self, channel: str, since: datetime, *, holding: str = "", limit: int = 50
    ) -> tuple[Visitor, ...]:
        """Who left an address, has unread messages with *holding* in what lies of them, was not there since
        then, and had no letter since they were.
        """
        ...

    async def send_letter(self, visitor: Visitor, letter: Outbound, now: datetime) -> bool:
        """Enqueue *letter* to somebody who is away, once for each absence; False where they had it, or were
        there meanwhile. It is theirs: exported and forgotten with them.
        """
        ...

    async def add_chat_line(self, channel: str, chat: str, line: ChatLine) -> ChatLine | None:
        """Write a line at the end of the chat, or of the one in which it goes on. The same source again is
        the same line. An edit or a removal changes its message, too. None where nobody is at the other end.
        """
        ...

    async def chat_lines(
        self, channel: str, chat: str, *, after: int, limit: int = 100
    ) -> tuple[ChatLine, ...]:
        """What happened behind a line, in order; each message as it is by now."""
        ...

    async def chat_messages(
        self, channel: str, chat: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[ChatLine, ...]:
        """The newest messages, in order, as they are by now; removed ones left out."""
        ...

    async def chat_line(self, channel: str, source: str) -> tuple[str, ChatLine] | None:
        """The line that was made of *source*, with the chat in which it is shown."""
        ...

    async def purge(self, before: datetime) -> int:
        """Blank the words of what ended before: messages, answers, history, tickets' notes, settled ideas;
        lines of our own chats go altogether.
        Rows and counts stay; what is open or waits is not touched. Returns how many rows were blanked; a
        repeat finds nothing.
        """
        ...

    async def backup(self, path: Path) -> None: ...

    async def check(self) -> tuple[str, ...]:
        """What is wrong with the file ("" = nothing)."""
        ...

    async def close(self) -> None: ...
