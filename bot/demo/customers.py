"""Customers of a history: what somebody who comes with a question does, a step at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from bot.demo.personas import (
    ASKS,
    COMMENTS,
    GREETINGS,
    IDEAS,
    MORE,
    NAMES,
    OPINIONS,
    SCORES,
    THANKS,
    UNKNOWN,
    UPSET,
)
from bot.demo.simulation import Simulation
from bot.model import Attachment, InboundKind, Media
from bot.testing.harness import PlayedCustomer

TRIES = 8  # how often somebody who is free is looked for


class CustomerScript:
    """At most *customers* different people who ask *questions*; three of five write in Telegram, the others
    in VK.
    """

    def __init__(self, stage: Simulation, questions: Sequence[str], customers: int) -> None:
        self._stage, self._questions, self._most = stage, tuple(questions), customers
        self._people: dict[int, PlayedCustomer] = {}
        self._busy: set[int] = set()

    async def visit(self) -> AsyncIterator[datetime]:
        """One visit; each step says when the next one comes. Nothing happens where everybody is busy."""
        stage = self._stage
        number = next(
            (n for _ in range(TRIES) if (n := stage.random.randrange(self._most)) not in self._busy), None
        )
        if number is None:
            return
        customer = self._people.get(number)
        if customer is None:
            channel = "telegram" if number % 5 < 3 else "vk"
            customer = self._people[number] = stage.testbot.customer(
                NAMES[number % len(NAMES)], channel=channel, chat=str(20_000 + number)
            )
        self._busy.add(number)
        try:
            async for step in self._comes(customer):
                yield step
        finally:
            self._busy.discard(number)

    async def surveys(self, midnight: datetime) -> AsyncIterator[datetime]:
        """Who was asked whether they would recommend the business answers a while later, or never."""
        stage = self._stage
        for hour in (12, 15, 18):
            yield midnight + timedelta(hours=hour, minutes=40)
            for number, customer in tuple(self._people.items()):
                score = stage.random.choice(tuple(OPINIONS))
                if number in self._busy or stage.happens(0.4):
                    continue
                if stage.evenly("well") < 0.5:
                    await stage.press(customer, "Да, всё хорошо")
                elif stage.evenly("not well") < 0.3:
                    await stage.press(customer, "Нет, не всё")
                if await stage.press(customer, str(score), exact=True) and stage.happens(0.6):
                    yield stage.after(20, 60)
                    await self._says(customer, OPINIONS[score])

    async def _comes(self, customer: PlayedCustomer) -> AsyncIterator[datetime]:
        stage, luck = self._stage, self._stage.random.random()
        if stage.evenly("idea") < 0.03:
            await self._says(customer, stage.random.choice(IDEAS))
            yield stage.after(20, 90)
            await stage.press(customer, "Да, то же самое")
            return
        if stage.happens(0.15):
            await self._says(customer, "", kind=InboundKind.START)
            yield stage.after(8, 40)
        if luck < 0.6:
            question = stage.random.choice(self._questions)
            async for step in self._asks(customer, question):
                yield step
            if stage.happens(0.07):
                yield stage.after(6 * 3600, 40 * 3600)
                await self._says(customer, question)
        elif luck < 0.72:
            for words in stage.random.sample(UNKNOWN, 2):
                await self._says(customer, words)
                yield stage.after(20, 90)
        elif luck < 0.78:
            await self._says(customer, stage.random.choice(UPSET))
        elif luck < 0.8:
            photo = Attachment(Media.PHOTO, f"photo{stage.words}", channel=customer.peer.channel)
            await self._says(customer, "вот что пришло", attachments=(photo,))
        elif luck < 0.83:
            await self._says(customer, stage.random.choice(GREETINGS))
        else:
            await self._says(customer, stage.random.choice(self._questions))
            yield stage.after(20, 60)
            await self._says(customer, stage.random.choice(ASKS))
        yield stage.after(10, 20)
        async for step in self._waits(customer):
            yield step

    async def _asks(self, customer: PlayedCustomer, question: str) -> AsyncIterator[datetime]:
        stage = self._stage
        if stage.happens(0.08):  # in pieces, as people type
            half = len(question) // 2
            await self._says(customer, question[:half], question[half:])
        else:
            await self._says(customer, question)
        yield stage.after(15, 120)
        if stage.happens(0.7) and await stage.press(customer, "1. "):
            yield stage.after(15, 60)
        luck = stage.random.random()
        if luck < 0.38:
            await stage.press(customer, "Да, помогло")
        elif luck < 0.51:
            await stage.press(customer, "Нет, не помогло")
            yield stage.after(15, 60)
            if stage.happens(0.5):
                await stage.press(customer, "Нет, не помогло")
        elif luck < 0.69:
            await self._says(customer, "спасибо")
        elif luck < 0.82:
            await self._says(
                customer, stage.random.choice(self._questions)
            )  # the others leave without a word

    async def _waits(self, customer: PlayedCustomer) -> AsyncIterator[datetime]:
        """Where a person was called: waits, gives up, leaves, or talks until the ticket is closed; rates it
        perhaps, or comes back.
        """
        stage = self._stage
        ticket = await stage.ticket_of(customer)
        if ticket is None:
            return
        number, patient, leaves = ticket.number, not stage.happens(0.05), stage.evenly("leaves") < 0.1
        while ticket is not None and ticket.status != "closed":
            opens = stage.testbot.service.hours.next_open(stage.now) or stage.now
            yield (
                stage.after(240, 700)
                if ticket.status == "operator"
                else max(stage.after(600, 2400), opens + timedelta(seconds=stage.random.randrange(1200)))
            )
            if (ticket := await stage.ticket_of(customer)) is None:
                break
            if leaves:
                if stage.evenly("blocks") < 0.6:
                    await self._says(customer, "", kind=InboundKind.BLOCKED)
                return
            if not patient and ticket.first_reply is None:
                await stage.press(customer, "Отменить")
            elif ticket.first_reply is None and stage.happens(0.02):
                await self._says(customer, "/status")
            elif ticket.first_reply is not None and stage.happens(0.3):
                await self._says(customer, stage.random.choice((*THANKS, *MORE)))
            elif stage.happens(0.2):
                await stage.press(customer, "Да, решён")
        yield stage.after(400, 900)
        async for step in self._afterwards(customer, number):
            yield step

    async def _afterwards(self, customer: PlayedCustomer, number: int) -> AsyncIterator[datetime]:
        stage = self._stage
        if stage.happens(0.5):
            score = stage.random.choice(SCORES)
            if await stage.press(customer, str(score), exact=True) and stage.happens(0.4):
                yield stage.after(20, 60)
                await self._says(customer, COMMENTS[score])
        if stage.happens(0.07):
            yield stage.after(1800, 12 * 3600)
            await self._says(customer, stage.random.choice(ASKS))
            yield stage.after(10, 20)
            while (again := await stage.ticket_of(customer)) is not None and again.status != "closed":
                yield stage.after(600, 1800)

    async def _says(
        self,
        customer: PlayedCustomer,
        *texts: str,
        kind: InboundKind = InboundKind.MESSAGE,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        self._stage.words += len(texts)
        await customer.says(*texts, kind=kind, attachments=attachments, run=False)
