"""Every command and button of the operators' side, in one list.

Routing, permissions, `/help`, the menu behind "/", the buttons of a card and the table in the operators' guide are
made from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.handoff import customer_linking, overview
from bot.handoff.assist import sending
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators import commands, drafts, menus, supervisor_commands
from bot.handoff.outreach import commands as outreach
from bot.i18n.texts import Texts
from bot.model import Button, Outcome, Rows, Ticket, Turn

Handler = Callable[[DeskContext, Turn, str], Outcome | Awaitable[Outcome]]
TicketHandler = Callable[[DeskContext, Turn, Ticket, str], Outcome | Awaitable[Outcome]]


class Scope(StrEnum):
    TICKET = "ticket"  # about the ticket at hand
    GROUP = "group"  # about the operator, or the group
    SERVICE = "service"  # about the whole service, for customers or every group


class Role(StrEnum):
    ANYBODY = "anybody"  # it changes nothing and names nobody
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"  # where none are named in the config, every operator is one


@dataclass(frozen=True, slots=True)
class Command:
    """What operators write as /*name*, or press as *button* (the action; "" = there is none).

    A command without a name is only pressed. *opens* is what the button does where that is not what the command
    does: it asks for what the command would be followed by. *by_number*: also given from elsewhere, as /take 12.
    *afar*: a supervisor may give it in private. *shared*: outside the desk it may be meant for another bot.
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
    by_number: bool = False
    afar: bool = False
    shared: bool = False
    help: str = ""

    @property
    def pressed(self) -> Handler | TicketHandler:
        return self.opens or self.handler


def _ticket(name: str, handler: TicketHandler, role: Role = Role.OPERATOR, **more: object) -> Command:
    return Command(name, Scope.TICKET, role, handler, help=name, **more)  # type: ignore[arg-type]


def _other(name: str, scope: Scope, role: Role, handler: Handler, **more: object) -> Command:
    return Command(name, scope, role, handler, help=name, **more)  # type: ignore[arg-type]


def _tap(button: str, handler: TicketHandler, role: Role = Role.OPERATOR) -> Command:
    """A button under something that a command has brought."""
    return Command("", Scope.TICKET, role, handler, button=button)


def _order_tap(button: str, handler: Handler, *, afar: bool = False) -> Command:
    """A button under what supervisors have ordered."""
    return Command("", Scope.SERVICE, Role.SUPERVISOR, handler, button=button, afar=afar)


COMMANDS = (
    _ticket("take", commands.take, button="take", style="primary", by_number=True),
    _ticket("close", commands.close, button="close", style="success"),
    _ticket("return", commands.give_to_bot, button="return_to_bot", shared=True),
    _ticket("reopen", commands.reopen, button="reopen"),
    _ticket("transfer", commands.hand_on, button="hand_on", opens=menus.hand_on),
    _ticket("snooze", commands.snooze, button="put_off", opens=menus.put_off),
    _ticket("promise", commands.promise, shared=True),
    _ticket("t", sending.template, button="template", shared=True),
    _ticket("contact", commands.show_contact, button="show_contact"),
    _ticket("history", commands.history, shared=True),
    _ticket("tag", commands.tag, shared=True),
    _ticket("topic", commands.topic, shared=True),
    _ticket("category", commands.category, button="category", shared=True),
    _ticket("same", customer_linking.same, button="same", shared=True),
    _ticket("apart", customer_linking.apart, shared=True),
    _ticket("undo", sending.undo),
    _ticket("note", commands.write_note, shared=True),
    _other("queue", Scope.GROUP, Role.ANYBODY, commands.queue),
    _other("away", Scope.GROUP, Role.OPERATOR, commands.away),
    _other("back", Scope.GROUP, Role.OPERATOR, commands.back, shared=True),
    _other("help", Scope.GROUP, Role.ANYBODY, commands.help_, aliases=("start",), shared=True),
    _ticket("priority", supervisor_commands.set_priority, Role.SUPERVISOR, by_number=True),
    _ticket("assign", supervisor_commands.assign, Role.SUPERVISOR, button="assign", by_number=True),
    _other("overview", Scope.SERVICE, Role.SUPERVISOR, overview.show, button="overview", afar=True),
    _other("whisper", Scope.SERVICE, Role.SUPERVISOR, overview.whisper, by_number=True),
    _other("incident", Scope.SERVICE, Role.SUPERVISOR, outreach.incident),
    _other("broadcast", Scope.SERVICE, Role.SUPERVISOR, outreach.broadcast),
    _other("followups", Scope.SERVICE, Role.SUPERVISOR, outreach.followups),
    _other("sorry", Scope.SERVICE, Role.SUPERVISOR, outreach.sorry),
    _tap("give_to", commands.hand_on),
    _tap("snooze", commands.snooze),
    _tap("preview", sending.preview),
    _tap("send_ready", sending.send_ready),
    _tap("send_anyway", drafts.send_anyway),
    _tap("hold_back", drafts.hold_back),
    _tap("resend", sending.resend),
    _order_tap("overview_ticket", overview.ticket, afar=True),
    _order_tap("overview_people", overview.people, afar=True),
    _order_tap("overview_urgency", overview.urgencies, afar=True),
    _order_tap("overview_order", overview.order, afar=True),
    *(_order_tap(action, outreach.pressed) for action in sorted(outreach.PRESSES)),
)
WAITS = (("take", "return", "close"), ("transfer", "t", "snooze"), ("contact",))
ROWS: Mapping[str, tuple[tuple[str, ...], ...]] = {  # the commands whose buttons a card has, by the ticket's status
    "waiting": WAITS,
    "snoozed": WAITS,
    "operator": (("close", "return"), ("transfer", "t", "snooze"), ("contact",)),
    "closed": (("reopen",),),
}


class Registry:
    """The commands by what an operator writes or presses."""

    def __init__(self, commands: Iterable[Command] = COMMANDS) -> None:
        self.commands = tuple(commands)
        self._named = {name: c for c in self.commands for name in (c.name, *c.aliases) if name}
        self._pressed = {c.button: c for c in self.commands if c.button}

    @property
    def names(self) -> frozenset[str]:
        """Everything that may be written after the slash."""
        return frozenset(self._named)

    @property
    def listed(self) -> tuple[Command, ...]:
        """The commands that people are told about, in their order."""
        return tuple(c for c in self.commands if c.name)

    def named(self, name: str) -> Command | None:
        return self._named.get(name)

    def called(self, turn: Turn, name: str) -> Command | None:
        """What is asked for: by the pressed button, else by a command of this *name*; None = nothing of ours."""
        return self._pressed.get(turn.press.action) if turn.press is not None else self._named.get(name)

    def afar(self, turn: Turn, name: str, rest: str) -> Command | None:
        """What a supervisor asks for in private; None = nothing that can be asked for there."""
        found = self.called(turn, name)
        if found is None or found.afar or (turn.press is None and by_number(found, turn, rest)):
            return found
        return None

    def menu(self, *, afar: bool = False) -> tuple[str, ...]:
        """The names that are offered behind "/", in the desk or to a supervisor in private."""
        return tuple(c.name for c in self.listed if not afar or c.afar or c.by_number)

    def card_rows(self, ticket: Ticket, texts: Texts, lang: str, *, without: Iterable[str] = ()) -> Rows:
        """The buttons under the card of a ticket, *without* the commands that would bring nothing now."""
        rows = [[self._named[name] for name in row if name not in set(without)] for row in ROWS[ticket.status]]
        return tuple(
            tuple(
                Button(
                    texts.text(f"desk.button.{c.button}", lang=lang),
                    c.button,
                    str(ticket.number),
                    style=c.style if c is row[0] else "",  # type: ignore[arg-type]
                )
                for c in row
            )
            for row in rows
            if row
        )


def by_number(command: Command, turn: Turn, rest: str) -> bool:
    """Whether the command names its ticket itself, since none is at hand."""
    return command.by_number and turn.ticket is None and rest[:1].isdecimal()
