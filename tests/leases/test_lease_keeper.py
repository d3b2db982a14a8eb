"""What one of several processes may do at a time, and until when it may believe so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.clock import HandClock
from bot.config.roles import ProcessRole
from bot.errors import ConfigError, StorageError
from bot.leases import LeaseKeeper, while_held
from bot.storage.base import Lease, Replica
from bot.testing.harness import NOON
from tests.leases.lease_rows import LeaseRows

CHANNELS = ("channel:telegram", "channel:vk")
ALL = (*CHANNELS, "periodic")


@dataclass
class Process:
    """A keeper, and what it told."""

    keeper: LeaseKeeper
    told: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def held(self) -> set[str]:
        return set(self.keeper.held)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
def rows(clock: HandClock) -> LeaseRows:
    return LeaseRows(clock)


def process(
    rows: LeaseRows, name: str, *, wanted: tuple[str, ...] = ALL, roles: tuple[str, ...] = tuple(ProcessRole)
) -> Process:
    made = Process(
        LeaseKeeper(rows.connect(name), rows.clock, wanted, describe=lambda: Replica("", roles=roles))
    )
    made.keeper.subscribe(lambda name, gained: made.told.append((name, gained)))
    return made


async def pass_time(rows: LeaseRows, seconds: int, *alive: Process) -> None:
    """Heartbeats every three seconds of those that live."""
    for _ in range(seconds // 3):
        rows.clock.advance(seconds=3)
        for one in alive:
            await one.keeper.beat()


async def test_alone_it_takes_everything_at_once(rows: LeaseRows) -> None:
    one = process(rows, "one")
    await one.keeper.beat()
    assert one.held == set(ALL)
    assert sorted(one.told) == [(name, True) for name in sorted(ALL)]


async def test_two_that_start_together_share_the_channels(rows: LeaseRows) -> None:
    one, two = process(rows, "one"), process(rows, "two")
    for name in ("one", "two"):  # both are known before either takes anything
        await rows.connect(name).report(Replica(name, roles=tuple(ProcessRole)), rows.clock())
    rows.clock.advance(seconds=5)  # ... for so long that neither takes the other's report for a namesake's
    await one.keeper.beat()
    await two.keeper.beat()
    await pass_time(rows, 6, one, two)
    assert len(one.held & set(CHANNELS)) == len(two.held & set(CHANNELS)) == 1
    assert one.held | two.held == set(ALL) and not one.held & two.held


async def test_what_stays_free_is_taken_whoever_it_is(rows: LeaseRows) -> None:
    """The other process lives, but has not got what would be its share."""
    await rows.connect("two").report(Replica("two", roles=tuple(ProcessRole)), rows.clock())
    one = process(rows, "one", wanted=CHANNELS)
    await one.keeper.beat()
    assert len(one.held) == 1 and one.keeper.pause() == 1.0
    rows.clock.advance(seconds=1)
    await one.keeper.beat()
    assert one.held == set(CHANNELS) and one.keeper.pause() == 3.0


async def test_who_does_not_send_is_not_counted_among_the_senders(rows: LeaseRows) -> None:
    await rows.connect("pages").report(
        Replica("pages", roles=(ProcessRole.WEB, ProcessRole.DECIDE)), rows.clock()
    )
    one = process(rows, "one", wanted=CHANNELS, roles=(ProcessRole.SEND,))
    await one.keeper.beat()
    assert one.held == set(CHANNELS)


async def test_a_killed_holder_is_followed_within_what_a_lease_lasts(rows: LeaseRows) -> None:
    dead, alive = process(rows, "dead"), process(rows, "alive")
    await dead.keeper.beat()
    await alive.keeper.beat()
    assert dead.held == set(ALL) and not alive.held
    await pass_time(rows, 9, alive)
    assert not alive.held, "it may be alive still"
    await pass_time(rows, 6, alive)
    assert alive.held == set(ALL)
    assert {x.epoch for x in rows.leases.values()} == {2}


async def test_who_waits_for_a_lease_looks_when_it_runs_out(rows: LeaseRows, clock: HandClock) -> None:
    dead, alive = process(rows, "dead"), process(rows, "alive")
    await dead.keeper.beat()
    clock.advance(seconds=10.5)
    await alive.keeper.beat()
    assert alive.keeper.pause() == 1.5
    clock.advance(seconds=1.5)
    await alive.keeper.beat()
    assert alive.held == set(ALL), "all at once: who was killed has no share any more"
    assert alive.keeper.pause() == 3.0


async def test_the_holder_stops_believing_before_anybody_else_can_begin(rows: LeaseRows) -> None:
    frozen, other = process(rows, "frozen"), process(rows, "other")
    await frozen.keeper.beat()
    for _ in range(60):
        rows.clock.advance(seconds=0.25)
        await other.keeper.beat()
        for name in ALL:
            assert not (frozen.keeper.holds(name) and other.keeper.holds(name)), name
    assert other.held == set(ALL)
    frozen.keeper.look()
    assert sorted(frozen.told[-3:]) == [(name, False) for name in sorted(ALL)]


async def test_belief_counts_from_when_a_renewal_was_begun(rows: LeaseRows, clock: HandClock) -> None:
    rows.slow = 5.0
    one = process(rows, "one", wanted=CHANNELS)
    await one.keeper.beat()
    clock.advance(seconds=3.9)
    assert one.held == set(CHANNELS)
    clock.advance(seconds=0.2)
    assert not one.held


async def test_an_answer_that_came_too_late_gives_nothing(rows: LeaseRows) -> None:
    rows.slow = 10.0
    one = process(rows, "one", wanted=CHANNELS)
    await one.keeper.beat()
    assert not one.held and not one.told


async def test_a_lease_that_was_anothers_meanwhile_is_told_as_lost_and_gained(
    rows: LeaseRows, clock: HandClock
) -> None:
    """The wall clock of the database jumped: by its own ticks this process had not lost it."""
    one = process(rows, "one", wanted=("channel:vk",))
    await one.keeper.beat()
    lease = rows.leases["channel:vk"]
    rows.leases["channel:vk"] = Lease("channel:vk", "other", lease.epoch + 1, clock() - timedelta(seconds=1))
    await pass_time(rows, 3, one)
    assert one.told == [("channel:vk", gained) for gained in (True, False, True)]
    assert one.keeper.tenure("channel:vk") == 2


async def test_without_a_database_leases_run_out_and_come_back(rows: LeaseRows, clock: HandClock) -> None:
    one = process(rows, "one")
    await one.keeper.beat()
    rows.away = True
    for _ in range(3):
        clock.advance(seconds=3)
        with pytest.raises(StorageError):
            await one.keeper.beat()
    one.keeper.look()
    assert not one.held and [gained for _, gained in one.told] == [True] * 3 + [False] * 3
    rows.away = False
    await one.keeper.beat()
    assert one.held == set(ALL)


async def test_what_is_given_up_at_a_stop_goes_over_at_once(rows: LeaseRows) -> None:
    one, two = process(rows, "one"), process(rows, "two")
    await one.keeper.beat()
    await two.keeper.beat()
    await one.keeper.give_up()
    assert not one.held and not rows.holder("periodic")
    await one.keeper.beat()
    assert not one.held, "who stops takes nothing any more"
    await two.keeper.beat()
    await pass_time(rows, 3, two)
    assert two.held == set(ALL)


async def test_a_stop_without_a_database_is_no_error(rows: LeaseRows) -> None:
    one = process(rows, "one")
    await one.keeper.beat()
    rows.away = True
    await one.keeper.give_up()
    assert not one.held


async def test_a_restarted_process_has_its_own_leases_again(rows: LeaseRows, clock: HandClock) -> None:
    """Killed, and started again under its name: it does not wait for its own leases to run out."""
    before, other = process(rows, "one"), process(rows, "two")
    await before.keeper.beat()
    await other.keeper.beat()
    clock.advance(seconds=1)
    again = process(rows, "one")
    await again.keeper.beat()
    assert not again.held, "the one before may be alive"
    clock.advance(seconds=4)
    await again.keeper.beat()
    assert again.held == set(ALL) and not other.held


async def test_after_an_orderly_stop_a_name_is_free_at_once(rows: LeaseRows, clock: HandClock) -> None:
    before = process(rows, "one")
    await before.keeper.beat()
    await before.keeper.give_up()
    clock.advance(seconds=1)
    again = process(rows, "one")
    await again.keeper.beat()
    assert again.held == set(ALL)


async def test_a_second_process_of_a_name_that_lives_stops(rows: LeaseRows, clock: HandClock) -> None:
    first = process(rows, "one")
    await first.keeper.beat()
    clock.advance(seconds=1)
    second = process(rows, "one")
    await second.keeper.beat()
    await pass_time(rows, 3, first)
    with pytest.raises(ConfigError, match="--replica"):
        await second.keeper.beat()
    await second.keeper.give_up()
    await first.keeper.beat()
    assert first.held == set(ALL) and not second.held


async def test_a_process_that_was_replaced_under_its_name_stops(rows: LeaseRows, clock: HandClock) -> None:
    """It was frozen for so long that another was started in its place."""
    frozen = process(rows, "one")
    await frozen.keeper.beat()
    clock.advance(seconds=20)
    second = process(rows, "one")
    await second.keeper.beat()
    with pytest.raises(ConfigError, match="one"):
        await frozen.keeper.beat()
    await frozen.keeper.give_up()
    assert not frozen.held and rows.holder("periodic") == "one"
    assert second.held == set(ALL)


@pytest.mark.usefixtures("plain_log")
async def test_a_clock_that_is_off_is_told_once_with_what_to_do(rows: LeaseRows) -> None:
    class WrongClock(HandClock):
        ahead = 300.0

        def follow(self, told: datetime, begun: float) -> float:
            return self.ahead

    clock = WrongClock(NOON)
    keeper = LeaseKeeper(rows.connect("one"), clock, ALL, describe=lambda: Replica(""))
    with capture_logs() as logs:
        for ahead in (300.0, 301.0, 1.0, -4.0):
            clock.ahead = ahead
            await keeper.beat()
    told = [line["problem"] for line in logs if line["event"] == "clock_skew"]
    assert ["+300.0" in told[0], "-4.0" in told[1], "timedatectl" in told[0]] == [True] * 3
    assert len(told) == 2 and rows.replicas["one"].skew == -4.0


async def test_work_is_done_while_its_lease_is_held(rows: LeaseRows, clock: HandClock) -> None:
    one, begun, ended = process(rows, "one"), [], []

    async def work() -> None:
        begun.append(clock())
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(clock())

    doing = asyncio.create_task(while_held(one.keeper, "periodic", work))
    await settle()
    assert not begun
    await one.keeper.beat()
    await settle()
    assert len(begun) == 1 and not ended
    clock.advance(seconds=10)
    await one.keeper.beat()  # it had run out, and nobody had taken it: all the same it begins anew
    await settle()
    assert len(begun) == 2 and len(ended) == 1
    await one.keeper.give_up()
    await settle()
    assert len(begun) == len(ended) == 2
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)


async def test_a_store_of_ones_own_gives_everything_without_heartbeats(clock: HandClock) -> None:
    rows = LeaseRows(clock)
    rows.away = True  # it is never asked
    connection = rows.connect("")
    connection.shared = False
    keeper = LeaseKeeper(connection, clock, ALL, describe=lambda: Replica(""))
    assert keeper.held == set(ALL) and keeper.tenure("periodic") == 1
    await keeper.beat()
    clock.advance(days=1)
    assert keeper.held == set(ALL)


async def settle() -> None:
    """Let tasks run until they wait again."""
    for _ in range(10):
        await asyncio.sleep(0)
