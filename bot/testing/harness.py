"""A service in memory whose customers and operators are played by a test: says, presses, hears."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bot.app import Overrides, Service, build_service
from bot.button_tokens import token
from bot.clock import HandClock
from bot.config.loader import Config
from bot.dialogs.flows.connector import NoConnector
from bot.model import Attachment, Inbound, InboundKind, Outbound, OutboundKind, Peer, Sender
from bot.storage.base import Store
from bot.storage.query_store import QueryStore
from bot.storage.sqlite.store import SqliteStore
from bot.testing.fakes import FakeAdapter, SentMessage
from bot.testing.threadless import without_threads

DESK_CHAT = "-100500"
PLACE = Peer("telegram", DESK_CHAT)
_starts: Counter[Path] = Counter()  # how often this process has opened a file
NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday, 12:00 in Moscow


class TestBot:
    """A service with what is around it: channels `telegram` and `vk`, an operators' group in `telegram`, and
    a clock that is moved by hand.
    """

    __test__ = False  # for pytest, which takes every class of such a name for a test

    def __init__(
        self,
        service: Service,
        clock: HandClock,
        channels: Mapping[str, FakeAdapter],
        place: Peer,
        *,
        keys: str = "k",
    ) -> None:
        """*keys* begins every key, so that another start on the same file has keys of its own."""
        self.place = place  # of the operators' group
        self.service, self.clock, self.channels = service, clock, channels
        self._keys = (f"{keys}{number}" for number in count(1))

    @property
    def store(self) -> QueryStore:
        """The service's store, of either engine."""
        assert isinstance(self.service.store, QueryStore)
        return self.service.store

    @property
    def sqlite_store(self) -> SqliteStore:
        """The service's store, for what only SQLite has."""
        assert isinstance(self.service.store, SqliteStore)
        return self.service.store

    def customer(
        self, name: str = "Анна", *, channel: str = "telegram", chat: str = "1001", language: str = "ru"
    ) -> PlayedCustomer:
        return PlayedCustomer(self, Peer(channel, chat), Sender(chat, name, language=language))

    def operator(
        self, name: str = "Ольга", *, id: str = "9001", last_name: str = "", username: str = ""
    ) -> PlayedOperator:
        return PlayedOperator(self, Sender(id, name, last_name, username))

    def desk_posts(self, since: int = 0) -> list[Outbound]:
        """What was said in the operators' group and its topics, after the first *since* posts."""
        return [s.outbound for s in self.channels[self.place.channel].in_chat(self.place.chat)][since:]

    def desk_texts(self, mark: str = "") -> list[str]:
        """The texts of those posts that hold *mark*."""
        return [post.text.text for post in self.desk_posts() if mark in post.text.text]

    def key(self) -> str:
        return next(self._keys)

    async def arrive(self, *inbounds: Inbound, run: bool = True) -> None:
        """Let things happen, and the service come to rest (*run* False: only keep them)."""
        for inbound in inbounds:
            await self.service.inbox.accept(inbound.peer.channel, [inbound])
        if run:
            await self.rest()

    async def rest(self) -> None:
        """Take all turns and deliver everything, letting bursts settle first."""
        self.clock.advance(seconds=6)
        await self.service.leases.beat()
        while (
            await self.service.store.fire_timers(self.clock())
            or await self.service.engine.run_waiting()
            or await self.service.outbox.run_waiting()
        ):
            pass

    async def later(self, **units: float) -> None:
        """Let time pass, with everything that becomes due in it."""
        self.clock.advance(**units)
        await self.rest()
        await self.service.rounds.go(self.clock())
        await self.rest()


class _Person:
    def __init__(self, testbot: TestBot, sender: Sender) -> None:
        self._testbot, self.sender = testbot, sender

    def inbound(
        self, peer: Peer, kind: InboundKind, text: str = "", *, private: bool, key: str = "", **more: object
    ) -> Inbound:
        """What they do in *peer*, as an adapter would tell it, for `TestBot.arrive`: for what no method here
        does.
        """
        key = key or self._testbot.key()
        return Inbound(key, peer, self.sender, self._testbot.clock(), kind, text, private=private, **more)  # type: ignore[arg-type]


class PlayedCustomer(_Person):
    """Somebody who writes in private."""

    def __init__(self, testbot: TestBot, peer: Peer, sender: Sender) -> None:
        super().__init__(testbot, sender)
        self.peer = peer
        self._mark = 0

    def listens(self, since: int | None = None) -> None:
        """From now on `hears` tells what comes next (or after the first *since* sends of the channel)."""
        self._mark = len(self.channel.said) if since is None else since

    async def says(
        self,
        *texts: str,
        attachments: tuple[Attachment, ...] = (),
        message: str = "",
        quotes: str = "",
        run: bool = True,
        kind: InboundKind = InboundKind.MESSAGE,
    ) -> None:
        """Write one or several messages in a row."""
        self.listens()
        for text in texts or ("",):
            id = message or f"m{self._testbot.key()}"
            inbound = self.inbound(
                self.peer, kind, text, private=True, attachments=attachments, message=id, quotes=quotes
            )
            await self._testbot.arrive(inbound, run=False)
        if run:
            await self._testbot.rest()

    async def presses(self, label: str) -> None:
        """Press the newest button whose label contains *label*. Raises `LookupError`."""
        await self.taps(*find_button(self.channel.in_chat(self.peer.chat, kind=None), label))

    async def taps(self, said: SentMessage, row: int, column: int, *, run: bool = True) -> None:
        """Press this very button."""
        self.listens()
        press = self.inbound(
            self.peer,
            InboundKind.PRESS,
            private=True,
            press=token(said.nonce, row, column),
            callback=self._testbot.key(),
            message=said.message,
        )
        await self._testbot.arrive(press, run=run)

    def hears(self) -> list[str]:
        """Texts that came since the last time something was said or pressed, or since `listens`."""
        return [s.outbound.text.text for s in self.sees()]

    def sees(self) -> list[SentMessage]:
        return [
            s
            for s in self.channel.said[self._mark :]
            if s.outbound.to.chat == self.peer.chat
            and s.outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT)
        ]

    @property
    def channel(self) -> FakeAdapter:
        return self._testbot.channels[self.peer.channel]


class PlayedOperator(_Person):
    """Somebody in the operators' group."""

    async def says(
        self,
        text: str,
        *,
        ticket: int | None = None,
        message: str = "",
        quotes: str = "",
        attachments: tuple[Attachment, ...] = (),
        run: bool = True,
    ) -> None:
        """Write in the ticket's topic (or in the group itself)."""
        inbound = await self._said(InboundKind.MESSAGE, text, ticket, message)
        await self._testbot.arrive(replace(inbound, quotes=quotes, attachments=attachments), run=run)

    async def does(
        self,
        kind: InboundKind,
        text: str = "",
        *,
        ticket: int | None = None,
        message: str = "",
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        """Anything else there: edit a message of one's own, close a topic, add the bot to a group."""
        inbound = await self._said(kind, text, ticket, message)
        await self._testbot.arrive(replace(inbound, attachments=attachments))

    async def _said(self, kind: InboundKind, text: str, ticket: int | None, message: str) -> Inbound:
        peer = replace(self._testbot.place, thread=await self.thread(ticket) if ticket else "")
        message = message or f"o{self._testbot.key()}"
        return self.inbound(peer, kind, text, private=False, message=message)

    async def presses(self, label: str, *, ticket: int | None = None, run: bool = True) -> None:
        thread = await self.thread(ticket) if ticket else None
        await self.taps(*find_button(self._in_group(thread), label), run=run)

    async def taps(self, said: SentMessage, row: int, column: int, *, run: bool = True) -> None:
        """Press this very button."""
        press = self.inbound(
            said.outbound.to,
            InboundKind.PRESS,
            private=False,
            press=token(said.nonce, row, column),
            callback=self._testbot.key(),
            message=said.message,
        )
        await self._testbot.arrive(press, run=run)

    async def thread(self, ticket: int | None) -> str:
        """The topic of a ticket."""
        place = self._testbot.place
        return (
            (await self._testbot.service.store.topic(ticket, place.channel, place.chat) or "")
            if ticket
            else ""
        )

    async def sees(self, ticket: int | None = None) -> list[Outbound]:
        """Everything shown in the ticket's topic (or in the whole group), oldest first."""
        thread = await self.thread(ticket) if ticket else None
        return [s.outbound for s in self._in_group(thread)]

    def _in_group(self, thread: str | None) -> list[SentMessage]:
        place = self._testbot.place
        return self._testbot.channels[place.channel].in_chat(place.chat, thread, kind=None)


def find_button(said: list[SentMessage], label: str) -> tuple[SentMessage, int, int]:
    """The newest message with such a button, and the button's place."""
    for message in reversed(said):
        for r, row in enumerate(message.outbound.buttons):
            for c, button in enumerate(row):
                if label in button.label:
                    return message, r, c
    raise LookupError(
        f"no button {label!r} in {[b.label for m in said for row in m.outbound.buttons for b in row]}"
    )


@dataclass(frozen=True, slots=True)
class OperatorsGroup:
    """Where the operators of a test are: a group at *place*, on Telegram with topics (*forum*) or without."""

    place: Peer = PLACE
    forum: bool = True


def make_store(clock: HandClock) -> str | Store:
    """Where a test's bot keeps everything unless the test says so: SQLite in memory. A run of the suite may
    put another store in its place.
    """
    return ":memory:"


@asynccontextmanager
async def open_test_bot(
    articles: Path,
    *,
    config: Config | None = None,
    desk: OperatorsGroup | None = OperatorsGroup(),
    storage: str | Store = "",
    given: Overrides | None = None,
    threads: bool = True,
) -> AsyncIterator[TestBot]:
    """A service over the articles in a folder, with fake channels; closed at the end. *desk* None: no group
    is bound yet. *storage* is a file or an open store; "" is what `make_store` makes. *given* may
    hold knowledge that is already open, a connector for the calls of flows (default: nobody answers), the
    clock, and adapters beside the fake ones.

    Without *threads* SQLite's store works where it is called: several times faster where nothing runs beside
    the player.
    """
    config, group, given = config or Config(), desk or OperatorsGroup(), given or Overrides()
    settings = config.model_dump(exclude={"base", "channels", "desk"})
    settings["knowledge"] = {**settings["knowledge"], "folder": str(articles), "embeddings": {"model": "off"}}
    clock = given.clock if isinstance(given.clock, HandClock) else HandClock(NOON)
    more = given.adapters if isinstance(given.adapters, Mapping) else {}
    channels = {
        "telegram": FakeAdapter("telegram", forum=group.forum),
        "vk": FakeAdapter("vk"),
    }
    service = await build_service(
        Config(**settings, base=config.base),
        Overrides(
            adapters={**channels, **more},
            clock=clock,
            desk=desk.place if desk else None,
            storage=storage or make_store(clock),
            log_events=False,
            knowledge=given.knowledge,
            connector=given.connector or NoConnector(),
        ),
    )
    start = 1
    if file := service.store.file:
        _starts[file] = start = _starts[file] + 1
    testbot = TestBot(service, clock, channels, group.place, keys="k" if start == 1 else f"{start}k")
    if not threads and isinstance(service.store, SqliteStore):
        without_threads(service.store)
    try:
        await service.leases.beat()
        yield testbot
    finally:
        await service.close()
