"""Notes: what operators write for one another, which no customer ever sees."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.desk_context import DeskRoom
from bot.handoff.operators.replies import place, who
from bot.model import Event, Inbound, Lane, Line, Outbound, Outcome, Result, RichText, Ticket, Turn, Verb


def note(desk: DeskRoom, turn: Turn, inbound: Inbound, text: str) -> Outcome:
    """Kept with the conversation and marked as seen."""
    kept = (Line(inbound.at, "note", text, inbound.sender.name, turn.attachments),)
    mark = Outbound(place(turn), RichText(desk.words.text("desk.receipt.note", lang=desk.lang)), verb=Verb.REACT, quotes=inbound.message, lane=Lane.VIEW, author="")
    return Outcome("desk", Result.ANSWERED, "note", (mark,), notes=kept)


def whisper(desk: DeskRoom, turn: Turn, ticket: Ticket, text: str) -> Outcome:
    """A note that calls the one whose ticket it is."""
    inbound = turn.said[0]
    kept = note(desk, turn, inbound, text)
    called = desk.crew.member(ticket.operator).call or ticket.operator_name
    if not called or ticket.operator == who(inbound):
        return kept
    told = desk.notice(place(turn), ticket, "desk.whisper", operator=called, by=inbound.sender.name)
    return replace(kept, say=(*kept.say, told), events=(Event("whispered", ticket=ticket.number, actor=who(inbound)),))
