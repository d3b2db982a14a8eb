"""A history that never was: customers and operators who live through days and weeks in a theatre, the same for the same seed."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.model import Event, InboundKind, Ticket
from bot.testing.theatre import Customer, Operator, Theatre

NAMES = (
    "Анна", "Иван", "Мария", "Пётр", "Светлана", "Олег", "Наталья", "Кирилл", "Екатерина", "Артём", "Юлия", "Максим", "Дарья", "Сергей", "Полина",
    "Роман", "Ирина", "Денис", "Алина", "Павел", "Татьяна", "Виктор", "Ксения", "Андрей", "Людмила", "Егор", "Марина", "Никита", "Елена", "Глеб",
)  # fmt: skip
UNKNOWN = (
    "можно ли оплатить криптовалютой", "вы берёте на работу курьеров", "есть ли у вас доставка дроном", "продаёте ли вы живых попугаев",
    "работаете ли 31 декабря до полуночи", "можно ли арендовать костюм медведя", "почему у вас нет магазина на Камчатке",
)  # fmt: skip
ASKS = ("позовите оператора", "хочу поговорить с человеком", "соедините с оператором, пожалуйста", "оператор")
UPSET = ("Вы издеваетесь?! Третий день жду, ужасный сервис!", "Это просто безобразие, верните деньги немедленно!")
REPLIES = (
    "Здравствуйте! Уже смотрю, минуту.", "Добрый день, проверила: всё уже в пути, будет завтра.", "Здравствуйте! Передал на склад, они перезвонят сегодня.",
    "Извините за ожидание. Оформил возврат, деньги придут за 3 дня.", "Здравствуйте! Поменяла адрес, курьер предупреждён.",
)  # fmt: skip
THANKS = ("спасибо", "ок, понял", "хорошо, жду", "супер, спасибо большое")
COMMENTS = {1: "ждал слишком долго", 2: "не решили с первого раза", 3: "нормально, но медленно", 4: "хорошо", 5: "быстро и вежливо"}
SCORES = (5, 5, 5, 5, 5, 4, 4, 4, 3, 2, 1)
HOURS = (1, 1, 0, 0, 0, 1, 2, 4, 7, 11, 14, 15, 13, 12, 13, 13, 12, 11, 10, 9, 8, 6, 4, 2)  # how many write in each local hour
WEEKDAYS = (1.15, 1.1, 1.05, 1.0, 1.05, 0.7, 0.6)


@dataclass(frozen=True, slots=True)
class Colleague:
    """An operator: how quickly (median seconds) the first words come."""

    id: str
    name: str
    quickness: float


TEAM = (Colleague("9001", "Ольга", 20), Colleague("9002", "Тимур", 60), Colleague("9003", "Вера", 200))


class History:
    """Plays *per_day* visits a day. *questions* are what customers ask; steps of many people interleave in the order of time."""

    def __init__(self, theatre: Theatre, questions: Sequence[str], *, per_day: int, seed: int = 1, customers: int = 90) -> None:
        self._theatre, self._questions, self._per_day = theatre, tuple(questions), per_day
        self._random = Random(seed)
        self._people = [
            theatre.customer(NAMES[n % len(NAMES)], channel="telegram" if n % 5 < 3 else "vk", chat=str(2000 + n)) for n in range(customers)
        ]  # fmt: skip
        self._team = [(c, theatre.operator(c.name, id=c.id)) for c in TEAM]
        self._busy: set[str] = set()
        self._steps: list[tuple[datetime, int, AsyncIterator[datetime]]] = []
        self._count = 0
        self._served: set[int] = set()

    async def play(self, start: datetime, days: int, *, until: datetime | None = None) -> None:
        """Live from *start* (a local midnight is best) for *days* days, or *until* a moment within them; the clock ends there."""
        for day in range(days):
            self._begin_day(start + timedelta(days=day))
        clock, end = self._theatre.clock, until or start + timedelta(days=days)
        while self._steps and self._steps[0][0] < end:
            at, order, person = heapq.heappop(self._steps)
            await self._pass_until(at)
            try:
                heapq.heappush(self._steps, (max(await anext(person), clock()), order, person))
            except StopAsyncIteration:
                continue
            finally:
                await self._call_operators()
        await self._pass_until(end)

    async def _pass_until(self, moment: datetime) -> None:
        """Let timers ring at their own time."""
        store, clock = self._theatre.house.store, self._theatre.clock
        while (due := await store.next_due(clock())) is not None and due < moment:
            clock.at = max(clock.at, due)
            if not await store.fire_timers(clock()) + await self._theatre.house.engine.run_waiting():
                clock.advance(seconds=1)
            await self._theatre.house.outbox.run_waiting()
        clock.at = max(clock.at, moment)
        await self._call_operators()
        for channel in self._theatre.channels.values():
            del channel.said[:-600]

    async def _call_operators(self) -> None:
        """Whoever opened a ticket, or opened it again, somebody will come to it."""
        for ticket in await self._theatre.house.store.tickets():
            if ticket.number not in self._served:
                self._served.add(ticket.number)
                self._join(self._theatre.clock(), self._serves(ticket))

    def _begin_day(self, midnight: datetime) -> None:
        weight = WEEKDAYS[midnight.astimezone(self._theatre.house.hours.zone).weekday()]
        for _ in range(round(self._per_day * weight * self._random.uniform(0.85, 1.15))):
            hour = self._random.choices(range(24), HOURS)[0]
            self._join(midnight + timedelta(hours=hour, seconds=self._random.randrange(3600)), self._visit())

    def _join(self, at: datetime, person: AsyncIterator[datetime]) -> None:
        self._count += 1
        heapq.heappush(self._steps, (at, self._count, person))

    # --- customers

    async def _visit(self) -> AsyncIterator[datetime]:
        """One customer's visit, a step at a time; each step says when the next one comes."""
        free = [p for p in self._people if p.peer.chat not in self._busy]
        if not free:
            return
        customer, luck = self._random.choice(free), self._random.random()
        self._busy.add(customer.peer.chat)
        try:
            if self._random.random() < 0.15:
                await customer.says("", kind=InboundKind.START)
                yield self._after(8, 40)
            if luck < 0.62:
                question = self._random.choice(self._questions)
                async for step in self._asks(customer, question):
                    yield step
                if self._random.random() < 0.07:
                    yield self._after(6 * 3600, 40 * 3600)
                    await customer.says(question)
            elif luck < 0.74:
                for words in self._random.sample(UNKNOWN, 2):
                    await customer.says(words)
                    yield self._after(20, 90)
            elif luck < 0.8:
                await customer.says(self._random.choice(UPSET))
            else:
                await customer.says(self._random.choice(self._questions))
                yield self._after(20, 60)
                await customer.says(self._random.choice(ASKS))
            async for step in self._waits(customer):
                yield step
        finally:
            self._busy.discard(customer.peer.chat)

    async def _asks(self, customer: Customer, question: str) -> AsyncIterator[datetime]:
        await customer.says(question)
        yield self._after(15, 120)
        luck = self._random.random()
        if luck < 0.42:
            await self._press(customer, "Да, помогло")
        elif luck < 0.55:
            await self._press(customer, "Нет, не помогло")
        elif luck < 0.75:
            await customer.says("спасибо")
        elif luck < 0.9:
            await customer.says(self._random.choice(self._questions))

    async def _waits(self, customer: Customer) -> AsyncIterator[datetime]:
        """Where a person was called: waits, gives up, or talks until the ticket is closed, and rates it perhaps."""
        ticket = await self._ticket(customer)
        if ticket is None:
            return
        patient = self._random.random() > 0.04
        while ticket is not None and ticket.status != "closed":
            yield self._after(240, 700)
            if (ticket := await self._ticket(customer)) is None:
                break
            if not patient and ticket.first_reply is None:
                await self._press(customer, "Отменить")
            elif ticket.first_reply is not None and self._random.random() < 0.3:
                await customer.says(self._random.choice(THANKS))
        yield self._after(400, 900)
        if self._random.random() < 0.5:
            score = self._random.choice(SCORES)
            if await self._press(customer, str(score), exact=True) and self._random.random() < 0.4:
                yield self._after(20, 60)
                await customer.says(COMMENTS[score])

    async def _press(self, customer: Customer, label: str, *, exact: bool = False) -> bool:
        """Press a button of the last messages; False where there is none."""
        mine = customer._channel.in_chat(customer.peer.chat, verb=None)[-3:]
        if not any(b.label == label if exact else label in b.label for m in mine for row in m.outbound.buttons for b in row):
            return False
        await customer.presses(label)
        return True

    async def _ticket(self, customer: Customer) -> Ticket | None:
        found = await self._theatre.house.store.conversation(customer.peer)
        return await self._theatre.house.store.ticket(found.ticket) if found and found.ticket else None

    # --- operators

    async def _serves(self, ticket: Ticket) -> AsyncIterator[datetime]:
        """One operator's work on one ticket, in opening hours."""
        try:
            async for step in self._works(ticket):
                yield step
        finally:
            self._served.discard(ticket.number)

    async def _works(self, ticket: Ticket) -> AsyncIterator[datetime]:
        colleague, operator = self._random.choice(self._team)
        since = self._theatre.clock() if ticket.first_reply or ticket.opened is None else ticket.opened
        opens = self._theatre.house.hours.next_open(since) or since
        yield opens + timedelta(seconds=round(min(7200.0, self._random.lognormvariate(0, 1.1) * colleague.quickness)))
        number = ticket.number
        if not await self._is_open(number):
            return
        if self._random.random() < 0.25:
            await operator.says("/take", ticket=number)
            yield self._after(10, 60)
        for reply in self._random.sample(REPLIES, self._random.choice((1, 1, 2, 3))):
            if not await self._is_open(number):
                return
            await operator.says(reply, ticket=number)
            yield self._after(120, 1500)
        async for step in self._ends(operator, number):
            yield step

    async def _ends(self, operator: Operator, number: int) -> AsyncIterator[datetime]:
        if not await self._is_open(number):
            return
        await operator.says("/close", ticket=number)
        if self._random.random() < 0.06:
            yield self._after(600, 2400)
            await operator.says("/reopen", ticket=number)
            yield self._after(60, 200)
            if await self._is_open(number):
                await operator.says("Ещё одно: проверила и исправила.", ticket=number)
                yield self._after(300, 900)
                await operator.says("/close", ticket=number)

    async def _is_open(self, number: int) -> bool:
        ticket = await self._theatre.house.store.ticket(number)
        return ticket is not None and ticket.status != "closed"

    def _after(self, least: float, most: float) -> datetime:
        return self._theatre.clock() + timedelta(seconds=round(self._random.uniform(least, most)))


async def mark_as_demo(theatre: Theatre, at: datetime) -> None:
    """Say in the events themselves that this history was played."""
    await theatre.house.store.promise((), at, events=(Event("demo", at),))
