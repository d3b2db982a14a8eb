"""An operator's message on its way to the customer: put together from its parts, asked about, sent, or
changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.handoff.attachments import named
from bot.handoff.context import marked_lines, quoted_part
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.answering import answered, shows_otherwise
from bot.handoff.operators.message_names import message_name
from bot.handoff.operators.replies import done, notice, place, say, who
from bot.handoff.tickets.state import marked
from bot.model import (
    Attachment,
    Button,
    Event,
    Inbound,
    InboundKind,
    Media,
    Outbound,
    OutboundKind,
    Outcome,
    Receipt,
    Result,
    RichText,
    Span,
    Style,
    Ticket,
    Turn,
)

HELD, ALBUMS, TAPPED = "held", "albums", "tapped"  # what a ticket remembers of them
MOST_HELD, MOST_ALBUMS, MOST_TAPPED = 20, 5, 20


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the operator: an album has several, each with words of its own."""

    message: str
    text: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What the customer would get. *name* finds it again, *edits* says that it changes what he has.

    *question* is the one that asks about it now.
    """

    name: str
    parts: tuple[Part, ...]
    attachments: tuple[Attachment, ...] = ()
    quotes: str = ""
    album: str = ""
    edits: bool = False
    question: str = ""
    part: str = ""  # the customer's own words that are answered

    @property
    def text(self) -> RichText:
        """What the customer reads: his words that are quoted, and below them the operator's."""
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
    parts = tuple(Part(i.message, i.text, i.spans) for i in turn.inbounds)
    return Draft(message_name(first), parts, turn.attachments, quotes, first.album, part=quoted_part(turn))


def send(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft) -> Outcome:
    """The words go to the customer; the first ones take a ticket that nobody has."""
    changed, status, events = answered(marked(ticket, preview=None), turn)
    changed = marked(
        changed, last_words={"name": made.name, "at": turn.now.timestamp()} if made.message else None
    )
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
        receipt=Receipt(place(turn), made.message) if made.message else None,
        on_uncertain=desk.rules.on_uncertain,
    )
    words = named(words, desk.words, desk.customer_lang(turn))
    changed = _with_album(changed, made)
    cards = desk.card_edit(changed) if shows_otherwise(ticket, changed) else ()
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
        receipt=Receipt(place(turn), made.message),
    )
    return Outcome("desk", Result.CARRIED, "edit", (edit,), ticket=_with_album(ticket, made))


def ask(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft, /, why: str, word: str = "") -> Outcome:
    """Nothing is sent before somebody says so. *why* names the question, *word* is what it is about."""
    made = replace(made, question=str(turn.id))
    yes = Button(desk.words.text("desk.button.send_anyway", lang=desk.lang), "send_anyway", _packed(made))
    no = Button(desk.words.text("desk.button.hold_back", lang=desk.lang), "hold_back", _packed(made))
    asked = say(desk, turn, why, ((yes, no),), word=word)
    kept = dict(list({**held(ticket), made.message: made.question}.items())[-MOST_HELD:])
    return replace(
        asked,
        ticket=marked(ticket, **{HELD: kept}),
        events=(Event("tone_asked", actor=who(turn.inbounds[0])),),
    )


def send_anyway(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that sends what was asked about: once, and only while the message is as it was then."""
    if (made := _asked(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    let_go = released(ticket, made.message)
    sent = change(desk, turn, let_go, made) if made.edits else send(desk, turn, let_go, made)
    return replace(sent, messages=(*sent.messages, *done(desk, turn, "desk.sent").messages))


def hold_back(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that takes it back: it is never sent."""
    if (made := _asked(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    return replace(notice(desk, turn, "desk.held_back"), ticket=released(ticket, made.message))


def held(ticket: Ticket) -> dict[str, str]:
    """Messages that wait for somebody's word, each with the question that asks about it now."""
    kept = ticket.data.get(HELD)
    return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, Mapping) else {}


def released(ticket: Ticket, message: str = "") -> Ticket:
    """Without the question about *message* ("" = without any): its buttons mean nothing any more."""
    kept = {k: v for k, v in held(ticket).items() if message and k != message}
    return marked(ticket, **{HELD: kept or None})


def tapped(ticket: Ticket, turn: Turn) -> Ticket | None:
    """The ticket that remembers this tap; None where the button was pressed before: two taps are one wish."""
    kept = ticket.data.get(TAPPED)
    before = list(kept) if isinstance(kept, list | tuple) else []
    row = turn.press.outbound if turn.press else 0
    if row in before:
        return None
    return marked(ticket, **{TAPPED: [*before, row][-MOST_TAPPED:]})


def album_of(ticket: Ticket, inbound: Inbound) -> Draft | None:
    """The album that a part belongs to, as it was sent; None where it is not remembered."""
    for kept in _albums(ticket):
        if inbound.album and kept.get("album") == inbound.album:
            return Draft(
                str(kept.get("name")),
                tuple(_part(p) for p in kept.get("parts", ())),
                album=inbound.album,
                part=str(kept.get("part", "")),
            )
    return None


def edited(turn: Turn, sent: Draft | None = None) -> Draft:
    """What the customer's message becomes by an edit: of an album only the words of one part change."""
    inbound = turn.inbounds[0]
    own = Part(inbound.message, inbound.text, inbound.spans)
    if sent is None:
        return Draft(message_name(inbound), (own,), inbound.attachments, edits=True, part=quoted_part(turn))
    parts = tuple(own if p.message == inbound.message else p for p in sent.parts)
    return replace(sent, parts=parts, edits=True)


def edit_name(name: str) -> str:
    """How the changes of a message are found again."""
    return f"edit:{name}"


def _with_album(ticket: Ticket, made: Draft) -> Ticket:
    """A later edit names one part of it only."""
    if not made.album:
        return ticket
    others = [a for a in _albums(ticket) if a.get("album") != made.album]
    parts = [
        {"message": p.message, "text": p.text, "spans": [asdict(s) for s in p.spans]} for p in made.parts
    ]
    return marked(
        ticket,
        **{
            ALBUMS: [
                *others,
                {"album": made.album, "name": made.name, "parts": parts, "part": made.part},
            ][-MOST_ALBUMS:]
        },
    )


def _albums(ticket: Ticket) -> list[Mapping[str, Any]]:
    kept = ticket.data.get(ALBUMS)
    return [a for a in kept if isinstance(a, Mapping)] if isinstance(kept, list | tuple) else []


def _asked(turn: Turn, ticket: Ticket) -> Draft | None:
    """What the pressed button asks about, while that question stands."""
    made = _unpacked(turn.press.value) if turn.press and turn.inbounds[0].kind is InboundKind.PRESS else None
    return made if made is not None and held(ticket).get(made.message) == made.question else None


def _packed(made: Draft) -> str:
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


def _part(kept: Mapping[str, Any]) -> Part:
    return Part(str(kept["message"]), str(kept["text"]), _spans(kept["spans"]))


def _spans(kept: Sequence[Mapping[str, Any]]) -> tuple[Span, ...]:
    return tuple(Span(Style(s["style"]), int(s["offset"]), int(s["length"]), str(s["url"])) for s in kept)
