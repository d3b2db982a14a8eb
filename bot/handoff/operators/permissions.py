"""Who may act in the desk: people of its group, under their own names.

Anybody else is refused in one line, and the try is kept.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.command import Command, Role
from bot.handoff.operators.operator_message import MessageKind, OperatorMessage
from bot.handoff.operators.replies import notice, privately
from bot.handoff.topics import reopen_topic
from bot.model import Event, InboundKind, Outbound, Outcome, Result, Turn

ACTS = (InboundKind.MESSAGE, InboundKind.PRESS, InboundKind.EDIT, InboundKind.TOPIC_CLOSED)
REFUSED = "refused"  # the reason of such an outcome
NOT_THEIRS = "not_theirs"  # the reason where a colleague's role does not allow it: they are one of us


async def refusal(
    desk: DeskContext, turn: Turn, message: OperatorMessage, command: Command | None
) -> Outcome | None:
    """Why the writer may not do this; None where they may.

    Talk among operators is nobody's business and is not asked about.
    """
    inbound = turn.inbounds[0]
    is_press = inbound.kind is InboundKind.PRESS
    is_order = inbound.kind is InboundKind.MESSAGE and message.kind in (
        MessageKind.COMMAND,
        MessageKind.MISTYPED,
    )
    name = message.name if is_order else ""
    if inbound.kind not in ACTS or not (name or turn.ticket or is_press):
        return None
    if is_order and command is not None and command.role is Role.ANYBODY:
        return None
    if (why := await _stranger(desk, turn)) is not None:
        return refuse(desk, turn, why, name)
    if message.kind is not MessageKind.COMMAND and not is_press:
        return None
    if (
        command is not None
        and command.role is Role.SUPERVISOR
        and not desk.rules.is_supervisor(inbound.actor)
    ):
        return replace(refuse(desk, turn, "desk.only_supervisors", name), reason=NOT_THEIRS)
    return None


async def _stranger(desk: DeskContext, turn: Turn) -> str | None:
    """Why nobody may act here under this name, or for this customer; None where one may."""
    inbound = turn.inbounds[0]
    if inbound.sender.anonymous:
        return "desk.anonymous"
    known = desk.roster.member(inbound.actor)
    doubtful = known.left or (
        not known.name and inbound.kind is InboundKind.PRESS
    )  # in a public group strangers see the buttons, too
    if doubtful and await desk.places.membership(inbound.peer, inbound.sender.id) == "none":
        return "desk.not_in_the_group"
    if (
        turn.ticket is not None and not turn.ticket.customer_peer.chat
    ):  # forgotten: there is nobody to write to, and nothing to keep
        return "desk.forgotten"
    return None


def refuse(desk: DeskContext, turn: Turn, key: str, what: str = "", **facts: object) -> Outcome:
    """One clear line, and nothing changed. A changed message gets no line: the first one already did."""
    inbound = turn.inbounds[0]
    done = what or (turn.press.action if turn.press else inbound.kind.value)
    number = turn.ticket.number if turn.ticket else None
    event = Event(
        "refused", ticket=number, actor=inbound.actor, data={"why": key.rpartition(".")[2], "what": done}
    )
    say: tuple[Outbound, ...] = (
        () if inbound.kind is InboundKind.EDIT else privately(turn, notice(desk, turn, key, **facts).messages)
    )
    if inbound.kind is InboundKind.TOPIC_CLOSED:
        say = (
            *say,
            reopen_topic(inbound.peer, number),
        )
    return Outcome("desk", Result.IGNORED, REFUSED, say, events=(event,))
