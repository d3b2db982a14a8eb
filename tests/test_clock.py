"""The clock of a service that shares a database goes by the database's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.clock import Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Machine(Clock):
    """A clock whose machine is in the test's hand."""

    def __init__(self) -> None:
        super().__init__()
        self.wall, self.ticks = NOON, 100.0

    def machine(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


def test_it_follows_the_databases_time_and_tells_the_skew() -> None:
    clock = Machine()
    assert clock.follow(NOON - timedelta(minutes=5), clock.ticks) == 300.0
    assert abs(clock() - (NOON - timedelta(minutes=5))) <= timedelta(milliseconds=1)
    clock.passes(30)
    assert abs(clock() - (NOON - timedelta(minutes=4, seconds=30))) <= timedelta(milliseconds=1)


def test_the_way_there_and_back_is_halved() -> None:
    clock = Machine()
    begun = clock.ticks
    told = NOON + timedelta(hours=1)
    clock.passes(0.4)
    skew = clock.follow(told, begun)
    assert abs(skew - (-3600 + 0.2)) < 0.001
    assert clock() == told + timedelta(seconds=0.2)


def test_within_what_is_not_known_it_is_not_moved() -> None:
    """A slow answer tells less than what is known already, and puts nothing back."""
    clock = Machine()
    clock.follow(NOON, clock.ticks)
    clock.passes(10)
    before, begun = clock(), clock.ticks
    clock.passes(2)
    clock.follow(before + timedelta(seconds=0.3), begun)
    assert clock() == before + timedelta(seconds=2)


def test_the_machines_clock_may_jump_when_it_likes() -> None:
    clock = Machine()
    clock.follow(NOON, clock.ticks)
    clock.passes(1)
    clock.wall -= timedelta(hours=3)
    assert clock() == NOON + timedelta(seconds=1)


def test_without_a_database_it_is_the_machines() -> None:
    clock = Machine()
    clock.wall += timedelta(hours=3)
    assert clock() == NOON + timedelta(hours=3)


def test_the_playground_still_moves_it() -> None:
    clock = Machine()
    clock.follow(NOON, clock.ticks)
    clock.shift = timedelta(hours=8)
    assert clock() == NOON + timedelta(hours=8)
