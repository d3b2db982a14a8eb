"""What arrives (`Inbound`) and what is sent (`Outbound`): addresses, text, attachments, buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.model.addresses import Json, Peer, Sender
from bot.model.internal import Payload


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
    TABLE = "table"  # the lines of a table; `url` holds its cells (bot/text/markdown.py, `table_cells`)
    MENTION = "mention"  # calls somebody who hears it; `url` of the span is the platform's id of them


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
    "longitude"}, contacts {"phone", "name", "user"}, stickers {"emoji"}, anything else {"type", "about",
    "link"}: the platform's word for it, what is said in it, where it opens. `label` is all of this in a
    person's words, for where it cannot travel. `size` is in bytes, `duration` in seconds.
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
    DELETED = "deleted"  # `message` was taken back; data {"of": key of what it was, "restored": it is back}
    PRESS = "press"  # a button; `press` is its token
    START = "start"  # the first contact, or /start; `text` is the deep-link payload
    INTERNAL = "timer"  # nobody wrote it: `payload` says what the service tells itself
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
    groups the parts of an album. `press` is the token of a pressed button and `callback` the id to
    acknowledge it by. `context` is what came with the words and is not the sender's own: somebody else's
    words, what is answered (`data` {"context", "who", "text", "link"}). `line` is what its own chat shows of
    it, where that chat lies in the store: kept with it.
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
    payload: Payload | None = None
    line: Json = field(default_factory=dict)

    @property
    def rich(self) -> RichText:
        return RichText(self.text, self.spans)

    @property
    def actor(self) -> str:
        """Who did this, as events name people."""
        return f"{self.peer.channel}:{self.sender.id}"

    @property
    def outbound_name(self) -> str:
        """The name of the outbound that carries this message on; "" where the platform gave it no id."""
        return self.peer.message_name(self.message) if self.message else ""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, resolved from its token: what it meant when it was offered.

    `outbound` is the outbox row that carried the button, `message` the platform's id of that message.
    """

    action: str
    value: str = ""
    outbound: int = 0
    message: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class RepliedTo:
    """What an inbound message replies to, where that was one of ours: the name and ticket of that delivery,
    and the id of the message it mirrors.
    """

    name: str = ""
    ticket: int | None = None
    mirror_of: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button. When pressed it comes back as `Press(action, value)`; with `url` it only opens a link.

    Tokens are made by the outbox (row id + place), so nothing a customer forges can name an action they were
    not offered.
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
    MODERATE = "moderate"  # what a person decided on the public words `quotes`; `text` is "delete" or "ban"
    ANNOUNCE = "announce"  # tells another system what happened; `text` is the JSON of it, `name` its id


class Priority(StrEnum):
    """Who goes first where a limit makes things wait; within a priority and a peer order is kept."""

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
    """What is to be delivered: one outbox row, one call of the platform.

    `name` lets the message be found again ("card:1042"): `edits` names the message that EDIT, PIN and DELETE
    act on (the newest of that name); such a row waits until that message is sent. `mirror_of` is the
    platform's id of the inbound message whose words these are, `quotes` the id (in the target chat) of the
    message to reply to. `heading` is shown before the text where the peer has no thread of its own (plain
    groups). `on_uncertain` says what to do when nobody can tell whether it arrived: send it again, or hold
    it for a person to settle. `author` says whose words the history keeps them as ("" = not kept:
    cosmetics). `receipt` is the operator's message that shows what became of this. `public` says
    that everybody may read it: without that nothing is said to a public peer (bot/delivery/public_words.py).
    """

    to: Peer
    text: RichText = RichText()
    buttons: Rows = ()
    attachments: tuple[Attachment, ...] = ()
    kind: OutboundKind = OutboundKind.SAY
    name: str = ""
    edits: str = ""
    mirror_of: str = ""
    quotes: str = ""
    heading: RichText = RichText()
    priority: Priority = Priority.MESSAGE
    on_uncertain: Literal["resend", "hold"] = "resend"
    author: Literal["bot", "operator", "system", ""] = "bot"
    author_name: str = ""
    ticket: int | None = None
    receipt: Receipt | None = None
    coalesce: bool = False  # plain words that become one message with earlier ones which still wait
    one_time: bool = False  # a keyboard that goes away after a press (VK); inline otherwise
    silent: bool = False
    public: bool = False
    only_for: str = ""  # the user for whom alone it is, where a group can show it so
    also: tuple[
        str, ...
    ] = ()  # once it is sent: the platform's further ids of it (an album has one for each photo)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform said about a delivery: the id of the new message (or of the opened topic), and its
    further ones.
    """

    message: str = ""
    also: tuple[str, ...] = ()
