"""The vocabulary that crosses rooms: what arrived, what is decided, what is promised. Imports nothing of the
project.

`Inbound` is past, `Turn` is present, `Outcome` is intended, `Outbound` is promised, `Sent` is done.
All values are frozen; a change makes a new value (`dataclasses.replace`). Times are aware datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

Json = Mapping[str, object]


# --- addresses and people
# -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """An address: a channel *instance* ("vk-shop-2", not a kind), a chat in it, and a thread where the chat
    has some.

    `thread` is the platform's own id. One form is ours: `ticket:1042` means "wherever ticket 1042 is shown",
    and is resolved by the outbox (a forum topic, opened on demand; the plain group itself where there are no
    topics).
    """

    channel: str
    chat: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as the platform tells it.

    `id` is the platform's user id; `anonymous` marks an unnamed group admin.
    """

    id: str
    name: str = ""
    last_name: str = ""
    username: str = ""
    language: str = ""
    gender: Literal["", "male", "female"] = ""
    anonymous: bool = False


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


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of the business who answers customers in the desk. `id` is `channel:user id`."""

    id: str
    name: str
    role: Literal["operator", "supervisor"] = "operator"


# --- what is written
# -------------------------------------------------------------------------------------------------


class Style(StrEnum):
    """How a stretch of text looks. What a channel cannot show becomes plain text there."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    CODE = "code"
    PRE = "pre"
    LINK = "link"
    QUOTE = "quote"
    SPOILER = "spoiler"
    MENTION = "mention"  # calls somebody who hears it; `url` of the span is the platform's id of him


@dataclass(frozen=True, slots=True)
class Span:
    """A styled stretch: offset and length in Python characters (adapters turn them into UTF-16 units)."""

    style: Style
    offset: int
    length: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class RichText:
    """The one neutral form of text: characters and styled stretches, never HTML or Markdown."""

    text: str = ""
    spans: tuple[Span, ...] = ()

    def __add__(self, other: RichText | str) -> RichText:
        if isinstance(other, str):
            return RichText(self.text + other, self.spans)
        moved = tuple(Span(s.style, s.offset + len(self.text), s.length, s.url) for s in other.spans)
        return RichText(self.text + other.text, self.spans + moved)

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody who is called by name in a text: where, in Python characters, and who.

    `user` is the platform's id, "" where only the words tell. Of what a platform writes for it the name stays
    in the text.
    """

    offset: int
    length: int
    user: str = ""


class Media(StrEnum):
    """Kinds of attachment, the same on every channel."""

    PHOTO = "photo"
    DOCUMENT = "document"
    VOICE = "voice"
    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    AUDIO = "audio"
    ANIMATION = "animation"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that is not text. `channel` is the instance that can fetch `ref` ("" = a local file, `ref` is
    its path).

    `ref` is a Telegram file_id, a VK attachment string or URL. Locations carry `data` {"latitude",
    "longitude"},
    contacts {"phone", "name", "user"}, stickers {"emoji"}, anything else {"type", "about", "link"}: the
    platform's word
    for it, what is said in it, where it opens. `label` is all of this in a person's words, for where it
    cannot travel.
    `size` is in bytes, `duration` in seconds.
    """

    media: Media
    ref: str = ""
    channel: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0
    duration: int = 0
    data: Json = field(default_factory=dict)


class InboundKind(StrEnum):
    """What happened."""

    MESSAGE = "message"
    EDIT = "edit"  # a message was changed; `message` is its id
    PRESS = "press"  # a button; `press` is its token
    START = "start"  # the first contact, or /start; `text` is the deep-link payload
    TIMER = "timer"  # time came; `text` is the timer's kind, `data` what was kept with it
    BLOCKED = "blocked"  # the customer forbade messages
    UNBLOCKED = "unblocked"
    STEPPED_IN = "stepped_in"  # a person of the business wrote by hand, past the bot (VK community inbox)
    ADDED = (  # the bot was added to a group, or its rights there changed; data: {"title", "forum", "status"}
        "added"
    )
    REMOVED = "removed"  # the bot was put out of a group
    TOPIC_CLOSED = "topic_closed"
    TOPIC_REOPENED = "topic_reopened"
    MOVED = "moved"  # the chat has a new id: data {"chat"}
    MEMBER = "member"  # somebody else's membership changed: data {"user", "status"}
    REACTION = "reaction"
    OTHER = "other"  # acknowledged and logged, nothing more


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing that reached us. `key` is unique within its channel: the same key again is the same thing.

    `message` is the platform's id of the message, `quotes` the id of the message it replies to, `album`
    groups the
    parts of an album. `press` is the token of a pressed button and `callback` the id to acknowledge it by.
    `context` is what
    came with the words and is not the sender's own: somebody else's words, what is answered (`data`
    {"context", "who", "text", "link"}).
    """

    key: str
    peer: Peer
    sender: Sender
    at: datetime
    kind: InboundKind = InboundKind.MESSAGE
    text: str = ""
    spans: tuple[Span, ...] = ()
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    message: str = ""
    quotes: str = ""
    album: str = ""
    press: str = ""
    callback: str = ""
    private: bool = True  # a chat with one person; False in groups
    data: Json = field(default_factory=dict)
    context: tuple[Attachment, ...] = ()

    @property
    def rich(self) -> RichText:
        return RichText(self.text, self.spans)


# --- conversation, ticket, turn
# --------------------------------------------------------------------------------------


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
class Ticket:
    """A request that a person answers for.

    `number` is what people say aloud; `version` guards against two hands at once.
    """

    number: int
    conversation: int
    customer_peer: Peer
    status: Literal["waiting", "operator", "snoozed", "closed"] = "waiting"
    reason: str = ""
    topic: str = ""
    category: str = ""
    priority: int = 0
    operator: str = ""  # Operator.id, "" = nobody
    operator_name: str = ""
    opened: datetime | None = None
    taken: datetime | None = None
    first_reply: datetime | None = None
    closed: datetime | None = None
    due: datetime | None = None
    rating: int | None = None
    version: int = 0
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history: what was said by whom. `author` is customer, bot, operator, note or system."""

    at: datetime
    author: Literal["customer", "bot", "operator", "note", "system"]
    text: str
    name: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, resolved from its token: what it meant when it was promised.

    `outbound` is the outbox row that carried the button, `message` the platform's id of that message.
    """

    action: str
    value: str = ""
    outbound: int = 0
    message: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class RepliedTo:
    """What an inbound message replies to, where that was one of ours: the promise's name, ticket, and the id
    it mirrors.
    """

    name: str = ""
    ticket: int | None = None
    mirrors: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many tickets of one team ("" = of none) and one priority wait."""

    team: str
    priority: int
    count: int


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
    waiting: tuple[Waiting, ...] = ()  # tickets nobody has taken yet
    recent_answers: tuple[
        tuple[datetime, datetime], ...
    ] = ()  # opening and first human words, newest tickets first
    attempts: int = 0
    quoted: tuple[RepliedTo | None, ...] = ()  # one for each of `said`
    past: tuple[Ticket, ...] = ()  # the customer's closed tickets, the newest first, at most five

    @property
    def text(self) -> str:
        """The words of the turn: several short messages read as one."""
        return "\n".join(i.text for i in self.inbounds if i.text and i.kind is InboundKind.MESSAGE)

    @property
    def press(self) -> Press | None:
        return self.presses[-1] if self.presses else None

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(a for i in self.inbounds for a in i.attachments)

    @property
    def context(self) -> tuple[Attachment, ...]:
        return tuple(c for i in self.inbounds for c in i.context)


# --- what is decided and promised
# ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Button:
    """A button. When pressed it comes back as `Press(action, value)`; with `url` it only opens a link.

    Tokens are made by the outbox (row id + place), so nothing a customer forges can name an action he was not
    offered.
    """

    label: str
    action: str = ""
    value: str = ""
    url: str = ""
    style: Literal["", "primary", "danger", "success"] = ""


Rows = tuple[tuple[Button, ...], ...]


class OutboundKind(StrEnum):
    """What one delivery does; each is one call of the platform."""

    SAY = "say"
    EDIT = "edit"  # replaces the message named `edits`
    # answers a pressed button (`quotes` = its callback); `text` is a short notice, may be empty
    ACKNOWLEDGE = "acknowledge"
    REACT = "react"  # puts emoji `text` on message `quotes`
    OPEN_TOPIC = "open_topic"  # `text` is the name; Sent.message is the new thread
    RENAME_TOPIC = "rename_topic"
    CLOSE_TOPIC = "close_topic"
    REOPEN_TOPIC = "reopen_topic"
    DELETE_TOPIC = "delete_topic"  # with everything that was written there
    PIN = "pin"  # pins the message named `edits`
    DELETE = "delete"  # deletes the message named `edits`
    ANNOUNCE = "announce"  # tells another system what happened; `text` is the JSON of it, `name` its id


class Priority(StrEnum):
    """Who goes first where a limit makes things wait; within a lane and a peer order is kept."""

    MESSAGE = "words"  # people's words and answers
    NOTICE = "notice"  # confirmations, cards
    COSMETIC = (  # cosmetics: reactions, renames, boards: the newest replaces an older one that still waits
        "view"
    )
    BULK = "bulk"  # broadcasts


@dataclass(frozen=True, slots=True)
class Receipt:
    """The operator's message in the desk whose delivery is to be shown there (a reaction, or words where it
    failed).
    """

    peer: Peer
    message: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """One promise: one outbox row, one call of the platform.

    `name` lets the message be found again ("card:1042"): `edits` names the message that EDIT, PIN and DELETE
    act on (the
    newest of that name); such a row waits until that message is sent. `mirrors` is the platform's id of the
    inbound
    message whose words these are, `quotes` the id (in the target chat) of the message to reply to. `heading`
    is shown before the
    text where the peer has no thread of its own (plain groups). `on_doubt` says what to do when nobody can
    tell whether it arrived:
    send it again, or hold it for a person to settle. `author` says whose words the history keeps them as (""
    = not kept: cosmetics).
    `receipt` is the operator's message that shows what became of this.
    """

    to: Peer
    text: RichText = RichText()
    buttons: Rows = ()
    attachments: tuple[Attachment, ...] = ()
    verb: OutboundKind = OutboundKind.SAY
    name: str = ""
    edits: str = ""
    mirrors: str = ""
    quotes: str = ""
    heading: RichText = RichText()
    lane: Priority = Priority.MESSAGE
    on_doubt: Literal["resend", "hold"] = "resend"
    author: Literal["bot", "operator", "system", ""] = "bot"
    author_name: str = ""
    ticket: int | None = None
    receipt: Receipt | None = None
    joins: bool = False  # plain words that become one message with earlier ones of this kind which still wait
    one_time: bool = False  # a keyboard that goes away after a press (VK); inline otherwise
    silent: bool = False
    also: tuple[
        str, ...
    ] = ()  # once it is sent: the platform's further ids of it (an album has one for each photo)


class Result(StrEnum):
    """How a kept message ended: exactly one for each."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    HANDED_OFF = "handed_off"
    CARRIED = "carried"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer to be kept with the turn: at `due` it comes back to `conversation` (default: the turn's own) as
    an Inbound.

    The same `key` again replaces the older timer that has not fired.
    """

    key: str
    kind: str
    due: datetime
    data: Json = field(default_factory=dict)
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
class Owed:
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
    *other* is himself again.
    """

    into: int
    other: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a dialog decided. It is a value: nothing has happened until it is committed, all of it at once.

    `state` None leaves the conversation's state as it is. `opens` is a new ticket, `ticket` the changed value
    of an
    existing one (refused with `Conflict` if somebody changed it meanwhile). `subject` is the changed
    customer's
    conversation when operators decided. `reason` says in a word why, for events and reports.
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
    explanation: Json = field(default_factory=dict)
    customer_merge: CustomerMerge | None = None
    retry_delivery: int | None = (
        None  # a delivery in doubt that did not arrive: it goes again, in its old place
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform said about a delivery: the id of the new message (or of the opened topic), and its
    further ones.
    """

    message: str = ""
    also: tuple[str, ...] = ()


# --- knowledge
# -------------------------------------------------------------------------------------------------------


class Intent(StrEnum):
    """What the customer does with the words, decided before any search."""

    QUESTION = "question"
    HUMAN = "human"
    UPSET = "upset"
    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"
    YES_HELPED = "yes_helped"
    NOT_HELPED = "not_helped"


class Decision(StrEnum):
    ANSWER = "answer"
    CLARIFY = "clarify"
    HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that may answer; `score` 0..1 orders them, `passage` is the index of the passage that fits
    best.
    """

    article: str
    title: str
    score: float
    passage: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the knowledge base has to say to a question, and how sure it is.

    `confidence` is the calibrated probability that the first candidate is right (decides *answer*), `scope`
    how well
    the question is covered at all, 0..1 (decides *hand over*). `article` is set when the decision is to
    answer.
    `lead` is true when the first candidate is ahead but not sure: its lead may be shown above a
    clarification.
    `why` explains everything: what was understood, each channel's scores, thresholds, one sentence.
    """

    decision: Decision
    candidates: tuple[Candidate, ...] = ()
    confidence: float = 0.0
    scope: float = 0.0
    act: Intent = Intent.QUESTION
    article: str | None = None
    lead: bool = False
    why: Json = field(default_factory=dict)
