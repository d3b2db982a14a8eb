"""Advertisements and insults among comments: shown to operators, deleted by a person and never by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice
from bot.handoff.tickets import handover
from bot.model import (
    Button,
    Event,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Receipt,
    Result,
    RichText,
    Rows,
    Turn,
)
from bot.text.graphemes import shorten
from bot.text.person_names import full_name

SHOWN = 600  # characters of the comment on the card


@dataclass(frozen=True, slots=True)
class FlaggedComment:
    """A comment before the moderators: where it is, how it is named there, who wrote it, and why it is
    here.
    """

    peer: Peer
    message: str
    why: str
    who: str = ""
    text: str = ""
    link: str = ""

    @property
    def name(self) -> str:
        """How its card is found again."""
        return f"comment:{self.peer.channel}:{self.message}"


def flagged(desk: DeskContext, turn: Turn, why: str) -> Outcome:
    """Put the comment before the moderators; without a group of operators it is a ticket, so that it waits
    for one.
    """
    place = desk.places.binding.place
    if place is None:
        return handover.escalate(desk, turn, reason=f"comment_{why}")
    inbound = turn.inbounds[-1]
    who = full_name(turn.customer) if turn.customer else ""
    text, link = shorten(turn.text.strip(), SHOWN), str(inbound.data.get("link", ""))
    found = FlaggedComment(turn.conversation.peer, inbound.message, why, who, text, link)
    event = Event("comment_flagged", data={"why": why, "object": inbound.data.get("object", "")})
    return Outcome(
        "comments", Result.CARRIED, f"comment_{why}", (_card(desk, place, found),), events=(event,)
    )


def delete(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The button that deletes the comment."""
    return _decided(desk, turn, value, ("delete",))


def ban(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The button that deletes it and lets its author comment no more."""
    return _decided(desk, turn, value, ("delete", "ban"))


def keep(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The button that leaves the comment where it is."""
    return _decided(desk, turn, value, ())


def _decided(desk: DeskContext, turn: Turn, value: str, acts: tuple[str, ...]) -> Outcome:
    found, inbound = _unpacked(value), turn.inbounds[0]
    if found is None or turn.press is None:
        return notice(desk, turn, "desk.old_button")
    what = "ban" if "ban" in acts else "delete" if acts else "keep"
    orders = tuple(
        Outbound(
            found.peer,
            RichText(act),
            kind=OutboundKind.MODERATE,
            quotes=found.message,
            author="",
            receipt=Receipt(turn.peer, inbound.message) if inbound.message else None,
        )
        for act in acts
    )
    card = _card(desk, Peer(turn.peer.channel, turn.peer.chat), found, by=inbound.sender.name, done=what)
    event = Event("comment_moderated", actor=turn.actor, data={"what": what, "why": found.why})
    return Outcome("desk", Result.ANSWERED, f"comment_{what}", (*orders, card), events=(event,))


def _card(desk: DeskContext, place: Peer, found: FlaggedComment, *, by: str = "", done: str = "") -> Outbound:
    """The card, or what it becomes when somebody has decided."""
    facts = {"why": found.why, "who": found.who, "text": found.text, "link": found.link}
    said = notices.in_desk(desk, place, None, "desk.comment.flagged", **facts, by=by, done=done)
    kind, edits = (OutboundKind.EDIT, found.name) if done else (OutboundKind.SAY, "")
    return Outbound(
        place,
        said.text,
        buttons=() if done else _buttons(desk, found),
        kind=kind,
        name="" if done else found.name,
        edits=edits,
        author="",
    )


def _buttons(desk: DeskContext, found: FlaggedComment) -> Rows:
    packed = _packed(found)

    def button(action: str) -> Button:
        return Button(desk.texts.text(f"desk.button.{action}", lang=desk.lang), action, packed)

    return ((button("comment_delete"), button("comment_keep")), (button("comment_ban"),))


def _packed(found: FlaggedComment) -> str:
    peer = found.peer
    kept = [peer.channel, peer.chat, peer.thread, found.message, found.why, found.who, found.text, found.link]
    return json.dumps(kept, ensure_ascii=False)


def _unpacked(value: str) -> FlaggedComment | None:
    try:
        channel, chat, thread, message, why, who, text, link = map(str, json.loads(value))
    except ValueError:
        return None
    return FlaggedComment(Peer(channel, chat, thread), message, why, who, text, link)
