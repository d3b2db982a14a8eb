"""What our stores have in common: each method of the contract is a unit of work, made of the queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.errors import StorageError, VersionConflict
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
    Ticket,
    Turn,
    Visitor,
)
from bot.storage import maintenance, privacy
from bot.storage import purge as purging
from bot.storage.base import (
    ArticleVersion,
    ConversationPage,
    ConversationQuery,
    CustomerMessage,
    Delivery,
    DeliveryResult,
    DeliveryStatus,
    FinishedTurn,
    Recipient,
    ScheduledInbound,
    StoredEvent,
    TurnRecord,
)
from bot.storage.codec import ms
from bot.storage.database import Database, Made, Work
from bot.storage.queries import (
    announcements,
    article_versions,
    chat_lines,
    conversation_search,
    customer_merge,
    desk_state,
    enqueue,
    files,
    ideas,
    inbox,
    outbox,
    recipients,
    turns,
    visitors,
)
from bot.storage.queries import commit as finishing
from bot.storage.queries import events as event_queries
from bot.storage.queries import owed as owing
from bot.storage.queries import tickets as desk
from bot.storage.turn_locks import TurnLocks

PORTION = 200  # rows blanked in one transaction


class QueryStore(ABC):
    """A `Store` over the queries; a subclass says how a unit of work becomes a transaction."""

    _now: Callable[[], datetime]
    _locks: TurnLocks

    @abstractmethod
    async def _write(self, work: Work[Made], undo: Callable[[Made], None] | None = None) -> Made:
        """What *work* returned, once it is committed. *undo* is called with it where the caller went away
        before they had it.
        """

    @abstractmethod
    async def _read(self, work: Work[Made]) -> Made:
        """What *work* returned, from one moment's state; what a caller wrote before they read."""

    @abstractmethod
    def _post(self, work: Work[object]) -> None:
        """Do it after everything that waits now; nobody waits for the result."""

    @abstractmethod
    def _number(self, db: Database) -> int:
        """The id of a new turn, never given before."""

    def _epochs(self, db: Database, now: datetime) -> Mapping[str, int] | None:
        """The channels that this process may send to, each with the epoch of its lease; None = all."""
        return None

    @abstractmethod
    async def check(self) -> tuple[str, ...]:
        """As `Store` says."""

    @abstractmethod
    async def _scrub(self) -> None:
        """Nothing of what was blanked stays in free space or logs, as far as the engine can."""

    # --- intake
    async def accept(
        self, channel: str, arrivals: Sequence[ScheduledInbound], *, cursor: str | None = None
    ) -> int:
        return await self._write(lambda db: inbox.accept(db, channel, arrivals, cursor, self._now()))

    async def cursor(self, channel: str) -> str | None:
        return await self._read(lambda db: inbox.cursor(db, channel))

    # --- turns
    async def take_turn(self, now: datetime, *, batch: int = 50) -> Turn | None:
        return await self._write(
            lambda db: turns.take(db, self._locks, self._number, now, batch), undo=self._untake
        )

    async def finish_turn(self, turn: Turn, outcome: Outcome, now: datetime) -> FinishedTurn:
        try:
            return await self._write(lambda db: finishing.finish(db, self._locks, turn, outcome, now))
        except VersionConflict:  # its taker may take it anew at once
            await self._write(lambda db: turns.unlock(db, self._locks, turn))
            raise

    async def release_turn(self, turn: Turn, *, error: str = "", ready: datetime | None = None) -> None:
        try:
            await self._write(lambda db: turns.release(db, self._locks, turn, error, ready))
        except StorageError:
            self._unlock(turn)
            raise

    async def rest_turn(self, turn: Turn, inbounds: Sequence[Inbound], until: datetime) -> None:
        try:
            await self._write(lambda db: turns.rest(db, self._locks, turn, inbounds, until))
        except StorageError:
            self._unlock(turn)
            raise

    async def keep_heard(self, conversation: int, inbounds: Sequence[Inbound], now: datetime) -> None:
        await self._write(lambda db: turns.keep_heard(db, conversation, inbounds, now))

    async def fire_timers(self, now: datetime) -> int:
        return await self._write(lambda db: inbox.fire_timers(db, now))

    async def next_due(self, now: datetime) -> datetime | None:
        return await self._write(
            lambda db: min(filter(None, (self._locks.next_ready(db), turns.next_timer(db))), default=None)
        )

    def _unlock(self, turn: Turn) -> None:
        """Whatever became of it: nobody is at this turn any more."""
        self._post(lambda db: turns.unlock(db, self._locks, turn))

    def _untake(self, turn: Turn | None) -> None:
        """The taker went away before they had it."""
        if turn is not None:
            self._unlock(turn)

    # --- deliveries
    async def take_deliveries(
        self, now: datetime, *, limit: int = 32, resting: Collection[tuple[str, str]] = ()
    ) -> tuple[Delivery, ...]:
        return await self._write(
            lambda db: outbox.take(db, now, limit, frozenset(resting), self._epochs(db, now)),
            undo=self._undeliver,
        )

    def _undeliver(self, taken: tuple[Delivery, ...]) -> None:
        """The taker went away before they had them: certainly not sent."""
        back = DeliveryResult("pending", counted=False)
        for delivery in taken:
            self._post(
                partial(outbox.settle, id=delivery.id, settled=back, now=self._now(), epoch=delivery.epoch)
            )

    async def settle(self, delivery: Delivery, settled: DeliveryResult, now: datetime) -> tuple[int, ...]:
        return await self._write(lambda db: outbox.settle(db, delivery.id, settled, now, delivery.epoch))

    async def recover(
        self,
        now: datetime,
        *,
        begun: datetime | None = None,
        but: Collection[int] = (),
        channels: Collection[str] | None = None,
    ) -> int:
        def mend(db: Database) -> int:
            which = owing.AbandonedDeliveries(begun, frozenset(but), channels, self._epochs(db, now))
            return outbox.recover(db, owing.abandoned(db, which, now), now)

        return await self._write(mend)

    async def owed(self, now: datetime, late: timedelta) -> tuple[OwedAnswer, ...]:
        return await self._read(lambda db: owing.owed(db, now, late))

    async def retry(self, now: datetime, late: timedelta, held: timedelta) -> int:
        return await self._write(lambda db: owing.retry(db, self._locks, now, late, held))

    async def sends_since(self, since: datetime) -> tuple[tuple[Outbound, datetime, int], ...]:
        return await self._read(lambda db: outbox.sends_since(db, since))

    async def next_delivery(self, now: datetime) -> datetime | None:
        return await self._write(outbox.next_due)

    async def resolve_unknown(self, delivery: int, *, arrived: bool, now: datetime) -> bool:
        return await self._write(lambda db: outbox.resolve_unknown(db, delivery, arrived, now))

    async def enqueue(
        self, say: Sequence[Outbound], now: datetime, *, events: Sequence[Event] = ()
    ) -> tuple[int, ...]:
        return await self._write(lambda db: enqueue.enqueue_alone(db, say, now, events))

    async def announce(
        self,
        channel: str,
        choose: Callable[[StoredEvent], Outbound | None],
        now: datetime,
        *,
        limit: int = 200,
    ) -> int:
        return await self._write(lambda db: announcements.announce(db, channel, choose, now, limit))

    # --- desk
    async def desk_state(self) -> DeskState:
        return await self._read(desk_state.read)

    async def incident_met(self, number: int) -> tuple[int, ...]:
        return await self._read(lambda db: desk_state.incident_met(db, number))

    async def has_met(self, number: int, conversation: int) -> bool:
        return await self._read(lambda db: desk_state.has_met(db, number, conversation))

    async def topic(self, ticket: int, channel: str, chat: str) -> str | None:
        return await self._read(lambda db: desk.topic(db, ticket, channel, chat))

    async def keep_topic(self, ticket: int, channel: str, chat: str, thread: str) -> None:
        await self._write(lambda db: desk.keep_topic(db, ticket, channel, chat, thread))

    async def forget_topic(self, channel: str, chat: str, thread: str) -> int | None:
        return await self._write(lambda db: desk.forget_topic(db, channel, chat, thread))

    async def move_chat(self, channel: str, old: str, new: str) -> None:
        await self._write(lambda db: desk.move_chat(db, channel, old, new))

    async def setting(self, name: str) -> str | None:
        return await self._read(lambda db: desk.setting(db, name))

    async def keep_setting(self, name: str, value: str | None) -> None:
        await self._write(lambda db: desk.keep_setting(db, name, value))

    async def first_setting(self, name: str, value: str) -> str:
        return await self._write(lambda db: desk.first_setting(db, name, value))

    async def count_up(self, name: str, amount: int) -> int:
        return await self._write(lambda db: desk.count_up(db, name, amount))

    async def tickets(
        self, *, open_only: bool = True, limit: int = 200, bare: bool = False
    ) -> tuple[Ticket, ...]:
        return await self._read(lambda db: desk.tickets(db, open_only, limit, bare))

    async def queue(self) -> tuple[Ticket, ...]:
        return await self._read(desk.queue)

    async def recent_answers(self) -> tuple[tuple[datetime, datetime], ...]:
        return await self._read(turns.recent_answers)

    async def unattended(self) -> tuple[Conversation, ...]:
        return await self._read(desk.unattended)

    async def tickets_of(self, numbers: Collection[int], *, bare: bool = False) -> tuple[Ticket, ...]:
        return await self._read(lambda db: desk.tickets_of(db, numbers, bare))

    async def tickets_in(self, conversation: int) -> tuple[Ticket, ...]:
        return await self._read(lambda db: desk.tickets_in(db, conversation))

    async def ticket(self, number: int) -> Ticket | None:
        return await self._read(lambda db: turns.ticket(db, number))

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> tuple[HistoryEntry, ...]:
        return await self._read(lambda db: turns.history(db, conversation, limit, since))

    # --- queries
    async def conversation(self, peer: Peer) -> Conversation | None:
        return await self._read(lambda db: event_queries.conversation(db, peer))

    async def customer(self, id: int) -> Customer | None:
        return await self._read(lambda db: turns.customer(db, id))

    async def conversations(self, customer: int) -> tuple[Conversation, ...]:
        return await self._read(lambda db: event_queries.conversations(db, customer))

    async def find_customers(self, fields: Mapping[str, str]) -> tuple[Customer, ...]:
        return await self._read(lambda db: event_queries.find_customers(db, fields))

    async def find_inbound(self, channel: str, key: str) -> Inbound | None:
        return await self._read(lambda db: event_queries.find_inbound(db, channel, key))

    async def newest_message(self, conversation: int) -> Inbound | None:
        return await self._read(lambda db: event_queries.newest_message(db, conversation))

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> tuple[TurnRecord, ...]:
        return await self._read(lambda db: event_queries.records(db, conversation, after, limit))

    async def deliveries(
        self,
        *,
        status: Collection[DeliveryStatus] = (),
        after: int = 0,
        peer: Peer | None = None,
        name: str = "",
        limit: int = 200,
    ) -> tuple[Delivery, ...]:
        return await self._read(lambda db: outbox.listed(db, status, after, peer, limit, name))

    async def press(self, token: str, peer: Peer) -> Press | None:
        found = await self._read(lambda db: outbox.press(db, token, peer))
        return None if found is None else found[0]

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> tuple[Event, ...]:
        return await self._read(lambda db: event_queries.events(db, since, until, kinds))

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> tuple[Recipient, ...]:
        return await self._read(lambda db: recipients.listeners(db, after, limit, only))

    async def search_conversations(self, query: ConversationQuery, *, limit: int = 50) -> ConversationPage:
        return await self._read(lambda db: conversation_search.search(db, query, limit))

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> tuple[CustomerMessage, ...]:
        return await self._read(lambda db: recipients.words_since(db, since, after, limit))

    async def counts(self) -> Mapping[str, int]:
        return await self._read(maintenance.counts)

    # --- people's data and the file itself
    async def change_fields(
        self, customer: int, changes: Mapping[str, object], now: datetime, *, by: str
    ) -> bool:
        return await self._write(lambda db: customer_merge.change_fields(db, customer, changes, now, by))

    async def join_customers(self, how: CustomerMerge, now: datetime, *, by: str) -> bool:
        return await self._write(lambda db: customer_merge.carry_out_alone(db, how, now, by))

    async def known_as(self, customer: int) -> int:
        return await self._read(lambda db: customer_merge.known_as(db, customer))

    async def joined(self, customer: int) -> tuple[int, ...]:
        return await self._read(lambda db: customer_merge.joined(db, customer))

    async def export_customer(self, id: int) -> Mapping[str, object]:
        return await self._read(lambda db: privacy.export(db, id))

    async def forget_customer(self, id: int, now: datetime) -> bool:
        known = await self._write(lambda db: privacy.erase(db, id, now, self._number))
        if known:
            await self._scrub()
        return known

    async def clamp_delays(self, now: datetime) -> int:
        return await self._write(lambda db: maintenance.clamp_delays(db, now))

    async def keep_file(self, file: str, conversation: int, content: bytes, now: datetime) -> None:
        await self._write(lambda db: files.keep(db, file, conversation, content, now))

    async def keep_version(self, version: ArticleVersion) -> None:
        await self._write(lambda db: article_versions.keep(db, version))

    async def article_versions(self, article: str) -> tuple[ArticleVersion, ...]:
        return await self._read(lambda db: article_versions.of(db, article))

    async def kept_file(self, file: str) -> bytes | None:
        return await self._read(lambda db: files.read(db, file))

    async def ideas(self) -> tuple[Idea, ...]:
        return await self._read(ideas.read)

    # --- chats that are shown on pages of ours
    async def meet_visitor(self, inbound: Inbound, now: datetime) -> Visitor:
        return await self._write(lambda db: visitors.meet(db, inbound, now))

    async def visitor(self, channel: str, chat: str) -> Visitor | None:
        return await self._read(lambda db: visitors.read(db, channel, chat))

    async def login_visitor(self, channel: str, login: str) -> Visitor | None:
        return await self._read(lambda db: visitors.logged_in(db, channel, login))

    async def log_in_visitor(self, inbound: Inbound, login: str, now: datetime) -> Visitor | None:
        return await self._write(lambda db: visitors.log_in(db, inbound, login, now))

    async def mark_visitor(self, channel: str, chat: str, **marks: int | str | datetime) -> None:
        kept = {k: ms(v) if isinstance(v, datetime) else v for k, v in marks.items()}
        await self._write(lambda db: visitors.mark(db, channel, chat, kept))

    async def away_visitors(
        self, channel: str, since: datetime, *, holding: str = "", limit: int = 50
    ) -> tuple[Visitor, ...]:
        return await self._read(lambda db: visitors.away(db, channel, since, holding, limit))

    async def send_letter(self, visitor: Visitor, letter: Outbound, now: datetime) -> bool:
        return await self._write(lambda db: visitors.send_letter(db, visitor, letter, now))

    async def add_chat_line(self, channel: str, chat: str, line: ChatLine) -> ChatLine | None:
        return await self._write(lambda db: chat_lines.add(db, channel, chat, line))

    async def chat_lines(
        self, channel: str, chat: str, *, after: int, limit: int = 100
    ) -> tuple[ChatLine, ...]:
        return await self._read(lambda db: chat_lines.after(db, channel, chat, after, limit))

    async def chat_messages(
        self, channel: str, chat: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[ChatLine, ...]:
        return await self._read(lambda db: chat_lines.messages(db, channel, chat, before, limit))

    async def chat_line(self, channel: str, source: str) -> tuple[str, ChatLine] | None:
        return await self._read(lambda db: chat_lines.by_source(db, channel, source))

    async def purge(self, before: datetime) -> int:
        """In portions, each a transaction of its own, so that nobody waits long."""
        blanked, more = 0, True
        while more:
            portion = await self._write(lambda db: purging.purge(db, before, PORTION))
            blanked, more = blanked + portion.blanked, portion.more
        return blanked
