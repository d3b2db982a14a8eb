"""Operators of a history: how a ticket is worked on, passed on, put off, forgotten and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from bot.demo.personas import REPLIES, TAGS, OperatorPersona
from bot.demo.simulation import Simulation
from bot.handoff.outreach.order_replies import OFFICE
from bot.model import ApiRequest, Inbound, InboundKind, Sender, Ticket
from bot.model.internal import DecideIdeas, PageOrder, ReviewDialog
from bot.testing.harness import PlayedOperator

SLOWEST = 7200.0  # seconds after which even the slowest has looked
LATE = 2400.0  # and after which at the earliest somebody who overlooked a new ticket comes to it
PATIENCE = 12  # how often somebody who put a ticket off looks whether it is awake


class DemoOperators:
    """The operators; who is away is not given anything new."""

    def __init__(self, stage: Simulation, team: Sequence[OperatorPersona]) -> None:
        self._stage = stage
        self._team = [(c, stage.testbot.operator(c.name, id=c.id)) for c in team]
        self._away: set[str] = set()

    async def day(self, midnight: datetime) -> AsyncIterator[datetime]:
        """One of them has a long break in the middle of the day."""
        yield midnight + timedelta(hours=12, minutes=30)
        colleague, operator = self._stage.random.choice(self._team)
        self._away.add(colleague.id)
        await self._says(operator, "/away")
        yield self._stage.after(3600, 9000)
        await self._says(operator, "/back")
        self._away.discard(colleague.id)
        yield self._stage.after(600, 1800)
        await self._decides()
        if self._stage.testbot.service.config.quality.mystery:
            async for step in self._tests():
                yield step

    async def _tests(self) -> AsyncIterator[datetime]:
        """A supervisor sends a mystery customer, in their own chat with the bot."""
        stage, head = self._stage, self._team[0][0]
        chat = stage.testbot.customer(head.name, chat=head.id)
        stage.words += 1
        await chat.says("/mystery", run=False)
        yield stage.after(60, 120)
        await stage.press(chat, ": ")

    async def _decides(self) -> None:
        """A supervisor looks at the oldest idea that is open: it is considered first, then done."""
        stage, head = self._stage, self._team[0][0]
        for idea in await stage.testbot.service.store.ideas():
            if not idea.joined and idea.status in ("new", "considered"):
                status = "considered" if idea.status == "new" else "done"
                order = DecideIdeas((idea.id,), status, "Так теперь и делаем.")
                key, who = stage.testbot.key(), Sender(f"telegram:{head.id}", head.name)
                kept = Inbound(
                    key, OFFICE, who, stage.now, InboundKind.INTERNAL, private=False, payload=order
                )
                stage.words += 1
                await stage.testbot.service.inbox.accept(OFFICE.channel, [kept])
                return

    async def serve(self, ticket: Ticket) -> AsyncIterator[datetime]:
        """One operator's work on one ticket, in opening hours."""
        stage, number = self._stage, ticket.number
        colleague, operator = self._whose(ticket)
        hours = stage.testbot.service.hours
        fresh = ticket.first_reply is None and ticket.opened is not None
        since = ticket.opened if fresh and ticket.opened is not None else stage.now
        opens = max(hours.next_open(since) or since, hours.next_open(stage.now) or stage.now)
        if fresh and stage.evenly("overlooked") < 0.06:
            yield opens + timedelta(seconds=stage.random.uniform(LATE, SLOWEST))
        else:
            yield opens + timedelta(
                seconds=round(min(SLOWEST, stage.random.lognormvariate(0, 1.1) * colleague.quickness))
            )
        if not await self._may(colleague, number):
            return
        if stage.happens(0.25):
            await self._says(operator, "/take", number)
            yield stage.after(10, 60)
        for reply in stage.random.sample(REPLIES, stage.random.choice((1, 1, 2, 3))):
            if not await self._may(colleague, number):
                return
            await self._says(operator, reply, number)
            if stage.evenly("undo") < 0.03:
                yield stage.after(5, 30)
                await self._says(operator, "/undo", number)
                yield stage.after(5, 30)
                await self._says(operator, "Поправлюсь: " + reply, number)
            yield stage.after(120, 1500)
        async for step in self._marks(colleague, operator, number):
            yield step
        async for step in self._goes_on(colleague, operator, number):
            yield step

    async def _marks(
        self, colleague: OperatorPersona, operator: PlayedOperator, number: int
    ) -> AsyncIterator[datetime]:
        """Some tickets get a tag, some a ready answer: as it is, or made to fit."""
        stage = self._stage
        if await self._may(colleague, number) and stage.evenly("tag") < 0.2:
            await self._says(operator, f"/tag {stage.random.choice(TAGS)}", number)
        if await self._may(colleague, number) and stage.evenly("compensate") < 0.1:
            async for step in self._compensates(colleague, operator, number):
                yield step
        if stage.evenly("ready") >= 0.12 or not await self._may(colleague, number):
            return
        await self._says(operator, "/t минуту", number)
        yield stage.after(20, 60)
        shown = (found := await stage.ticket(number)) and found.state.preview
        if shown and await self._may(colleague, number):
            more = "" if stage.evenly("as it is") < 0.5 else " Спасибо, что подождали, сегодня много заказов."
            await self._says(operator, shown.text + more, number)
            yield stage.after(120, 600)

    async def _compensates(
        self, colleague: OperatorPersona, operator: PlayedOperator, number: int
    ) -> AsyncIterator[datetime]:
        """A small sum is given at once, a large one waits for the yes or no of somebody else."""
        stage = self._stage
        amount = 300 if stage.evenly("sum") < 0.5 else 1500
        await self._says(operator, f"/compensate {amount} привезли поздно", number)
        yield stage.after(60, 900)
        ticket = await stage.ticket(number)
        waiting = [c for c in ticket.state.compensations if not c.decision] if ticket else []
        if ticket is not None and waiting:
            other = next((c for c, _ in self._team[:2] if c.id != colleague.id), self._team[0][0])
            word = "yes" if stage.evenly("decision") < 0.7 else "no"
            await self._asks(ticket, other, PageOrder(number, "decide", f"{waiting[0].number} {word}"))
            yield stage.after(30, 90)

    async def _goes_on(
        self, colleague: OperatorPersona, operator: PlayedOperator, number: int
    ) -> AsyncIterator[datetime]:
        """Most tickets are closed now; some go elsewhere first, some are forgotten."""
        stage, luck = self._stage, self._stage.evenly("goes_on")
        if not await self._may(colleague, number):
            return
        if luck < 0.05:
            return  # forgotten: time brings it back, or asks the customer
        if luck < 0.12:
            others = [c.name for c, _ in self._team if c.id != colleague.id]
            await self._says(operator, f"/transfer {stage.random.choice(others)} нужен второй взгляд", number)
            return
        if luck < 0.15 and (teams := stage.testbot.service.desk.context.rules.teams):
            await self._says(operator, f"/transfer {stage.random.choice(teams).name} это к вам", number)
            return
        if luck < 0.19:
            await self._says(
                operator, stage.random.choice(("/snooze 40m", "/snooze 2h", "/snooze завтра 11:00")), number
            )
            for _ in range(PATIENCE):
                yield stage.after(1800, 3600)
                if (found := await stage.ticket(number)) is None or found.status != "snoozed":
                    break
            if not await self._may(colleague, number):
                return
            await self._says(operator, "Проверил ещё раз: всё готово.", number)
            yield stage.after(60, 300)
        elif luck < 0.22:
            await self._says(
                operator,
                stage.random.choice(("/promise завтра до обеда уточню на складе", "/promise 1h перезвоню")),
                number,
            )
            yield stage.after(120, 600)
        elif luck < 0.25:
            await self._says(operator, "// клиент постоянный, прошу без спешки", number)
            yield stage.after(30, 90)
        async for step in self._ends(colleague, operator, number):
            yield step

    async def _ends(
        self, colleague: OperatorPersona, operator: PlayedOperator, number: int
    ) -> AsyncIterator[datetime]:
        stage = self._stage
        if not await self._may(colleague, number):
            return
        if stage.evenly("return") < 0.03:
            await self._says(operator, "/return", number)
            return
        if (known := stage.testbot.service.config.routing.categories) and stage.evenly("category") < 0.6:
            await self._says(operator, f"/category {stage.random.choice(known)}", number)
        await self._says(operator, "/close", number)
        if stage.testbot.service.desk.context.rules.playbooks:
            yield stage.after(5, 30)
            if await self._may(colleague, number):  # steps of the playbook were left: it is asked once
                await self._says(operator, "/close", number)
        if stage.evenly("review") < 0.08:
            yield stage.after(1200, 3600)
            if (ticket := await stage.ticket(number)) is not None and ticket.status == "closed":
                marks = {"greeting": stage.random.choice(("yes", "no"))}
                reason = stage.random.choice(("sample", "chosen"))
                await self._asks(ticket, self._team[0][0], ReviewDialog(number, marks, "", reason))
        if stage.happens(0.06):
            yield stage.after(600, 2400)
            await self._says(operator, "/reopen", number)
            yield stage.after(60, 200)
            if await self._may(colleague, number):
                await self._says(operator, "Ещё одно: проверила и исправила.", number)
                yield stage.after(300, 900)
                await self._says(operator, "/close", number)

    def _whose(self, ticket: Ticket) -> tuple[OperatorPersona, PlayedOperator]:
        """Who has it already, else somebody of its team who is there."""
        his = next((pair for pair in self._team if ticket.operator.endswith(f":{pair[0].id}")), None)
        if ticket.operator and his is not None:
            return his
        service = self._stage.testbot.service
        team = service.desk.context.teams.named(ticket.state.team)
        able = [
            p
            for p in self._team
            if p[0].id not in self._away
            and (team is None or not team.operators or any(o.endswith(f":{p[0].id}") for o in team.operators))
        ]
        return self._stage.random.choice(able or self._team)

    async def _may(self, colleague: OperatorPersona, number: int) -> bool:
        """Whether the ticket is open and in nobody else's hands."""
        found = await self._stage.ticket(number)
        return (
            found is not None
            and found.status != "closed"
            and (not found.operator or found.operator.endswith(f":{colleague.id}"))
        )

    async def _asks(self, ticket: Ticket, who: OperatorPersona, request: ApiRequest) -> None:
        """What a supervisor asks for on a page."""
        stage, peer = self._stage, ticket.customer_peer
        stage.words += 1
        sender = Sender(f"{peer.channel}:{who.id}", who.name)
        kept = Inbound(stage.testbot.key(), peer, sender, stage.now, InboundKind.INTERNAL, payload=request)
        await stage.testbot.service.inbox.accept(peer.channel, [kept])

    async def _says(self, operator: PlayedOperator, text: str, number: int | None = None) -> None:
        self._stage.words += 1
        await operator.says(text, ticket=number, run=False)
