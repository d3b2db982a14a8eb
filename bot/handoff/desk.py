"""The operators' side decides: on what operators say and press, and where a conversation needs a person."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import group_status
from bot.handoff.binding_code import CODE_SETTING, is_same, kept_code, said_code
from bot.handoff.card_posts import reposted
from bot.handoff.desk_context import DeskContext
from bot.handoff.group_binding import BIND
from bot.handoff.operators import router
from bot.handoff.operators.permissions import REFUSED
from bot.handoff.outreach import commands as outreach_commands
from bot.handoff.tickets import handover
from bot.handoff.tickets.settle import settled
from bot.model import Answer, InboundKind, Outbound, Outcome, Turn

OF_GROUPS = (InboundKind.INTERNAL, InboundKind.ADDED, InboundKind.REMOVED)


class Desk:
    """Decides for operators, and hands conversations to them, from its context and the turn alone."""

    def __init__(self, context: DeskContext) -> None:
        self.context = context

    def hears(self, turn: Turn) -> bool:
        """Whether the turn was said in a group: then it is the desk's to decide, customers write in
        private.
        """
        return not turn.inbounds[0].private

    async def catch_up(self, version: int) -> None:
        """Know what was committed up to this version of the desk's state."""
        await self.context.shared.catch_up(version)

    async def decide(self, turn: Turn) -> Outcome:
        """What an operator's words, command or button do."""
        desk, inbound = self.context, turn.inbounds[0]
        binds = turn.press is not None and turn.press.action == BIND
        if (inbound.kind in OF_GROUPS or binds) and (decided := await self._of_group(turn)) is not None:
            return decided
        if code := said_code(inbound):
            return await self._by_code(turn, code)
        if not desk.places.is_desk(inbound.peer):
            return router.elsewhere(desk, turn)
        outcome = await router.decide(desk, turn)
        acts = inbound.kind in (InboundKind.MESSAGE, InboundKind.PRESS) and outcome.reason != REFUSED
        met = desk.roster.meeting(inbound) if acts else ()
        return settled(desk, turn.ticket, replace(outcome, events=(*met, *outcome.events)))

    def escalate(
        self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome:
        """Hand the conversation to a person; one that a person has already is only told how it stands."""
        return handover.escalate(self.context, turn, reason=reason, apology=apology, answer=answer)

    async def _of_group(self, turn: Turn) -> Outcome | None:
        """What is about the group itself, or was ordered from outside; None = neither."""
        if (ordered := await outreach_commands.on_timer(self.context, turn)) is not None:
            return ordered
        if (looked := await group_status.decide(self.context, turn)) is not None:
            return looked
        placed = await self.context.places.binding.decide(turn)
        return placed and await self._with_waiting(turn, placed)

    async def _by_code(self, turn: Turn, code: str) -> Outcome:
        """A group is chosen by the code that the owner's set-up page shows."""
        kept = kept_code(await self.context.ticket_reader.setting(CODE_SETTING), turn.now)
        placed = self.context.places.binding.by_code(turn, right=is_same(code, kept))
        return await self._with_waiting(turn, placed)

    async def _with_waiting(self, turn: Turn, placed: Outcome) -> Outcome:
        if placed.reason != "bound":
            return placed
        return replace(placed, messages=(*placed.messages, *await self._waiting_cards(turn)))

    async def _waiting_cards(self, turn: Turn) -> tuple[Outbound, ...]:
        """What was opened while there was no desk, or in another one, is shown in the new one."""
        desk, place = self.context, replace(turn.peer, thread="")
        tickets = [
            t for t in await desk.ticket_reader.tickets(limit=1000) if desk.teams.place(t.state.desk) is None
        ]
        cards = [await reposted(desk, t.number, replace(place, thread=f"ticket:{t.number}")) for t in tickets]
        return tuple(card for of_ticket in cards for card in of_ticket)
