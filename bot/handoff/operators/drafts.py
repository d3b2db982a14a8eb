"""An operator's message on its way to the customer: put together from its parts, asked about, sent, or
changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.handoff import card_posts
from bot.handoff.attachments import named
from bot.handoff.context import marked_lines, quoted_part
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.answers import answered, shows_otherwise
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.tickets import lifecycle
from bot.handoff.tone_remarks import remarked_last
from bot.model import (
    Attachment,
    Button,
    Event,
    HeldMessage,
    Inbound,
    InboundKind,
    Media,
    MessagePart,
    Outbound,
    OutboundKind,
    Outcome,
    Receipt,
    Result,
    RichText,
    SentAlbum,
    Span,
    Style,
    Ticket,
    Turn,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the customer would get. *name* finds it again, *edits* says that it changes what they have.

    *question* is the one that asks about it now.
    """

    name: str
    parts: tuple[MessagePart, ...]
    attachments: tuple[Attachment, ...] = ()
    quotes: str = ""
    album: str = ""
    edits: bool = False
    question: str = ""
    part: str = ""  # the customer's own words that are answered

    @property
    def text(self) -> RichText:
        """What the customer reads: their words that are quoted, and below them the operator's."""
        return (
            RichText(marked_lines(self.part) + "\n") + self.words if self.part and self.words else self.words
        )

    @property
    def words(self) -> RichText:
        """The words of all parts, one below the other."""
        whole = RichText()
        for part in (p for p in self.parts if p.text):
            whole = (whole + "\n" if whole else whole) + RichText(part.text, part.spans)
        return whole

    @property
    def message(self) -> str:
        return self.parts[0].message


def draft(turn: Turn) -> Draft:
    """The turn's message as it would be sent."""
    first = turn.inbounds[0]
    quotes = next((q.mirror_of for q in turn.quoted if q is not None and q.mirror_of), "")
    parts = tuple(MessagePart(i.message, i.text, i.spans) for i in turn.inbounds)
    return Draft(first.outbound_name, parts, turn.attachments, quotes, first.album, part=quoted_part(turn))


def send(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft) -> Outcome:
    """The words go to the customer; the first ones take a ticket that nobody has."""
    changed, status, events = answered(ticket, turn, made.name if made.message else "")
    words = Outbound(
        ticket.customer_peer,
        made.text,
        attachments=made.attachments,
        name=made.name,
        mirror_of=made.message,
        quotes=made.quotes,
        ticket=ticket.number,
        author="operator",
        author_name=turn.inbounds[0].sender.name,
        receipt=Receipt(turn.peer, made.message) if made.message else None,
        on_uncertain=desk.rules.on_uncertain,
    )
    words = named(words, desk.texts, desk.lang_of(turn.customer))
    changed = _with_album(changed, made)
    cards = card_posts.edited(desk, changed) if shows_otherwise(ticket, changed) else ()
    return Outcome(
        "desk", Result.CARRIED, "operator", (words, *cards), status=status, ticket=changed, events=events
    )


def change(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft) -> Outcome:
    """The customer's message is changed where it stands."""
    edit = Outbound(
        ticket.customer_peer,
        made.text,
        kind=OutboundKind.EDIT,
        name=edit_name(made.name),
        edits=made.name,
        ticket=ticket.number,
        author="operator",
        author_name=turn.inbounds[0].sender.name,
        attachments=made.attachments,
        receipt=Receipt(turn.peer, made.message),
    )
    return Outcome("desk", Result.CARRIED, "edit", (edit,), ticket=_with_album(ticket, made))


def ask(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft, /, why: str, word: str = "") -> Outcome:
    """Nothing is sent before somebody says so. *why* names the question, *word* is what it is about."""
    made = replace(made, question=str(turn.id))
    yes = Button(desk.texts.text("desk.button.send_anyway", lang=desk.lang), "send_anyway", packed(made))
    no = Button(desk.texts.text("desk.button.hold_back", lang=desk.lang), "hold_back", packed(made))
    asked = remarked_last(desk, say(desk, turn, why, ((yes, no),), word=word), made.words.text)
    return replace(
        asked,
        ticket=lifecycle.held(ticket, HeldMessage(made.message, made.question)),
        events=(Event("tone_asked", actor=turn.actor),),
    )


def send_anyway(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that sends what was asked about: once, and only while the message is as it was then."""
    if (made := asked_about(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    let_go = lifecycle.released(ticket, made.message)
    sent = change(desk, turn, let_go, made) if made.edits else send(desk, turn, let_go, made)
    return replace(sent, messages=(*sent.messages, *done(desk, turn, "desk.sent").messages))


def hold_back(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that takes it back: it is never sent."""
    if (made := asked_about(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    return replace(notice(desk, turn, "desk.held_back"), ticket=lifecycle.released(ticket, made.message))


def held(ticket: Ticket) -> dict[str, str]:
    """Messages that wait for somebody's word, each with the question that asks about it now."""
    return {kept.message: kept.question for kept in ticket.state.held}


def tapped(ticket: Ticket, turn: Turn) -> Ticket | None:
    """The ticket that remembers this tap; None where the button was pressed before: two taps are one."""
    row = turn.press.outbound if turn.press else 0
    return None if row in ticket.state.tapped else lifecycle.tapped(ticket, row)


def album_of(ticket: Ticket, inbound: Inbound) -> Draft | None:
    """The album that a part belongs to, as it was sent; None where it is not remembered."""
    for kept in ticket.state.albums:
        if inbound.album and kept.album == inbound.album:
            return Draft(kept.name, kept.parts, album=inbound.album, part=kept.part)
    return None


def edited(turn: Turn, sent: Draft | None = None) -> Draft:
    """What the customer's message becomes by an edit: of an album only the words of one part change."""
    inbound = turn.inbounds[0]
    own = MessagePart(inbound.message, inbound.text, inbound.spans)
    if sent is None:
        return Draft(inbound.outbound_name, (own,), inbound.attachments, edits=True, part=quoted_part(turn))
    parts = tuple(own if p.message == inbound.message else p for p in sent.parts)
    return replace(sent, parts=parts, edits=True)


def edit_name(name: str) -> str:
    """How the changes of a message are found again."""
    return f"edit:{name}"


def _with_album(ticket: Ticket, made: Draft) -> Ticket:
    """A later edit names one part of it only."""
    if not made.album:
        return ticket
    return lifecycle.album_sent(ticket, SentAlbum(made.album, made.name, made.parts, made.part))


def asked_about(turn: Turn, ticket: Ticket) -> Draft | None:
    """What the pressed button asks about, while that question stands."""
    made = _unpacked(turn.press.value) if turn.press and turn.inbounds[0].kind is InboundKind.PRESS else None
    return made if made is not None and held(ticket).get(made.message) == made.question else None


def packed(made: Draft) -> str:
    """The draft as the value of a button."""
    return json.dumps(asdict(made), ensure_ascii=False)


def _unpacked(text: str) -> Draft | None:
    kept = json.loads(text)
    if (
        "parts" not in kept
    ):  # a button of an earlier version: it knew nothing of what became of the message since
        return None
    return Draft(
        kept["name"],
        tuple(_part(p) for p in kept["parts"]),
        tuple(Attachment(**{**a, "media": Media(a["media"])}) for a in kept["attachments"]),
        kept["quotes"],
        kept["album"],
        kept["edits"],
        kept["question"],
        kept.get("part", ""),
    )


def _part(kept: Mapping[str, Any]) -> MessagePart:
    return MessagePart(str(kept["message"]), str(kept["text"]), _spans(kept["spans"]))


def _spans(kept: Sequence[Mapping[str, Any]]) -> tuple[Span, ...]:
    return tuple(Span(Style(s["style"]), int(s["offset"]), int(s["length"]), str(s["url"])) for s in kept)
