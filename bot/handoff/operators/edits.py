"""An operator changed a message: the customer's changes with it, or the operator hears what the customer
has.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.desk_context import DeskContext, SettledDelivery
from bot.handoff.operators.comment_answers import ask_where
from bot.handoff.operators.drafts import album_of, ask, change, draft, edit_name, edited, held, send
from bot.handoff.operators.notes import note
from bot.handoff.operators.operator_message import MessageKind, OperatorMessage
from bot.handoff.operators.replies import say
from bot.handoff.tickets import lifecycle
from bot.model import Attachment, InboundKind, Outbound, Outcome, Result, Ticket, Turn
from bot.text.graphemes import shorten

SHOWN = 80  # characters of the customer's message that are told
LOST = ("failed", "cancelled")


async def decide(desk: DeskContext, turn: Turn, message: OperatorMessage) -> Outcome:
    """What becomes of the customer's message.

    A question is asked again about the new words: its old button is void.
    """
    ticket, inbound = turn.ticket, turn.inbounds[0]
    if ticket is None or not inbound.message:
        return Outcome("desk", Result.IGNORED, "edit_inside")
    if inbound.message in held(ticket):
        return await _of_held(desk, turn, ticket, message)
    album = album_of(ticket, inbound)
    has = await _with_customer(desk, ticket, album.name if album else inbound.outbound_name)
    if has is None:
        return _never_sent(desk, turn, ticket, message)
    made = edited(turn, album)
    photo_changed = album is None and _files(inbound.attachments) != _files(has.attachments)
    if made.text == has.text and not photo_changed:
        return Outcome("desk", Result.IGNORED, "edit_changes_nothing")
    if ticket.status == "closed":
        return _stays(desk, turn, "desk.edit_closed", has)
    if message.stays_inside:
        told = _stays(desk, turn, "desk.edit_inside", has)
        return replace(told, notes=_note(desk, turn, message).notes)
    if inbound.album and (album is None or inbound.message not in [p.message for p in album.parts]):
        return _stays(desk, turn, "desk.edit_of_album", has)
    if has.receipt is None:  # only the last of several pieces has it: they are too many to be changed as one
        return _stays(desk, turn, "desk.edit_of_pieces", has)
    made = replace(made, attachments=has.attachments)
    if message.kind is MessageKind.DOUBTFUL:
        return ask(desk, turn, ticket, made, "desk.sure_edit", message.text)
    changed = (
        change(desk, turn, ticket, made) if made.text != has.text else Outcome("desk", Result.CARRIED, "edit")
    )
    if not photo_changed:
        return changed
    return replace(changed, messages=(*changed.messages, *say(desk, turn, "desk.edit_of_file").messages))


async def _of_held(desk: DeskContext, turn: Turn, ticket: Ticket, message: OperatorMessage) -> Outcome:
    """It was not sent yet: it goes as it is now, is asked about again, or stays inside."""
    inbound = turn.inbounds[0]
    album = album_of(ticket, inbound)
    has = await _with_customer(desk, ticket, album.name if album else inbound.outbound_name)
    free = lifecycle.released(ticket, inbound.message)
    if message.stays_inside:
        return replace(_note(desk, turn, message), ticket=free)
    made = draft(replace(turn, inbounds=(replace(inbound, kind=InboundKind.MESSAGE),)))
    if has is not None:
        made = replace(edited(turn, album), attachments=has.attachments)
    if message.kind is MessageKind.DOUBTFUL:
        return ask(desk, turn, free, made, "desk.sure_edit" if made.edits else "desk.sure", message.text)
    if made.edits:
        return change(desk, turn, free, made)
    return ask_where(desk, turn, free, made) if free.customer_peer.is_public else send(desk, turn, free, made)


def _never_sent(desk: DeskContext, turn: Turn, ticket: Ticket, message: OperatorMessage) -> Outcome:
    """A note that became words, or words that did not arrive: sent only after a tap."""
    if message.stays_inside or ticket.status == "closed":
        return Outcome("desk", Result.IGNORED, "edit_inside")
    return ask(desk, turn, ticket, draft(turn), "desk.sure_unsent", message.text)


async def _with_customer(desk: DeskContext, ticket: Ticket, name: str) -> Outbound | None:
    """The message as the customer has it, with the words of its last change; None where they have it not."""

    peer = ticket.customer_peer
    peers = (peer, peer.alone) if peer.is_public else (peer,)  # a comment is answered in either

    async def newest(of: str) -> SettledDelivery | None:
        found = [
            d
            for place in peers
            for d in await desk.ticket_reader.deliveries(peer=place, name=of)
            if d.status not in LOST
        ]
        return max(found, key=lambda d: d.id, default=None)

    said = await newest(name)
    if said is None:
        return None
    changed = await newest(edit_name(name))
    return (
        replace(said.outbound, text=changed.outbound.text)
        if changed is not None and changed.id > said.id
        else said.outbound
    )


def _stays(desk: DeskContext, turn: Turn, key: str, has: Outbound) -> Outcome:
    """One line: what the customer has."""
    words = " ".join(has.text.text.split())
    return say(desk, turn, key, text=shorten(words, SHOWN))


def _note(desk: DeskContext, turn: Turn, message: OperatorMessage) -> Outcome:
    """Notes are kept; commands and slips are not."""
    if message.kind in (MessageKind.NOTE, MessageKind.WHISPER):
        return note(desk, turn, turn.inbounds[0], message.text)
    return Outcome("desk", Result.IGNORED, "edit_inside")


def _files(attachments: tuple[Attachment, ...]) -> tuple[object, ...]:
    return tuple(a.data.get("unique") or a.ref for a in attachments)
