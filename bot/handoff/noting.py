"""Notes: what operators write for one another, which no customer ever sees."""

from __future__ import annotations

from bot.handoff.room import DeskRoom
from bot.handoff.saying import place
from bot.model import Inbound, Lane, Line, Outbound, Outcome, Result, RichText, Turn, Verb

NOTE = "//"


def note(desk: DeskRoom, turn: Turn, inbound: Inbound, text: str) -> Outcome:
    """Kept with the conversation and marked as seen."""
    kept = (Line(inbound.at, "note", text, inbound.sender.name, inbound.attachments),)
    mark = Outbound(place(turn), RichText(desk.words.text("desk.receipt.note", lang=desk.lang)), verb=Verb.REACT, quotes=inbound.message, lane=Lane.VIEW, author="")
    return Outcome("desk", Result.ANSWERED, "note", (mark,), notes=kept)
