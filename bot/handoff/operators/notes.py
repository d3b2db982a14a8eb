"""Notes: what operators write for one another, which no customer ever sees."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.model import (
    Event,
    HistoryEntry,
    Inbound,
    Outbound,
    OutboundKind,
    Outcome,
    Priority,
    Result,
    RichText,
    Ticket,
    Turn,
)


def note(desk: DeskContext, turn: Turn, inbound: Inbound, text: str) -> Outcome:
    """Kept with the conversation and marked as seen."""
    kept = (HistoryEntry(inbound.at, "note", text, inbound.sender.name, turn.attachments),)
    mark = Outbound(
        turn.peer,
        RichText(desk.texts.text("desk.receipt.note", lang=desk.lang)),
        kind=OutboundKind.REACT,
        quotes=inbound.message,
        priority=Priority.COSMETIC,
        author="",
    )
    return Outcome("desk", Result.ANSWERED, "note", (mark,), notes=kept)


def whisper(desk: DeskContext, turn: Turn, ticket: Ticket, text: str) -> Outcome:
    """A note that calls the one whose ticket it is."""
    inbound = turn.inbounds[0]
    kept = note(desk, turn, inbound, text)
    called = desk.roster.member(ticket.operator).call or ticket.operator_name
    if not called or ticket.operator == inbound.actor:
        return kept
    told = notices.in_desk(desk, turn.peer, ticket, "desk.whisper", operator=called, by=inbound.sender.name)
    return replace(
        kept,
        messages=(*kept.messages, told),
        events=(Event("whispered", ticket=ticket.number, actor=inbound.actor),),
    )
