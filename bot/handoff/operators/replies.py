"""Short words of the desk to an operator: beside the button, as a mark on the command, or as a message."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.model import Outbound, OutboundKind, Outcome, Priority, Result, RichText, Rows, Turn


def notice(desk: DeskContext, turn: Turn, key: str, **facts: object) -> Outcome:
    """A short answer: beside the pressed button, or as a message after a command."""
    inbound = turn.inbounds[0]
    if inbound.callback:
        say_ = Outbound(
            inbound.peer,
            desk.texts.say(key, lang=desk.lang, **facts),
            kind=OutboundKind.ACKNOWLEDGE,
            quotes=inbound.callback,
            author="",
        )
        return Outcome("desk", Result.ANSWERED, key, (say_,))
    return say(desk, turn, key, (), "", **facts)


def privately(turn: Turn, said: tuple[Outbound, ...]) -> tuple[Outbound, ...]:
    """The same for the writer's eyes alone, where their group can show it so; else for all, as ever."""
    sender = turn.inbounds[0].sender
    if sender.anonymous:
        return said
    return tuple(replace(o, only_for=sender.id) if o.kind is OutboundKind.SAY else o for o in said)


def done(desk: DeskContext, turn: Turn, key: str, **facts: object) -> Outcome:
    """It worked: words beside the button, a mark on the command (a message would cost the group's budget)."""
    inbound = turn.inbounds[0]
    if inbound.callback or not inbound.message:
        return notice(desk, turn, key, **facts)
    mark = Outbound(
        turn.peer,
        RichText(desk.texts.text("desk.receipt.delivered", lang=desk.lang)),
        kind=OutboundKind.REACT,
        quotes=inbound.message,
        priority=Priority.COSMETIC,
        author="",
    )
    return Outcome("desk", Result.ANSWERED, key, (mark,))


def say(
    desk: DeskContext, turn: Turn, key: str, buttons: Rows = (), name: str = "", /, **facts: object
) -> Outcome:
    """A message in the desk, as an answer to what was said there."""
    inbound = turn.inbounds[0]
    said = notices.in_desk(desk, turn.peer, turn.ticket, key, **facts)
    said = replace(
        said, buttons=buttons, name=name, quotes=inbound.message if not inbound.peer.thread else ""
    )
    return Outcome("desk", Result.ANSWERED, key, (said,))
