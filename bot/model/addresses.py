"""Where something is said and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Json = Mapping[str, object]
ASSISTANT = "assistant-desk"  # the channel by which the assistant is asked for what operators want
PUBLIC = "public:"  # begins the thread of a `Peer` whose words everybody reads (comments)
PLAYED = "guests"  # the channel of customers whom the service itself plays: in no ordinary figure
INNER = frozenset({PLAYED, ASSISTANT})  # channels at whose other end nobody is


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """An address: a channel *instance* ("vk-shop-2", not a kind), a chat in it, and a thread where the chat
    has some.

    `thread` is the platform's own id. One form is ours: `ticket:1042` means "wherever ticket 1042 is shown",
    and is resolved by the outbox (a forum topic, opened on demand; the plain group itself where there are no
    topics). `account:ID` is a chat of a person's own account in which a connection lets the bot answer.
    Comments of a person stand in a thread of the person's own chat, `public:` and the platform's
    name of the place: one customer, written to in public and alone.
    """

    channel: str
    chat: str
    thread: str = ""

    @property
    def is_public(self) -> bool:
        """Whether everybody may read what is said there."""
        return self.thread.startswith(PUBLIC)

    @property
    def alone(self) -> Peer:
        """The same person's chat that nobody else reads."""
        return Peer(self.channel, self.chat)

    def message_name(self, message: str) -> str:
        """The name under which the outbound that carries this chat's *message* is found again."""
        return f"{self.channel}:{self.chat}:{message}"


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
