"""An operator's answer to a comment: everybody reads it, or the one who asked alone, as the operator says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.handoff.contacts import ORDER
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.drafts import Draft, asked_about, packed, send
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.tickets import lifecycle
from bot.handoff.tone_remarks import remarked_last
from bot.model import (
    Button,
    HeldMessage,
    Outbound,
    Outcome,
    RichText,
    Span,
    Style,
    Ticket,
    Turn,
)
from bot.text.phones import find
from bot.text.pii import CARD, EMAIL

LEAST = 4  # characters of a fact that is told apart from any other word


def ask_where(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft, doubt: str = "") -> Outcome:
    """Nothing goes out before the operator says where to. *doubt* is what in the words may be meant for
    somebody else, or may hurt.
    """
    made = replace(made, question=str(turn.id))

    def button(action: str) -> Button:
        return Button(desk.texts.text(f"desk.button.{action}", lang=desk.lang), action, packed(made))

    rows = ((button("send_public"), button("send_alone")), (button("hold_back"),))
    asked = remarked_last(desk, say(desk, turn, "desk.comment.where", rows, word=doubt), made.words.text)
    return replace(asked, ticket=lifecycle.held(ticket, HeldMessage(made.message, made.question)))


def send_public(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that answers under the post. law: what is personal is never said there."""
    if (made := asked_about(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    if made.attachments and not made.words:
        return notice(desk, turn, "desk.comment.words_only")
    if is_personal(made.words.text, ticket, turn):
        return notice(desk, turn, "desk.comment.personal")
    name, peer = turn.customer.name if turn.customer else "", ticket.customer_peer
    called = RichText(name, (Span(Style.MENTION, 0, len(name), peer.chat),)) + ", " if name else RichText()
    return _sent(desk, turn, ticket, made, text=called + made.words, public=True, attachments=())


def send_alone(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap that writes to the person alone; that they do not let us is told to the operator."""
    if (made := asked_about(turn, ticket)) is None:
        return notice(desk, turn, "desk.old_button")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    return _sent(desk, turn, ticket, made, to=ticket.customer_peer.alone, quotes="")


def is_personal(text: str, ticket: Ticket, turn: Turn) -> bool:
    """Whether the words name something that belongs to the customer alone: a phone, an address, an order."""
    if CARD.search(text):
        return True
    known = set(_own(ticket, turn))
    said = {_plain(m[0]) for m in EMAIL.finditer(text)} | {p.number[-10:] for p in find(text)}
    said |= {_plain(m[1]) for m in ORDER.finditer(text)}
    whole = _plain(text)
    return bool(said & known) or any(one in whole for one in known)


def _own(ticket: Ticket, turn: Turn) -> Iterable[str]:
    """What is known of the customer: of their ticket, their fields and their own words."""
    contacts = ticket.state.contacts
    fields = turn.customer.fields.values() if turn.customer else ()
    texts = [line.text for line in turn.history if line.author == "customer"]
    facts = [contacts.phone, contacts.email, contacts.order, *(f for f in fields if isinstance(f, str))]
    for text in (*texts, *facts):
        yield from (p.number[-10:] for p in find(text))
        yield from (_plain(m[0]) for m in EMAIL.finditer(text))
    yield from (_plain(f) for f in facts if len(f) >= LEAST and any(c.isdigit() for c in f))


def _plain(text: str) -> str:
    return re.sub(r"[^\w@.]", "", text.casefold())


def _sent(desk: DeskContext, turn: Turn, ticket: Ticket, made: Draft, **more: object) -> Outcome:
    sent = send(desk, turn, lifecycle.released(ticket, made.message), made)
    words: Outbound = replace(sent.messages[0], **more)  # type: ignore[arg-type]
    return replace(sent, messages=(words, *sent.messages[1:], *done(desk, turn, "desk.sent").messages))
