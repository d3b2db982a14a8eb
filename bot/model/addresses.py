"""Where something is said and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Json = Mapping[str, object]
ASSISTANT = "assistant-desk"  # the channel by which the assistant is asked for what operators want
PLAYED = "guests"  # the channel of customers whom the service itself plays: in no ordinary figure
INNER = frozenset({PLAYED, ASSISTANT})  # channels at whose other end nobody is


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
