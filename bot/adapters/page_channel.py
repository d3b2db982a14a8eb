"""What the chat needs of the service: the store its lines lie in, and who has consented."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.model import ChatLine, Customer, Event, Inbound, Outbound, Peer, RichText, Visitor


class ChatStore(Protocol):
    """The store, as far as chats on pages go; see `Store`."""

    shared: bool

    async def meet_visitor(self, inbound: Inbound, now: datetime) -> Visitor: ...

    async def visitor(self, channel: str, chat: str) -> Visitor | None: ...

    async def login_visitor(self, channel: str, login: str) -> Visitor | None: ...

    async def log_in_visitor(self, inbound: Inbound, login: str, now: datetime) -> Visitor | None: ...

    async def mark_visitor(self, channel: str, chat: str, **marks: int | str | datetime) -> None: ...

    async def away_visitors(
        self, channel: str, since: datetime, *, holding: str = "", limit: int = 50
    ) -> tuple[Visitor, ...]: ...

    async def send_letter(self, visitor: Visitor, letter: Outbound, now: datetime) -> bool: ...

    async def add_chat_line(self, channel: str, chat: str, line: ChatLine) -> ChatLine | None: ...

    async def chat_lines(
        self, channel: str, chat: str, *, after: int, limit: int = 100
    ) -> tuple[ChatLine, ...]: ...

    async def chat_messages(
        self, channel: str, chat: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[ChatLine, ...]: ...

    async def chat_line(self, channel: str, source: str) -> tuple[str, ChatLine] | None: ...

    async def keep_file(self, file: str, conversation: int, content: bytes, now: datetime) -> None: ...

    async def kept_file(self, file: str) -> bytes | None: ...

    async def first_setting(self, name: str, value: str) -> str: ...

    async def customer(self, id: int) -> Customer | None: ...

    async def change_fields(
        self, customer: int, changes: Mapping[str, object], now: datetime, *, by: str
    ) -> bool: ...

    async def enqueue(
        self, say: Sequence[Outbound], now: datetime, *, events: Sequence[Event] = ()
    ) -> tuple[int, ...]: ...


class ChatConsent(Protocol):
    """Consent to keep personal data, as config.yaml asks for it; see `bot/dialogs/consent.py`."""

    @property
    def is_on(self) -> bool: ...

    def has(self, customer: Customer | None) -> bool:
        """Whether they said yes to the version that holds now."""
        ...

    def shown(self, language: str) -> tuple[RichText, str]:
        """The notice, and the address of the policy."""
        ...

    def answered(
        self, customer: Customer, agreed: bool, *, channel: str, language: str, now: datetime
    ) -> tuple[dict[str, object], Event]:
        """What their answer changes among their fields, and the record of it."""
        ...


@runtime_checkable
class PageChannel(Protocol):
    """A channel whose chats lie in the store and are shown on pages."""

    def attach(self, parts: ChatParts) -> None:
        """Give it what it needs of the service, before that runs."""
        ...

    def hear(self, chat: str) -> None:
        """Another process has written a line there."""
        ...


@dataclass(frozen=True, slots=True)
class ChatParts:
    """The store, whose consent is asked how, the name of the business. *typing* shows the desk that the
    visitor of a chat types. *letter* makes the letter to somebody who is away, from the language, what they
    have not read, and where the chat opens; *say* tells the words of a key in a language.
    """

    store: ChatStore
    consent: ChatConsent
    business: str = ""
    language: str = "ru"
    typing: Callable[[Peer], Awaitable[None]] | None = None
    letter: Callable[[str, str, str], Outbound] | None = None
    say: Callable[[str, str], str] = lambda key, language: ""
