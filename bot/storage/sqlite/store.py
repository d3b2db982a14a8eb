"""The embedded store: one SQLite file with one owner, written by one thread, read beside it.

Each method is one unit of the writer; units that wait together are committed together. `:memory:` is the same
store without a file, and the only fake there is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.errors import StorageError, VersionConflict
from bot.model import (
    Conversation,
    Customer,
    CustomerMerge,
    DeskState,
    Event,
    HistoryEntry,
    Inbound,
    Outbound,
    Outcome,
    OwedAnswer,
    Peer,
    Press,
    Ticket,
    Turn,
)
from bot.storage import maintenance, privacy
from bot.storage.base import (
    CustomerMessage,
    Delivery,
    DeliveryResult,
    DeliveryStatus,
    FinishedTurn,
    Lease,
    Recipient,
    Replica,
    ScheduledInbound,
    StoredEvent,
    TurnRecord,
)
from bot.storage.migrations import bring_up
from bot.storage.queries import (
    announcements,
    customer_merge,
    desk_state,
    enqueue,
    inbox,
    outbox,
    recipients,
    turns,
)
from bot.storage.queries import commit as finishing
from bot.storage.queries import events as event_queries
from bot.storage.queries import owed as owing
from bot.storage.queries import tickets as desk
from bot.storage.sqlite.lockfile import LockFile
from bot.storage.sqlite.writer import ConversationLocks, Work, Writer
from bot.text.problems import told

Made = TypeVar("Made")
PORTION = 500  # rows blanked in one transaction


def _now() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """A `Store` in one SQLite file (or in memory). Made by `open`; `close` gives the file back."""

    def __init__(
        self,
        file: Path | None,
        lock: LockFile | None,
        db: sqlite3.Connection,
        reader: sqlite3.Connection | None,
        now: Callable[[], datetime],
        group: int,
    ) -> None:
        self.file, self.holder, self.shared = file, "", False
        self._hits: dict[str, list[datetime]] = {}
        self._lock, self._db, self._reading, self._now = lock, db, reader, now
        self._locks = ConversationLocks()
        self._turns = turns.highest(db)
        self._writer = Writer(db, self._locks, group=group)
        self._reader = None if reader is None else Writer(reader, ConversationLocks(), reads=True)

    @classmethod
    def open(
        cls, url_or_path: str | Path, *, now: Callable[[], datetime] = _now, group: int = 64
    ) -> SqliteStore:
        """The store in this file, made with its folder where there is none and brought up to this version's
        shape.

        Takes `sqlite:///data/bot.db`, a plain path, or `:memory:`; *group* is how many waiting units share a
        commit at most. Raises `StorageBusy` where another process owns the file, `StorageNewer` where a newer
        version has been at it, `StorageError` where it cannot be opened.
        """
        file = _file(url_or_path)
        with ExitStack() as undo:
            try:
                lock = None if file is None else _own(file)
                if lock is not None:
                    undo.callback(lock.release)
                db = _connect(str(file) if file else ":memory:")
                undo.callback(db.close)
                bring_up(db, file, now())
                reader = _connect(f"{file.as_uri()}?mode=ro", read_only=True) if file else None
                store = cls(file, lock, db, reader, now, group)
            except OSError as error:
                raise StorageError(told("database.folder", folder=file and file.parent)) from error
            except sqlite3.Error as error:
                why = told("database.not_opened", file=file or ":memory:", reason=error)
                raise StorageError(why) from error
            undo.pop_all()
            return store

    @property
    def commits(self) -> int:
        """How many transactions were needed so far."""
        return self._writer.commits

    async def _write(self, work: Work[Made], undo: Callable[[Made], None] | None = None) -> Made:
        return await self._writer.run(work, undo=undo)

    async def _read(self, work: Work[Made]) -> Made:
        """Beside the writer where there is a file: a future is resolved after its COMMIT, so what a caller
        wrote they read.
        """
        return await (self._reader or self._writer).run(work)

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
        except VersionConflict:
            self._unlock(turn)
            raise

    async def release_turn(self, turn: Turn, *, error: str = "", ready: datetime | None = None) -> None:
        try:
            await self._write(lambda db: turns.release(db, self._locks, turn, error, ready))
        finally:
            self._unlock(turn)

    async def fire_timers(self, now: datetime) -> int:
        return await self._write(lambda db: inbox.fire_timers(db, now))

    async def next_due(self, now: datetime) -> datetime | None:
        return await self._write(
            lambda db: min(
                filter(None, (turns.next_ready(db, self._locks), turns.next_timer(db))), default=None
            )
        )

    def _number(self) -> int:
        self._turns += 1
        return self._turns

    def _unlock(self, turn: Turn) -> None:
        """Whatever became of it: nobody is at this turn any more."""
        self._writer.post(lambda db: turns.unlock(self._locks, turn))

    def _untake(self, turn: Turn | None) -> None:
        """The taker went away before they had it."""
        if turn is not None:
            self._unlock(turn)

    # --- deliveries
    async def take_deliveries(
        self, now: datetime, *, limit: int = 32, resting: Collection[tuple[str, str]] = ()
    ) -> tuple[Delivery, ...]:
        return await self._write(
            lambda db: outbox.take(db, now, limit, frozenset(resting)), undo=self._undeliver
        )

    def _undeliver(self, taken: tuple[Delivery, ...]) -> None:
        """The taker went away before they had them: certainly not sent."""
        back = DeliveryResult("pending", counted=False)
        for delivery in taken:
            self._writer.post(partial(outbox.settle, id=delivery.id, settled=back, now=self._now()))

    async def settle(self, delivery: Delivery, settled: DeliveryResult, now: datetime) -> tuple[int, ...]:
        return await self._write(lambda db: outbox.settle(db, delivery.id, settled, now))

    async def recover(
        self, now: datetime, *, begun: datetime | None = None, but: Collection[int] = ()
    ) -> int:
        return await self._write(
            lambda db: outbox.recover(db, owing.abandoned(db, begun or now, frozenset(but)), now)
        )

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

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> tuple[CustomerMessage, ...]:
        return await self._read(lambda db: recipients.words_since(db, since, after, limit))

    async def counts(self) -> Mapping[str, int]:
        return await self._read(maintenance.counts)

    # --- one process: it holds everything, and nobody else is there
    async def renew(self, names: Collection[str], now: datetime, lasting: timedelta) -> Mapping[str, Lease]:
        return {name: Lease(name, self.holder, 0, now + lasting) for name in names}

    async def give_up(self, names: Collection[str]) -> None:
        pass

    async def leases(self) -> tuple[Lease, ...]:
        return ()

    async def report(self, replica: Replica, now: datetime) -> None:
        pass

    async def replicas(self, since: datetime) -> tuple[Replica, ...]:
        return ()

    async def hit(self, name: str, now: datetime, within: timedelta) -> int:
        lately = [at for at in self._hits.get(name, ()) if now - within < at <= now]  # the clock may go back
        self._hits[name] = [*lately, now]
        return len(lately) + 1

    async def clock(self) -> datetime | None:
        return None

    def listen(self, heard: Callable[[str], None]) -> None:
        pass

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
            await self._writer.run(privacy.scrub, alone=True)
        return known

    async def clamp_delays(self, now: datetime) -> int:
        return await self._write(lambda db: maintenance.clamp_delays(db, now))

    async def purge(self, before: datetime) -> int:
        """In portions, each a transaction of its own, so that nobody waits long."""
        blanked = 0
        while portion := await self._write(lambda db: privacy.purge(db, before, PORTION)):
            blanked += portion
        return blanked

    async def backup(self, path: Path) -> None:
        await (self._reader or self._writer).run(
            lambda db: maintenance.backup(db, path, of=self.file), alone=True
        )

    async def check(self) -> tuple[str, ...]:
        return await self._read(lambda db: maintenance.check(db, self._now()))

    async def close(self) -> None:
        """Finish what waits, tidy the log, give the file back. A second call changes nothing."""
        if self._reader is not None and self._reading is not None:
            self._reader.close()
            self._reading.close()
        self._writer.close()
        self._db.close()
        if self._lock is not None:
            self._lock.release()


def copy_beside_owner(url_or_path: str | Path, to: Path) -> None:
    """A whole copy of a database that another process owns, as of one moment.

    Read-only: only the owner writes and checkpoints, so the two connections cannot meet in the log. Raises
    `StorageError`.
    """
    file = _file(url_or_path)
    if file is None or not file.is_file():
        raise StorageError(told("database.none", file=file or ":memory:"))
    try:
        db = _connect(f"{file.as_uri()}?mode=ro", read_only=True)
        try:
            maintenance.backup(db, to, of=file)
        finally:
            db.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(told("database.not_copied", file=file, reason=error)) from error


def _file(url_or_path: str | Path) -> Path | None:
    """The database file; None for memory."""
    name = str(url_or_path)
    if name.startswith("sqlite://"):
        name = name.removeprefix("sqlite://").removeprefix("/") or ":memory:"
    elif "://" in name:
        raise StorageError(told("database.kind", kind=name.partition("://")[0]))
    return None if name == ":memory:" else Path(name).expanduser().resolve()


def _own(file: Path) -> LockFile:
    """The right to *file*, which is there afterwards, with its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = LockFile(file)
    maintenance.make_private(file)
    return lock


def _connect(name: str, *, read_only: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(
        name, isolation_level=None, check_same_thread=False, cached_statements=512, uri=read_only
    )
    db.row_factory = sqlite3.Row
    pragmas = (
        ()
        if read_only
        else (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "secure_delete = on",
            "wal_autocheckpoint = 4000",
        )
    )
    for pragma in (*pragmas, "cache_size = -8000", "busy_timeout = 5000"):
        db.execute(f"pragma {pragma}")
    return db
