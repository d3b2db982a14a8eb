"""A history that never was: customers and operators who live through days and weeks in a testbot, the same
for the same seed.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.demo.customers import CustomerScript
from bot.demo.operators import DemoOperators
from bot.demo.personas import HOURS, TEAM, WEEKDAYS, OperatorPersona
from bot.demo.simulation import Simulation
from bot.model import Event
from bot.testing.harness import TestBot

CALLS = frozenset(
    {
        "ticket_opened",
        "ticket_reopened",
        "ticket_given_back",
        "ticket_moved",
        "ticket_assigned",
        "ticket_woken",
    }
)


@dataclass(frozen=True, slots=True)
class DemoTraffic:
    """How busy it is: visits `per_day` by so many customers, who ask `questions`.

    The same `seed` makes the same visits.
    """

    questions: Sequence[str]
    per_day: int
    customers: int = 90
    seed: int = 1


class History:
    """Plays the visits of *traffic*; steps of many people interleave in the order of time.

    *rounds*: how often the desk looks after the forgotten and its board (None = never).
    """

    def __init__(
        self,
        testbot: TestBot,
        traffic: DemoTraffic,
        *,
        team: Sequence[OperatorPersona] = TEAM,
        rounds: timedelta | None = None,
    ) -> None:
        self._testbot, self._per_day, self._rounds = testbot, traffic.per_day, rounds
        self._random = Random(traffic.seed)
        self.stage = Simulation(testbot, self._random)
        self._visitors = CustomerScript(self.stage, traffic.questions, traffic.customers)
        self._crew = DemoOperators(self.stage, team)
        self._steps: list[tuple[datetime, int, AsyncIterator[datetime]]] = []
        self._count = 0
        self._called: set[int] = set()  # tickets that somebody should come to
        self._served: set[int] = set()
        self._due: datetime | None = (
            None  # when the service has something to do, as far as it was known after so many words
        )
        self._known = -1
        self.visits = 0
        testbot.service.observers.add(self)

    def seen(self, event: Event) -> None:
        """Whoever opened a ticket, or opened it again, somebody will come to it."""
        if event.kind in CALLS and event.ticket is not None:
            self._called.add(event.ticket)

    async def play(self, start: datetime, days: int, *, until: datetime | None = None) -> None:
        """Live from *start* (a local midnight is best) for *days* days, or *until* a moment within them; the
        clock ends there.
        """
        for day in range(days):
            self._begin_day(start + timedelta(days=day))
        if self._rounds is not None:
            self.join(start, self._go_round(self._rounds))
        clock, end = self._testbot.clock, until or start + timedelta(days=days)
        while self._steps and self._steps[0][0] < end:
            at, order, person = heapq.heappop(self._steps)
            await self._pass_until(at)
            try:
                heapq.heappush(self._steps, (max(await anext(person), clock()), order, person))
            except StopAsyncIteration:
                continue
        await self._pass_until(end)

    async def _pass_until(self, moment: datetime) -> None:
        """Let everything that becomes due before *moment* happen at its own time."""
        service, clock = self._testbot.service, self._testbot.clock
        quiet = self.stage.words == self._known and (
            self._due is None or self._due >= moment
        )  # nobody did anything since we looked
        due = self._due if quiet else await service.store.next_due(clock())
        while due is not None and due < moment:
            clock.at = max(clock.at, due)
            if not await service.store.fire_timers(clock()) + await service.engine.run_waiting():
                clock.advance(seconds=1)
            await service.outbox.run_waiting()
            self.stage.look()
            due = await service.store.next_due(clock())
        self._due, self._known = due, self.stage.words
        clock.at = max(clock.at, moment)
        await self._call_operators()

    async def _call_operators(self) -> None:
        for number in sorted(self._called - self._served):
            self._called.discard(number)
            ticket = await self.stage.ticket(number)
            if ticket is not None and ticket.status != "closed":
                self._served.add(number)
                self.join(self._testbot.clock(), self._serves(number))

    async def _serves(self, number: int) -> AsyncIterator[datetime]:
        try:
            ticket = await self.stage.ticket(number)
            if ticket is not None:
                async for step in self._crew.serve(ticket):
                    yield step
        finally:
            self._served.discard(number)

    async def _go_round(self, pause: timedelta) -> AsyncIterator[datetime]:
        while True:
            await self._testbot.service.rounds.go(self._testbot.clock())
            await self._testbot.service.outbox.run_waiting()
            self._known = -1
            yield self._testbot.clock() + pause

    def _begin_day(self, midnight: datetime) -> None:
        weight = WEEKDAYS[midnight.astimezone(self._testbot.service.hours.zone).weekday()]
        for _ in range(round(self._per_day * weight * self._random.uniform(0.85, 1.15))):
            hour = self._random.choices(range(24), HOURS)[0]
            self.join(midnight + timedelta(hours=hour, seconds=self._random.randrange(3600)), self._visits())
        self.join(midnight, self._crew.day(midnight))
        if self._testbot.service.config.nps.ask:
            self.join(midnight, self._visitors.surveys(midnight))

    async def _visits(self) -> AsyncIterator[datetime]:
        self.visits += 1
        async for step in self._visitors.visit():
            yield step

    def join(self, at: datetime, person: AsyncIterator[datetime]) -> None:
        """Let somebody more take part from *at* on; each step says when the next one comes."""
        self._count += 1
        heapq.heappush(self._steps, (at, self._count, person))


async def mark_as_demo(testbot: TestBot, at: datetime) -> None:
    """Say in the events themselves that this history was played."""
    await testbot.service.store.enqueue((), at, events=(Event("demo", at),))
