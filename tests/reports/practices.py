"""People of the week who live through what surrounds a conversation: consent, a flow, a questionnaire,
follow-up sequences, the question whether all is well, a wish for the answer, important ones who are upset.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.demo.personas import UPSET, OperatorPersona
from bot.demo.simulation import Simulation
from bot.model import InboundKind
from bot.testing.harness import PlayedCustomer

GLANCE = timedelta(minutes=20)  # so often an important customer looks at the chat
DAYS = 3  # and for so many days
PICTURE = "где можно посмотреть вещи вживую"  # its answer brings a picture
IMPORTANT: Sequence[Mapping[str, str]] = (
    {"Да, всё хорошо": "", "Ответить": "Доставка"},
    {"Нет, не всё": "", "Ответить": "отмена"},
    {"Не присылать": ""},
    {"": "всё приехало, спасибо"},  # presses nothing, but writes after the first message of the sequence
)  # what each of a day's important customers presses where they see it, and what comes after that


class Practices:
    """The same few people every day, new ones each time; *head* sends the questionnaire."""

    def __init__(self, stage: Simulation, head: OperatorPersona) -> None:
        self._stage, self._head, self._count = stage, head, 0

    def day(self, midnight: datetime) -> Sequence[tuple[datetime, AsyncIterator[datetime]]]:
        """Who comes on that day, and when."""

        def at(hour: int, minute: int) -> datetime:
            return midnight + timedelta(hours=hour, minutes=minute)

        return (
            (at(9, 10), self._consents(agrees=True)),
            (at(9, 25), self._consents(agrees=False)),
            *((at(10, 15 + 5 * n), self._is_upset(does)) for n, does in enumerate(IMPORTANT)),
            (at(11, 35), self._picks_up("На Мира")),
            (at(11, 50), self._picks_up("")),
            (at(12, 5), self._picks_up("Помогите выбрать")),
            (at(13, 5), self._looks_for_the_shop()),
            (at(16, 0), self._sends()),
            (at(20, 30), self._wishes()),
        )

    async def _consents(self, *, agrees: bool) -> AsyncIterator[datetime]:
        """Somebody wants to be called back; who agreed takes it back in the evening."""
        stage, customer = self._stage, self._new()
        await self._says(customer, "/callback")
        yield stage.after(20, 60)
        if not agrees:
            await self._says(customer, "нет")
            return
        await stage.press(customer, "Согласиться")
        yield stage.after(20, 60)
        await self._says(customer, "+7 912 345-67-89")
        yield stage.after(8 * 3600, 9 * 3600)
        await self._says(customer, "отзываю согласие")

    async def _is_upset(self, does: Mapping[str, str]) -> AsyncIterator[datetime]:
        """The shop's own system says that they are important; afterwards they answer what they are asked."""
        stage, customer = self._stage, self._new()
        await self._says(customer, "", kind=InboundKind.START)
        yield stage.after(60, 120)
        known = await stage.testbot.store.conversation(customer.peer)
        if known is None or known.customer is None:
            return
        await stage.testbot.store.change_fields(known.customer, {"tier": "gold"}, stage.now, by="crm")
        await self._says(customer, UPSET[0])
        left, until = dict(does), stage.now + timedelta(days=DAYS)
        if words := left.pop("", ""):
            yield stage.after(3.6 * 3600, 4 * 3600)
            await self._says(customer, words)
        while left and stage.now < until:
            yield stage.now + GLANCE
            for label, more in tuple(left.items()):
                if await stage.press(customer, label):
                    del left[label]
                    yield stage.after(20, 60)
                    if more and not await stage.press(customer, more):
                        await self._says(customer, more)

    async def _picks_up(self, choice: str) -> AsyncIterator[datetime]:
        """Through a flow to its end, or not."""
        customer = self._new()
        await self._says(customer, "оформить самовывоз")
        yield self._stage.after(20, 60)
        if not choice or not await self._stage.press(customer, choice):
            await self._says(customer, "отмена")

    async def _looks_for_the_shop(self) -> AsyncIterator[datetime]:
        customer = self._new()
        await self._says(customer, PICTURE)
        yield self._stage.after(30, 60)
        await self._stage.press(customer, "Да, помогло")

    async def _sends(self) -> AsyncIterator[datetime]:
        """A supervisor sends the questionnaire to important customers, in the operators' group."""
        stage, operator = self._stage, self._stage.testbot.operator(self._head.name, id=self._head.id)
        stage.words += 1
        await operator.says("/broadcast опрос=autumn tier=gold", run=False)
        yield stage.after(8, 12)
        await stage.press_in_group(operator, "Отправить: ")

    async def _wishes(self) -> AsyncIterator[datetime]:
        """Nobody is there any more: tomorrow, then."""
        stage, customer = self._stage, self._new()
        await self._says(customer, "позовите оператора")
        yield stage.after(20, 40)
        await stage.press(customer, "Когда и где ответить")
        yield stage.after(20, 40)
        await stage.press(customer, " с ")

    def _new(self) -> PlayedCustomer:
        self._count += 1
        channel = "telegram" if self._count % 2 else "vk"
        return self._stage.testbot.customer("Лидия", channel=channel, chat=str(900_000 + self._count))

    async def _says(
        self, customer: PlayedCustomer, text: str, *, kind: InboundKind = InboundKind.MESSAGE
    ) -> None:
        self._stage.words += 1
        await customer.says(text, kind=kind, run=False)
