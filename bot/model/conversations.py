"""Whom the bot talks with, what a turn knows (`Turn`) and what is decided on it (`Outcome`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.model.addresses import Json, Peer
from bot.model.ideas import IdeaChange
from bot.model.internal import Payload
from bot.model.messages import Attachment, Inbound, InboundKind, Outbound, Press, RepliedTo
from bot.model.tickets import Ticket, WaitingTickets


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who writes to the business.

    `fields` holds what a form or the CRM told (order, phone, vip …).
    """

    id: int
    name: str = ""
    last_name: str = ""
    username: str = ""
    language: str = "ru"
    gender: Literal["", "male", "female"] = ""
    fields: Json = field(default_factory=dict)
    peers: tuple[Peer, ...] = ()


class Status(StrEnum):
    """Who is responsible for the conversation."""

    BOT = "bot"
    WAITING = "waiting"  # handed over, nobody has taken it
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that is said with one customer at one peer.

    `state` belongs to the dialogs, `version` grows with each change.
    """

    id: int
    peer: Peer
    customer: int | None = None
    status: Status = Status.BOT
    state: Json = field(default_factory=dict)
    version: int = 0
    ticket: int | None = None
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history: what was said by whom. `author` is customer, bot, operator, note or system."""

    at: datetime
    author: Literal["customer", "bot", "operator", "note", "system"]
    text: str
    name: str = ""
    attachments: tuple[Attachment, ...] = ()


PACE = timedelta(minutes=1)  # what `Pace` looks back


@dataclass(frozen=True, slots=True)
class Pace:
    """How many messages a customer wrote in the minute before a turn, and whether they were found too many
    (`Turn` of the reason `FLOOD`) in it.
    """

    wrote: int = 0
    flooded: bool = False


FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Turn:
    """All waiting messages of one conversation, with what is known about it, ready to be decided on.

    A turn of the desk (operators' words) has `ticket` set when they belong to one, and `subject` is then the
    customer's conversation. `next_number` is the number a ticket opened in this turn would get.
    """

    id: int
    conversation: Conversation
    inbounds: tuple[Inbound, ...]
    now: datetime
    customer: Customer | None = None
    ticket: Ticket | None = None
    subject: Conversation | None = None
    history: tuple[HistoryEntry, ...] = ()
    presses: tuple[Press, ...] = ()
    next_number: int = 1
    waiting: tuple[WaitingTickets, ...] = ()  # tickets nobody has taken yet
    recent_answers: tuple[
        tuple[datetime, datetime], ...
    ] = ()  # opening and first human words, newest tickets first
    attempts: int = 0
    quoted: tuple[RepliedTo | None, ...] = ()  # one for each of `said`
    past: tuple[Ticket, ...] = ()  # the customer's closed tickets, the newest first, at most five
    desk_version: int = 0  # of the desk's state when the turn was taken
    pace: Pace = Pace()

    @property
    def text(self) -> str:
        """The words of the turn: several short messages read as one."""
        if len(self.inbounds) == 1:  # nearly always, and dialogs ask some forty times a turn
            only = self.inbounds[0]
            return only.text if only.kind is InboundKind.MESSAGE else ""
        return "\n".join(i.text for i in self.inbounds if i.text and i.kind is InboundKind.MESSAGE)

    @property
    def actor(self) -> str:
        """Who said it, as events name people."""
        return self.inbounds[0].actor

    @property
    def peer(self) -> Peer:
        """Where it was said, and where an answer to it goes."""
        return self.inbounds[0].peer

    @property
    def press(self) -> Press | None:
        return self.presses[-1] if self.presses else None

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(a for i in self.inbounds for a in i.attachments)

    @property
    def context(self) -> tuple[Attachment, ...]:
        return tuple(c for i in self.inbounds for c in i.context)


class Result(StrEnum):
    """How a kept message ended: exactly one for each."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    HANDED_OFF = "handed_off"
    CARRIED = "carried"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer to be kept with the turn: at `due` its `payload` comes back to `conversation` (default: the
    turn's own) as an Inbound.

    The same `key` again replaces the older timer that has not fired.
    """

    key: str
    payload: Payload
    due: datetime
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, kept for ever and never changed; metrics are functions over these."""

    kind: str
    at: datetime | None = None
    conversation: int | None = None
    ticket: int | None = None
    actor: str = ""
    data: Json = field(default_factory=dict)


OwedStage = Literal["undecided", "undelivered", "unanswered"]


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """Something the bot itself owes for too long: a kept message without a decision, words on their way, an
    answer given up.

    `id` is the oldest such inbound, or the delivery; `since` is when it became due.
    """

    stage: OwedStage
    peer: Peer
    since: datetime
    id: int


@dataclass(frozen=True, slots=True)
class CustomerMerge:
    """Two customers are one person, known as *into* from now on; or (*undone*) the one who was joined as
    *other* is themselves again.
    """

    into: int
    other: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a dialog decided. It is a value: nothing has happened until it is committed, all of it at once.

    `state` None leaves the conversation's state as it is. `opens` is a new ticket, `ticket` the changed value
    of an existing one (refused with `VersionConflict` if somebody changed it meanwhile, as is an outcome of
    an older `desk_version` than that which its own events make newer). `subject` is the
    changed customer's conversation when operators decided. `reason` says in a word why, for events and
    reports.
    """

    dialog: str
    result: Result
    reason: str = ""
    messages: tuple[Outbound, ...] = ()
    state: Json | None = None
    status: Status | None = None
    opens: Ticket | None = None
    ticket: Ticket | None = None
    customer: Customer | None = None
    timers: tuple[Timer, ...] = ()
    cancel: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    notes: tuple[HistoryEntry, ...] = ()
    settings: Mapping[str, str | None] = field(
        default_factory=dict
    )  # settings of the service, such as the bound desk; None takes one away
    ideas: tuple[IdeaChange, ...] = ()  # what the customer suggests, or what becomes of suggestions
    explanation: Json = field(default_factory=dict)
    customer_merge: CustomerMerge | None = None
    retry_delivery: int | None = (
        None  # a delivery in doubt that did not arrive: it goes again, in its old place
    )
    articles: str = ""  # the version of the articles that it was decided from; "" where none were asked
    desk_version: int | None = (
        None  # of the desk's state that it was decided from, where that must be the newest
    )
