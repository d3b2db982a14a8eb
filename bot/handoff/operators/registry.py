"""Every command and button of the operators' side, in one list.

Routing, permissions, `/help`, the menu behind "/", the buttons of a card and the table in the operators'
guide are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.handoff import blocklist, comment_moderation, compensation, customer_linking, dialog_scores, overview
from bot.handoff.assist import assistant_requests, kb_search, sending
from bot.handoff.mystery import mystery_commands
from bot.handoff.operators import commands, comment_answers, drafts, menus, supervisor_commands
from bot.handoff.operators.command import Command, Handler, Role, Scope, TicketHandler
from bot.handoff.outreach import commands as outreach
from bot.handoff.playbooks import playbook_commands
from bot.i18n.texts import Texts
from bot.model import Button, Rows, Ticket


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
    _ticket("take", commands.take, button="take", style="primary", by_number=overview.order_by_number),
    _ticket("close", commands.close, button="close", style="success"),
    _ticket("return", commands.give_to_bot, button="return_to_bot", shared=True),
    _ticket("reopen", commands.reopen, button="reopen"),
    _ticket("transfer", commands.hand_on, button="hand_on", opens=menus.hand_on),
    _ticket("snooze", commands.snooze, button="put_off", opens=menus.put_off),
    _ticket("promise", commands.promise, shared=True),
    _ticket("t", sending.template, button="template", shared=True),
    _other("kb", Scope.GROUP, Role.OPERATOR, kb_search.search),
    _ticket("contact", commands.show_contact, button="show_contact"),
    _ticket("history", commands.history, shared=True),
    _ticket("tag", commands.tag, shared=True),
    _ticket("topic", commands.topic, shared=True),
    _ticket("category", commands.category, button="category", shared=True),
    _ticket("playbook", playbook_commands.playbook, shared=True),
    _ticket("compensate", compensation.compensate, shared=True),
    _ticket("same", customer_linking.same, button="same", shared=True),
    _ticket("apart", customer_linking.apart, shared=True),
    _ticket("undo", sending.undo),
    _ticket("note", commands.write_note, shared=True),
    _other("queue", Scope.GROUP, Role.ANYBODY, commands.queue),
    _other("away", Scope.GROUP, Role.OPERATOR, commands.away),
    _other("back", Scope.GROUP, Role.OPERATOR, commands.back, shared=True),
    _other("quality", Scope.GROUP, Role.OPERATOR, dialog_scores.own, own=True, shared=True),
    _other("help", Scope.GROUP, Role.ANYBODY, commands.help_, aliases=("start",), shared=True),
    _ticket(
        "priority", supervisor_commands.set_priority, Role.SUPERVISOR, by_number=overview.order_by_number
    ),
    _ticket(
        "assign",
        supervisor_commands.assign,
        Role.SUPERVISOR,
        button="assign",
        by_number=overview.order_by_number,
    ),
    _other("overview", Scope.SERVICE, Role.SUPERVISOR, overview.show, button="overview", afar=True),
    _ticket("whisper", overview.whisper, Role.SUPERVISOR, by_number=overview.order_by_number),
    _ticket("block", blocklist.block, Role.SUPERVISOR),
    _ticket("unblock", blocklist.unblock, Role.SUPERVISOR, by_number=blocklist.unblock_by_number),
    _other("blocked", Scope.SERVICE, Role.SUPERVISOR, blocklist.listed, afar=True),
    _other("incident", Scope.SERVICE, Role.SUPERVISOR, outreach.incident),
    _other("broadcast", Scope.SERVICE, Role.SUPERVISOR, outreach.broadcast),
    _other("followups", Scope.SERVICE, Role.SUPERVISOR, outreach.followups),
    _other("mystery", Scope.SERVICE, Role.SUPERVISOR, mystery_commands.mystery, afar=True),
    _other("sorry", Scope.SERVICE, Role.SUPERVISOR, outreach.sorry),
    _tap("give_to", commands.hand_on),
    _tap("snooze", commands.snooze),
    _tap("preview", sending.preview),
    _tap("send_ready", sending.send_ready),
    Command("", Scope.GROUP, Role.OPERATOR, kb_search.shown, button="kb_article"),
    _tap("send_anyway", drafts.send_anyway),
    _tap("hold_back", drafts.hold_back),
    _tap("send_public", comment_answers.send_public),
    _tap("send_alone", comment_answers.send_alone),
    Command("", Scope.GROUP, Role.OPERATOR, comment_moderation.delete, button="comment_delete"),
    Command("", Scope.GROUP, Role.OPERATOR, comment_moderation.keep, button="comment_keep"),
    _order_tap("comment_ban", comment_moderation.ban),
    _tap("resend", sending.resend),
    _tap("playbook_step", playbook_commands.step),
    _tap("playbook_tick", playbook_commands.step),
    _tap("playbook_choose", playbook_commands.choose),
    _order_tap("compensation_yes", compensation.pressed, afar=True),
    _order_tap("compensation_no", compensation.pressed, afar=True),
    _order_tap("mystery_start", mystery_commands.pressed, afar=True),
    _order_tap("overview_ticket", overview.ticket, afar=True),
    _order_tap("overview_people", overview.people, afar=True),
    _order_tap("overview_urgency", overview.urgencies, afar=True),
    _order_tap("overview_order", overview.order, afar=True),
    _order_tap("unblock_number", blocklist.unblock_number, afar=True),
    *(_order_tap(action, outreach.pressed) for action in sorted(outreach.PRESSES)),
)
ASSISTANT = (  # where the owner lets it work for operators
    _ticket("draft", assistant_requests.draft, button="draft", shared=True),
    _ticket("shorten", assistant_requests.shorten, shared=True),
    _ticket("soften", assistant_requests.soften, shared=True),
    _ticket("translate", assistant_requests.translate, shared=True),
    _ticket("summary", assistant_requests.summary, shared=True),
    _tap("assistant_send", assistant_requests.send),
    _tap("assistant_drop", assistant_requests.drop),
)
WAITS = (("take", "return", "close"), ("transfer", "t", "snooze"), ("contact",))
ROWS: Mapping[
    str, tuple[tuple[str, ...], ...]
] = {  # the commands whose buttons a card has, by the ticket's status
    "waiting": WAITS,
    "snoozed": WAITS,
    "operator": (("close", "return"), ("transfer", "t", "snooze"), ("contact",)),
    "closed": (("reopen",),),
}

CARD_ENDS = "contact"  # the command in whose row a card offers what is not always there


class Registry:
    """The commands by what an operator writes or presses."""

    def __init__(self, commands: Iterable[Command] = COMMANDS, *, assistant: bool = False) -> None:
        self.commands = (*commands, *(ASSISTANT if assistant else ()))
        self._rows = (
            {status: tuple(map(_with_draft, rows)) for status, rows in ROWS.items()} if assistant else ROWS
        )
        self._named = {name: c for c in self.commands for name in (c.name, *c.aliases) if name}
        self._pressed = {c.button: c for c in self.commands if c.button}
        self.names = frozenset(self._named)  # everything that may be written after the slash

    @property
    def listed(self) -> tuple[Command, ...]:
        """The commands that people are told about, in their order."""
        return tuple(c for c in self.commands if c.name)

    @property
    def on_cards(self) -> frozenset[str]:
        """The names of those that have a button under some card."""
        return frozenset(name for rows in self._rows.values() for row in rows for name in row)

    def named(self, name: str) -> Command | None:
        return self._named.get(name)

    def only_here(self, name: str) -> bool:
        """Whether nobody means this for another bot, or for the customers' dialogs."""
        return (found := self._named.get(name)) is not None and not found.shared

    def pressed(self, action: str) -> Command | None:
        return self._pressed.get(action)

    def afar(self, name: str, rest: str) -> Command | None:
        """What a supervisor, or an operator about themselves, asks for in private; None = nothing that can be
        asked for there.
        """
        found = self._named.get(name)
        return (
            found
            if found and (found.afar or found.own or found.is_by_number(rest, has_ticket=False))
            else None
        )

    def pressed_afar(self, action: str) -> Command | None:
        found = self._pressed.get(action)
        return found if found and found.afar else None

    def menu(self, *, afar: bool = False) -> tuple[Command, ...]:
        """What is offered behind "/", in the desk or to a supervisor in private."""
        return tuple(c for c in self.listed if not afar or c.afar or c.own or c.by_number is not None)

    def card_rows(self, ticket: Ticket, texts: Texts, lang: str, *, without: Iterable[str] = ()) -> Rows:
        """The buttons under the card of a ticket, *without* the commands that would bring nothing now."""
        rows = [
            [self._named[name] for name in row if name not in set(without)]
            for row in self._rows[ticket.status]
        ]
        return tuple(
            tuple(
                Button(
                    texts.text(f"desk.button.{c.button}", lang=lang),
                    c.button,
                    str(ticket.number),
                    style=c.style if c is row[0] else "",
                )
                for c in row
            )
            for row in rows
            if row
        )


def _with_draft(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*row, "draft") if CARD_ENDS in row else row
