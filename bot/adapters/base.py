"""What a channel must be able to do: turn the platform's words into ours, and carry our deliveries out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from bot.clock import Clock
from bot.errors import Problem
from bot.model import Attachment, Inbound, Media, Outbound, Sender, Sent

if TYPE_CHECKING:
    from aiohttp import web  # slow to import, and only a type here


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message of a channel may hold, and how often it may speak. Lengths are in UTF-16 units."""

    text: int = 4096
    caption: int = 1024
    attachments: int = 10  # in one call
    label: int = 64  # characters of a button
    buttons: int = 100
    row: int = 8
    notice: int = 200  # characters of an acknowledgement
    media: frozenset[Media] = frozenset(Media)
    topics: bool = False  # some chats have threads (forum groups)
    edits: bool = True
    joins: bool = False  # what is said at once is one message (a letter)
    threaded: bool = False  # an answer names the message that it answers
    reactions: bool = False
    per_second: float = 25.0  # calls of the whole account
    peer_per_second: float = 1.0  # private chat
    peer_burst: int = 3
    group_per_minute: float = 18.0  # one group, all its threads together; 0 = no limit of its own


@dataclass(frozen=True, slots=True)
class File:
    """The content of an attachment."""

    content: bytes
    name: str = ""
    mime: str = ""
    digest: str = ""  # of the content of a local file: the same file again has the same; "" elsewhere


class Files(Protocol):
    """Where an adapter gets the content of an attachment that another channel (or the disk) holds."""

    async def read(self, attachment: Attachment) -> File:
        """Raises `Refused` where it is too big or gone for good, `RetryLater` where it may come later."""
        ...


@runtime_checkable
class UploadedFiles(Protocol):
    """`Files` that remember what a platform calls what was uploaded, so that it need not be again."""

    async def known(self, attachment: Attachment, channel: str, kind: str) -> str:
        """What *channel* calls a local file that was uploaded before as *kind*; "" where it was not. Never
        raises.
        """
        ...

    async def remember(self, file: File, channel: str, kind: str, ref: str) -> None:
        """Keep what *channel* calls the local *file* now. Never raises; a repeat replaces it."""
        ...


class Accept(Protocol):
    """Hands inbounds to the inbox. When it returns, everything is kept; only then may the platform be told
    to forget it.

    `cursor` is where the platform's queue stands after these; it is kept in the same transaction.
    The same inbound again changes nothing. Raises `StorageError`: then the platform must not be told
    anything.
    """

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """What the platform says about a chat; `problems` names the rights the bot lacks there, each with the way
    to give them.
    """

    chat: str
    title: str = ""
    kind: Literal["private", "group", "forum"] = "private"
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandMenu:
    """The commands that a channel offers behind "/": in private chats, in all groups, or in one *chat*."""

    scope: Literal["private", "groups", "chat"]
    commands: tuple[tuple[str, str], ...]  # command without "/", its description
    chat: str = ""
    language: str = ""


@dataclass(slots=True)
class Health:
    """How a channel is doing, for /readyz and the log. The only mutable value an adapter shows.

    *polls*: it hears its platform all the time, so that silence for long means that something is wrong.
    *awaited*: customers wait for it, so that the bot is not ready while it fails. "standby": another
    process polls it and sends to it.
    """

    state: Literal["starting", "working", "failing", "stopped", "standby"] = "starting"
    last_poll: datetime | None = None
    last_error: str = ""
    details: dict[str, str] = field(default_factory=dict)
    polls: bool = False
    awaited: bool = True


class Adapter(Protocol):
    """One instance of a channel. Holds no state that a restart would miss.

    Derive from it: what a platform need not have (webhooks, links to messages, a menu of commands) then has
    an answer already.
    """

    name: str
    kind: str
    platform_name: str = ""  # what people call it: "Telegram"; "" = by its name
    limits: Limits
    health: Health

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """Take in what happens until cancelled. Survives every outage by itself; raises `AccountError` only
        when the account cannot be used at all (wrong token). `cursor` is what `accept` was last given.
        """
        ...

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """Carry out one delivery by one sending call of the platform.

        *nonce* is the outbox row: the same one again is the same message (idempotency key where the platform
        has one, and
        the stem of the buttons' tokens, see bot/button_tokens.py). *target* is the platform's id of the
        message named by `outbound.edits`.
        Already done (not modified, topic already closed) is success. Raises the subclasses of
        `DeliveryError`.
        """
        ...

    async def read(self, attachment: Attachment) -> File:
        """The content of an attachment whose `channel` is this one."""
        ...

    async def chat_info(self, chat: str) -> ChatInfo:
        """What this chat is, and what the bot may not do there but should.

        Raises `PeerGone` where it cannot be seen.
        """
        ...

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        """Whether *user* belongs to *chat* now."""
        ...

    async def profile(self, user: str) -> Sender | None:
        """What the platform tells of a person, where the inbound did not carry it."""
        ...

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        """Show "typing…" for some seconds; failures are nobody's business."""
        ...

    async def check(self) -> tuple[Problem, ...]:
        """Everything about the account that would keep the bot from working, each with the way to mend it
        (for doctor).
        """
        ...

    def is_group(self, chat: str) -> bool:
        """Whether several people read *chat*, told by its id alone."""
        ...

    def topic_url(self, chat: str, thread: str) -> str:
        """Where a browser opens the topic *thread* of *chat*; "" where there is no such address."""
        return ""

    def routes(self) -> Sequence[web.RouteDef]:
        """What the page serves for this channel, where its platform calls us, all under /hooks/NAME; or where
        people write, all under /chat/NAME/."""
        return ()

    def take_calls(self, accept: Accept) -> None:
        """From now on hand to *accept* what the platform calls `routes` with, also where another process is
        the one that does `run` the channel: the platform's calls may come to any.
        """
        return

    async def publish_commands(self, menus: Sequence[CommandMenu]) -> None:
        """Tell the platform which commands to offer, where it can offer any."""
        return

    async def close(self) -> None:
        """Give back connections. Called once, after `run` has ended and the last send has returned."""
        ...


@runtime_checkable
class RecordedAdapter(Protocol):
    """An adapter that asks the store about what it answers, and says words of its own to customers."""

    def know(self, records: Any, texts: Any) -> None:
        """The store and the texts of the bot, before anything is taken in or sent."""
        ...


@runtime_checkable
class ConfiguredAdapter(Protocol):
    """A class of adapters that takes the keys of its channel in config.yaml in one piece.

    Any other entry point of `bot.adapters` is called with each key as a keyword argument.
    """

    def configured(self, name: str, keys: Mapping[str, Any], clock: Clock) -> Adapter:
        """Class method: the adapter of the channel *name*. Raises `ConfigError` where the keys are no use."""
        ...
