"""The leases of this process: what only one of those that share a database may do at a time, and for how long
this one may believe that it is the one.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32

from bot.clock import Clock
from bot.config.roles import ProcessRole
from bot.errors import ConfigError, StorageError
from bot.observability import get_logger
from bot.storage.base import Lease, Replica
from bot.text.problems import problem, warning

PERIODIC = "periodic"
EVERY = 3.0  # seconds between heartbeats
LASTING = timedelta(seconds=12)  # what a heartbeat gives
# seconds before the database's end of a lease at which its holder stops by itself
MARGIN = 3.0
LAST = 0.5  # the same, after which what was begun before must be over
# since when who lives has reported: one that was killed is not counted any more when its leases are free
LIVING = LASTING - timedelta(seconds=EVERY)
LOOK = 0.25  # seconds between looks whether a lease ran out
SOON = 1.0  # the same, while something is free
AWAY = 1.0  # and while the database is away
SILENT = 1.5 * EVERY  # seconds after which who went by a name has ended
LARGEST_SKEW = 2.0
TRIES = 3  # free leases that another took first are looked for so often in one heartbeat


def channel_lease(channel: str) -> str:
    """The name of the right to send to a channel and to poll it."""
    return f"channel:{channel}"


class LeaseTable(Protocol):
    """What is asked of the store (bot/storage/base.py)."""

    holder: str
    shared: bool

    async def renew(
        self, names: Collection[str], now: datetime, lasting: timedelta
    ) -> Mapping[str, Lease]: ...

    async def give_up(self, names: Collection[str]) -> None: ...

    async def leases(self) -> tuple[Lease, ...]: ...

    async def report(self, replica: Replica, now: datetime) -> None: ...

    async def replicas(self, since: datetime) -> tuple[Replica, ...]: ...

    async def clock(self) -> datetime | None: ...


async def follow_database(clock: Clock, store: LeaseTable) -> float:
    """Let *clock* go by the database's, where that has one; returns by how much the machine's is ahead."""
    begun = clock.monotonic()
    told = await store.clock()
    return 0.0 if told is None else clock.follow(told, begun)


class LeaseKeeper:
    """Takes and keeps the *wanted* leases, and tells of each that is gained or lost.

    Law: a lease is believed in until the last renewal that succeeded was *begun* + what it gives - a margin,
    by the monotonic clock. So a process that was frozen, or that lost its database, has stopped before
    another can begin. A store of one process's own gives everything at once, for good.
    """

    def __init__(
        self, store: LeaseTable, clock: Clock, wanted: Collection[str], *, describe: Callable[[], Replica]
    ) -> None:
        self._store, self._clock, self._wanted, self._describe = store, clock, frozenset(wanted), describe
        now = clock()
        self._started = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as precise as it is kept
        self._until: dict[str, float] = {}  # by the monotonic clock
        self._ends: dict[str, float] = {}  # the same clock: from when on another may begin
        self._epochs: dict[str, int] = {}  # of those that were told of as gained
        self._tenures: dict[str, int] = {}  # how often each was gained
        self._free: frozenset[str] = frozenset()  # what nobody had at the last heartbeat
        self._foreign: tuple[datetime, ...] = ()  # when leases that others have run out
        self._heard: list[Callable[[str, bool], None]] = []
        self._heard_ends: list[Callable[[str], None]] = []
        self._predecessor: datetime | None = None  # when another of this name was last seen
        self._reported = self._ended = self._warned = self._away = False
        self._log = get_logger("leases")

    @property
    def shared(self) -> bool:
        """Whether there may be other processes."""
        return self._store.shared

    def holds(self, name: str) -> bool:
        """Whether this process may do it now. To be asked directly before it is done."""
        return not self._store.shared or self._clock.monotonic() < self._until.get(name, -math.inf)

    def tenure(self, name: str) -> int:
        """Another number each time that the lease is gained; 0 while it is not held."""
        return (self._tenures.get(name, 0) if self.shared else 1) if self.holds(name) else 0

    @property
    def held(self) -> frozenset[str]:
        return frozenset(name for name in self._wanted if self.holds(name))

    def subscribe(self, changed: Callable[[str, bool], None]) -> None:
        """Call *changed* with a name, and whether it was gained or lost."""
        self._heard.append(changed)

    def subscribe_ends(self, ended: Callable[[str], None]) -> None:
        """Call *ended* with the name of a lost lease once another process may have it: what was begun under
        it must be over by then.
        """
        self._heard_ends.append(ended)

    async def run(self) -> None:
        """Heartbeats until cancelled. Raises `ConfigError` where another process goes by this one's name."""
        if not self.shared:
            await asyncio.Event().wait()
        watching = asyncio.create_task(self._watch())
        try:
            while True:
                beating = asyncio.create_task(self._beat_safely())
                try:
                    await asyncio.shield(beating)
                except asyncio.CancelledError:
                    # law: no renewal may be on its way when the leases are given up
                    await asyncio.wait({beating}, timeout=MARGIN)
                    raise
                await asyncio.sleep(self.pause())
        finally:
            watching.cancel()

    async def beat(self) -> None:
        """One heartbeat: renew what is held, report, take what is free.

        Raises `StorageError`, and `ConfigError` where another process goes by this one's name.
        """
        if not self.shared or self._ended:
            return
        await self._renew(tuple(self._epochs))
        skew = await follow_database(self._clock, self._store)
        self._look_at_skew(skew)
        replicas = await self._store.replicas(self._clock() - LIVING)
        if not await self._has_name(replicas):
            return
        replica = replace(self._describe(), name=self._store.holder, skew=skew, started=self._started)
        await self._store.report(replica, self._clock())
        self._reported = True
        others = [r for r in replicas if r.name != self._store.holder]
        await self._take_free([*others, replica])

    def look(self) -> None:
        """Tell of the leases that ran out."""
        for name in [n for n in self._epochs if not self.holds(n)]:
            del self._epochs[name]
            self._tell(name, False)
        now = self._clock.monotonic()
        for name in [n for n, end in self._ends.items() if end <= now and not self.holds(n)]:
            self._end(name)

    async def give_up(self) -> None:
        """An orderly stop: others may take everything at once. Nothing is taken from then on."""
        names, self._ended = tuple(self._until), True
        self._until.clear()
        self.look()
        for name in names:
            self._end(name)
        if self.shared and names:
            with contextlib.suppress(StorageError):  # then they run out by themselves
                await self._store.give_up(names)

    # --- inside a heartbeat

    async def _beat_safely(self) -> None:
        try:
            await self.beat()
        except StorageError as error:
            if not self._away:
                self._log.error("heartbeat_failed", error=str(error))
            self._away = True
        else:
            if self._away:
                self._log.info("heartbeat_back", held=sorted(self.held))
            self._away = False

    def pause(self) -> float:
        """Until the next heartbeat: at the latest when a lease of another is to run out."""
        if self._away:
            return AWAY
        if not self._reported:
            return LOOK
        if self._free - self.held:  # whose share it is will have taken it by then
            return SOON
        soonest = [(until - self._clock()).total_seconds() for until in self._foreign]
        return max(LOOK, min([EVERY, *soonest]))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self.look()

    async def _renew(self, names: Collection[str]) -> None:
        self.look()
        if not names:
            return
        begun = self._clock.monotonic()
        leases = await self._store.renew(names, self._clock(), LASTING)
        if self._ended:
            return
        for name in names:
            lease = leases.get(name)
            if lease is None or self._epochs.get(name, lease.epoch) != lease.epoch:
                self._until.pop(name, None)  # it is, or meanwhile was, another's
                self.look()
                self._end(name)
            if lease is not None:
                self._until[name] = begun + LASTING.total_seconds() - MARGIN
                self._ends[name] = begun + LASTING.total_seconds() - LAST
        self.look()
        for name, lease in leases.items():
            if self.holds(name) and name not in self._epochs:
                self._epochs[name] = lease.epoch
                self._tenures[name] = self._tenures.get(name, 0) + 1
                self._tell(name, True)

    async def _has_name(self, replicas: Sequence[Replica]) -> bool:
        """Whether nobody else goes by this process's name. What a predecessor left may be taken once it has
        been silent; where nothing is left, at once.
        """
        same = next((r for r in replicas if r.name == self._store.holder), None)
        if same is None or same.started == self._started or same.seen is None:
            return True
        if self._reported or self._predecessor not in (None, same.seen):
            # law: what is held under the name is the other's now, and is not given up for them
            self._ended = True
            self._until.clear()
            self.look()
            for name in tuple(self._ends):
                self._end(name)
            raise ConfigError([problem("leases.name_taken", name=self._store.holder)])
        self._predecessor = same.seen
        now = self._clock()
        if (now - same.seen).total_seconds() >= SILENT:
            return True
        return not any(
            lease.holder == self._store.holder and lease.until > now for lease in await self._store.leases()
        )

    async def _take_free(self, replicas: Sequence[Replica]) -> None:
        """What is free is taken up to a fair share; what was free at the last heartbeat, too, whoever takes
        it.
        """
        before, first = self._free, True
        for _ in range(TRIES):
            free, own = await self._look_for_free()
            due = own | (free & before) | self._fair(free - own, replicas)
            if first:
                self._free, first = frozenset(free), False
            if not due:
                return
            await self._renew(sorted(due))
            if due <= self.held:
                return

    async def _look_for_free(self) -> tuple[set[str], set[str]]:
        """What nobody else has, and what of it is this process's already (left by the one before)."""
        now, missing, holder = self._clock(), self._wanted - self.held, self._store.holder
        leases = [x for x in await self._store.leases() if x.until > now and x.name in missing]
        self._foreign = tuple(x.until for x in leases if x.holder != holder)
        taken = {x.name: x.holder for x in leases}
        own = {name for name in missing if taken.get(name) == holder}
        return {name for name in missing if name not in taken} | own, own

    def _fair(self, free: Collection[str], replicas: Sequence[Replica]) -> set[str]:
        chosen: set[str] = set()
        for role, names in _by_role(self._wanted).items():
            living = sum(not r.roles or role in r.roles for r in replicas)
            share = math.ceil(len(names) / max(1, living)) - len(names & self.held)
            # each process looks at them in an order of its own, so that two seldom want the same
            mine = sorted(names & set(free), key=lambda name: crc32(f"{self._store.holder} {name}".encode()))
            chosen.update(mine[: max(0, share)])
        return chosen

    def _look_at_skew(self, skew: float) -> None:
        if abs(skew) > LARGEST_SKEW and not self._warned:
            found = warning("leases.clock_skew", seconds=f"{skew:+.1f}")
            self._log.warning("clock_skew", seconds=round(skew, 1), problem=str(found))
        self._warned = abs(skew) > LARGEST_SKEW

    def _end(self, name: str) -> None:
        if self._ends.pop(name, None) is not None:
            for heard in self._heard_ends:
                heard(name)

    def _tell(self, name: str, gained: bool) -> None:
        self._log.info("lease_gained" if gained else "lease_lost", lease=name)
        for heard in self._heard:
            heard(name, gained)


def _by_role(names: Collection[str]) -> dict[ProcessRole, frozenset[str]]:
    """Which of these leases the processes of a role share among themselves."""
    periodic = frozenset(names) & {PERIODIC}
    return {ProcessRole.DECIDE: periodic, ProcessRole.SEND: frozenset(names) - periodic}


async def while_held(leases: LeaseKeeper, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do *work* while the lease is held: begun anew at each gain, cancelled at each loss."""
    changed, tenure = asyncio.Event(), 0
    leases.subscribe(lambda lease, gained: changed.set() if lease == name else None)
    working: asyncio.Future[None] | None = None
    try:
        while True:
            changed.clear()
            if (present := leases.tenure(name)) != tenure:
                await _end(working)
                tenure, working = present, asyncio.ensure_future(work()) if present else None
            await changed.wait()
    finally:
        await _end(working)


async def _end(working: asyncio.Future[None] | None) -> None:
    if working is not None:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
