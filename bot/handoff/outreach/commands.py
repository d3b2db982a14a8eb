"""Writing to customers first, as supervisors order it: in the desk, by a button, from the command line, and
as time brings the next portion.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.permissions import refuse
from bot.handoff.operators.replies import who
from bot.handoff.outreach import low_rating
from bot.handoff.outreach.broadcast_commands import Broadcasts
from bot.handoff.outreach.broadcasts import TIMER, BroadcastSender, Mail
from bot.handoff.outreach.incident_commands import IncidentCommands
from bot.handoff.outreach.order_replies import ORDER, Likening, is_ordered
from bot.handoff.outreach.surveys import RUN, Surveys
from bot.model import InboundKind, Outcome, Press, Result, Turn
from bot.text.day_spans import DaySpan

COMMANDS = ("incident", "broadcast", "followups", "sorry")
PRESSES = frozenset(
    {"incident_off", "broadcast_send", "broadcast_drop", "broadcast_stop", *low_rating.PRESSES}
)


class OutreachCommands:
    """What `DeskContext.orders` is: None = not an order of this kind."""

    def __init__(
        self,
        desk: DeskContext,
        source: Mail,
        likeness: Likening,
        *,
        channels: Collection[str],
        hours: DaySpan,
        per_second: float,
        article: Callable[[str], str],
        meant: Callable[[str], tuple[str, ...]],
        title: Callable[[str], str],
        surveys: Surveys,
    ) -> None:
        self._desk, self._surveys = desk, surveys
        self.courier = BroadcastSender(desk, source, hours=hours, per_second=per_second, channels=channels)
        self.alarms = IncidentCommands(
            desk, source, likeness, meant=meant, title=title, waits=self.courier.waits
        )
        self.broadcasts = Broadcasts(desk, source, self.courier, likeness, channels=channels, article=article)

    async def __call__(self, turn: Turn, command: str, rest: str) -> Outcome | None:
        inbound = turn.inbounds[0]
        if inbound.kind is InboundKind.INTERNAL:
            if inbound.text == TIMER:
                return await self.courier.portion(turn)
            if inbound.text == RUN:
                return await self._surveys.run(turn)
            return await self._ordered(turn) if is_ordered(turn) and inbound.text == ORDER else None
        press = turn.press
        if command not in COMMANDS and (press is None or press.action not in PRESSES):
            return None
        if not self._desk.is_supervisor(who(inbound)):
            return refuse(self._desk, turn, "desk.only_supervisors", command)
        return (
            await self._pressed(turn, press)
            if press is not None
            else await self._commanded(turn, command, rest)
        )

    async def _pressed(self, turn: Turn, press: Press) -> Outcome:
        if press.action == "incident_off":
            return self.alarms.pressed(turn, press.value)
        if press.action in low_rating.PRESSES:
            return await low_rating.pressed(self._desk, turn, press.action)
        return await self.broadcasts.pressed(turn, press.action, press.value)

    async def _commanded(self, turn: Turn, command: str, rest: str) -> Outcome:
        match command:
            case "incident":
                return await self.alarms.command(turn, rest)
            case "broadcast":
                return await self.broadcasts.command(turn, rest)
            case "followups":
                return await low_rating.listed(self._desk, turn)
        return low_rating.sorry(self._desk, turn, rest)

    async def _ordered(self, turn: Turn) -> Outcome:
        """From the command line."""
        data = turn.inbounds[0].data
        match str(data.get("order")):
            case "incident":
                named = data.get("words")
                return await self.alarms.begin(
                    turn,
                    str(data.get("text") or ""),
                    [str(w) for w in named] if isinstance(named, list) else [],
                )
            case "incident_off":
                return self.alarms.end(turn, str(data.get("number") or ""), str(data.get("text") or ""))
            case "broadcast":
                return await self.broadcasts.order(
                    turn, str(data.get("conditions") or ""), str(data.get("text") or "")
                )
            case "broadcast_stop":
                return await self.broadcasts.command(turn, f"stop {data.get('number') or ''}".strip())
        return Outcome("desk", Result.IGNORED, "unknown_order")
