"""What a command of the operators is: its name, who may give it, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice, say
from bot.model import Outcome, Ticket, Turn

Made = Outcome | Awaitable[Outcome]
Handler = Callable[[DeskContext, Turn, str], Made]
TicketHandler = Callable[[DeskContext, Turn, Ticket, str], Made]
NumberHandler = Callable[[DeskContext, Turn, str, str], Awaitable[Outcome]]


class Scope(StrEnum):
    TICKET = "ticket"  # about the ticket at hand
    GROUP = "group"  # about the operator, or the group
    SERVICE = "service"  # about the whole service: every customer, every group


class Role(StrEnum):
    ANYBODY = "anybody"  # it changes nothing and names nobody
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"  # where the config names none, every operator is one


@dataclass(frozen=True, slots=True)
class Command:
    """What operators write as /*name*, or press as *button* (the action; "" = there is none).

    One without a name is only pressed. *opens* is what the button does where the command needs more than a
    tap: it asks. *by_number* is what becomes of /take 12, where no ticket is at hand. *afar*: supervisors may
    give it in private. *own*: operators may, too, since it is about themselves. *shared*: outside the desk it
    may be meant for another bot.
    *help* ends the keys of its words: `commands.operator.*`, `commands.usage.*`, `commands.details.*`.
    """

    name: str
    scope: Scope
    role: Role
    handler: Handler | TicketHandler
    aliases: tuple[str, ...] = ()
    button: str = ""
    style: str = ""
    opens: TicketHandler | None = None
    by_number: NumberHandler | None = None
    afar: bool = False
    own: bool = False
    shared: bool = False
    help: str = ""

    def is_by_number(self, rest: str, *, has_ticket: bool) -> bool:
        """Whether what follows the command says which ticket is meant, since none is at hand."""
        return self.by_number is not None and not has_ticket and rest[:1].isdecimal()

    async def run(self, desk: DeskContext, turn: Turn, rest: str) -> Outcome:
        """Do it. *rest* follows the command; a button brings its own value.

        The value of a ticket's button is the ticket's number, and nothing that was written.
        """
        if (
            turn.press is None
            and self.by_number
            and self.is_by_number(rest, has_ticket=turn.ticket is not None)
        ):
            return await self.by_number(desk, turn, self.name, rest)
        if self.scope is not Scope.TICKET:
            value = rest if turn.press is None else turn.press.value
            return await _ready(cast(Handler, self.handler)(desk, turn, value))
        if turn.ticket is None:
            return say(desk, turn, "desk.which_ticket") if turn.press is None else notice(desk, turn, OLD)
        handler = cast(TicketHandler, self.handler if turn.press is None else self.opens or self.handler)
        return await _ready(handler(desk, turn, turn.ticket, "" if turn.press else rest))


OLD = "desk.old_button"


async def _ready(made: Made) -> Outcome:
    return made if isinstance(made, Outcome) else await made
