"""What operators write in the desk: words for the customer, notes for one another, commands; each in its
place.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.assist.assistant_requests import became_words
from bot.handoff.assist.sending import of_preview
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators import edits
from bot.handoff.operators.commands import is_closed
from bot.handoff.operators.comment_answers import ask_where
from bot.handoff.operators.drafts import ask, draft, send
from bot.handoff.operators.notes import note, whisper
from bot.handoff.operators.operator_message import MessageKind, OperatorMessage, command_of, read_message
from bot.handoff.operators.permissions import refusal, refuse
from bot.handoff.operators.replies import notice, privately, say
from bot.handoff.tickets import closing, lifecycle
from bot.model import Event, Inbound, InboundKind, Outcome, Result, Sender, Ticket, Timer, Turn
from bot.model.internal import UnattendedTicket


async def decide(desk: DeskContext, turn: Turn) -> Outcome:
    """What an inbound of the desk's group does. Anything out of place is refused with one clear line."""
    inbound = turn.inbounds[0]
    message = read_message(desk, turn)
    command = (
        desk.commands.pressed(turn.press.action)
        if turn.press is not None
        else desk.commands.named(message.name)
    )
    if (refused := await refusal(desk, turn, message, command)) is not None:
        return refused
    if inbound.kind is InboundKind.PRESS:
        return await command.run(desk, turn, "") if command else notice(desk, turn, "desk.old_button")
    if inbound.kind is InboundKind.TOPIC_CLOSED and turn.ticket and turn.ticket.status != "closed":
        return closing.close(desk, turn, turn.ticket, by=inbound.actor)
    if inbound.kind is InboundKind.EDIT:
        return await edits.decide(desk, turn, message)
    if inbound.kind is InboundKind.MEMBER:
        return await _member(desk, turn, inbound)
    if inbound.kind is not InboundKind.MESSAGE:
        return Outcome("desk", Result.IGNORED, str(inbound.kind))
    if message.kind is MessageKind.COMMAND and command is not None:
        return await command.run(desk, turn, message.text)
    return _written(desk, turn, message)


def _written(desk: DeskContext, turn: Turn, message: OperatorMessage) -> Outcome:
    """What becomes of a new message that is no command."""
    inbound, ticket = turn.inbounds[0], turn.ticket
    if message.kind is MessageKind.FOREIGN:
        return Outcome("desk", Result.IGNORED, "command for another bot")
    if ticket is None and inbound.data.get("quotes_us") and not any(turn.quoted):
        return say(
            desk, turn, "desk.which_ticket"
        )  # a copy of a card that a broken connection left behind: nobody may write into the void
    if ticket is None:
        return Outcome("desk", Result.IGNORED, "talk_among_operators")
    match message.kind:
        case MessageKind.WHISPER:
            return whisper(desk, turn, ticket, message.text)
        case MessageKind.NOTE:
            return note(desk, turn, inbound, message.text)
        case MessageKind.MISTYPED:
            known = message.name in desk.commands.names
            key = "desk.mistyped" if known or not message.name else "desk.unknown_command"
            told = say(desk, turn, key, command=message.name)
            return replace(told, messages=privately(turn, told.messages))
        case MessageKind.HELD_BACK:
            return replace(say(desk, turn, "desk.held_back"), ticket=lifecycle.released(ticket))
    return words_of_operator(desk, turn, ticket, message)


def elsewhere(desk: DeskContext, turn: Turn) -> Outcome:
    """A group that is no desk: operators' commands and buttons are refused there, everything else is not
    ours.
    """
    name, _ = command_of(turn.inbounds[0])
    if turn.inbounds[0].kind is InboundKind.PRESS:
        return refuse(desk, turn, "desk.old_button")
    if desk.commands.only_here(name):
        return refuse(desk, turn, "desk.not_the_desk", name)
    if (
        turn.ticket is not None and turn.inbounds[0].kind is InboundKind.MESSAGE
    ):  # it was the desk once: who writes there would wait in vain
        return refuse(desk, turn, "desk.desk_moved", "words", number=turn.ticket.number)
    return Outcome("desk", Result.IGNORED, "not_the_desk")


def words_of_operator(desk: DeskContext, turn: Turn, ticket: Ticket, message: OperatorMessage) -> Outcome:
    """Words for the customer, asked about first where they may be meant for somebody else, or may hurt."""
    inbound = turn.inbounds[0]
    if ticket.status == "closed":
        return is_closed(desk, turn, ticket)
    made = draft(turn)
    if ticket.customer_peer.is_public:
        doubt = message.text if message.kind is MessageKind.DOUBTFUL else ""
        return ask_where(desk, turn, ticket, made, doubt)
    if message.kind is MessageKind.DOUBTFUL:
        return ask(desk, turn, ticket, made, "desk.sure" if message.text else "desk.sure_reply", message.text)
    ready = of_preview(ticket, made.words.text, turn.now, inbound.actor)
    sent = send(desk, turn, ticket, made)
    if ready and sent.ticket is not None and (used := became_words(sent.ticket, ready, turn)) is not None:
        changed, event = used
        return replace(sent, ticket=changed, events=(*sent.events, event))
    return replace(sent, events=(*sent.events, *ready))


async def _member(desk: DeskContext, turn: Turn, inbound: Inbound) -> Outcome:
    """Who leaves the group leaves their tickets to the others."""
    id = f"{inbound.peer.channel}:{inbound.data.get('user', '')}"
    if inbound.data.get("status") in ("administrator", "member"):
        return await _came(desk, inbound, id)
    if inbound.data.get("status") not in ("left", "kicked", "none") or not any(
        m.id == id for m in desk.roster.members()
    ):
        return Outcome("desk", Result.IGNORED, "membership")
    his = [t for t in await desk.ticket_reader.tickets(limit=1000) if t.operator == id]
    later = tuple(
        Timer(
            f"gone:{t.number}",
            UnattendedTicket("operator_gone"),
            turn.now,
            conversation=t.conversation,
        )
        for t in his
    )
    return Outcome(
        "desk", Result.IGNORED, "operator_left", events=(Event("operator_left", actor=id),), timers=later
    )


async def _came(desk: DeskContext, inbound: Inbound, id: str) -> Outcome:
    """Who comes into the group can be named from then on, also before a first word."""
    user = str(inbound.data.get("user", ""))
    name, last_name, username = (
        str(inbound.data.get(key) or "") for key in ("name", "last_name", "username")
    )
    sender = (
        Sender(user, name, last_name, username)
        if "name" in inbound.data
        else await desk.places.profile(inbound.peer, user) or Sender(user)
    )
    return Outcome(
        "desk", Result.IGNORED, "operator_joined", events=desk.roster.joined(id, sender, inbound.peer.chat)
    )
