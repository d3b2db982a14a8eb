"""A new ticket: what is known of the customer and their question, who should answer, and how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.handoff.assist import suggestions
from bot.handoff.card import transcript
from bot.handoff.contacts import contacts, mask
from bot.handoff.context import brings_words, is_context
from bot.handoff.desk_context import DeskContext
from bot.handoff.tickets import lifecycle
from bot.model import Answer, Attachment, Customer, HistoryEntry, InboundKind, Ticket, TicketState, Turn
from bot.text.customer_fields import consent_of
from bot.text.customer_fields import shown as attributes
from bot.text.person_names import full_name
from bot.text.points import amount

FORWARDED = 5  # attachments of the last words that come along with a new ticket
RECENT_LINES = 8
SURE = 0.3  # from this confidence on the first candidate names the topic


def new_ticket(desk: DeskContext, turn: Turn, reason: str, answer: Answer | None) -> Ticket:
    """The ticket that the turn opens."""
    customer = turn.customer or Customer(0)
    texts = [i.text for i in reversed(turn.inbounds)] + [
        line.text for line in reversed(turn.history) if line.author == "customer"
    ]
    channel = turn.conversation.peer.channel
    topics = _topics(desk, turn, answer)
    team = desk.teams.fitting(topics, channel, customer.language, customer.fields)
    state = _known(desk, turn, customer, texts)
    if answer is not None:
        state = replace(state, candidates=tuple((c.title, c.score) for c in answer.candidates[:3]))
    ticket = Ticket(
        turn.next_number,
        turn.conversation.id,
        turn.conversation.peer,
        reason=reason,
        topic=topics[0] if topics else "",
        priority=desk.queue.priority(reason, "\n".join(texts[: len(turn.inbounds)]), customer.fields),
        opened=turn.now,
        state=replace(state, channel=desk.places.title(channel)),
    )
    if team is not None:
        ticket = lifecycle.shown_in(ticket, team.name, team.name if desk.teams.place(team.name) else "")
    hints = [
        *(suggestions.of_answer(desk, answer) if answer else ()),
        *suggestions.of_ready(desk, turn, ticket, turn.text),
    ]
    shown = f"article:{state.article_shown}"
    return lifecycle.hinted(ticket, ((h.what, h.title) for h in hints if h.what != shown))


def _known(desk: DeskContext, turn: Turn, customer: Customer, texts: Sequence[str]) -> TicketState:
    """What is known of the customer. *texts*: the customer's own words, the newest first."""
    shown, name = turn.conversation.state.get("last_article"), full_name(customer)
    return TicketState(
        name=name,
        username=customer.username,
        contacts=contacts(texts, customer.fields),
        attributes=(*known_of(desk, customer.fields).items(), *_consent(desk, customer)),
        transcript=so_far(desk, turn, name),
        article_shown=shown if isinstance(shown, str) else "",
        past=tuple(t.number for t in turn.past),
    )


def _consent(desk: DeskContext, customer: Customer) -> tuple[tuple[str, object], ...]:
    """What they agreed to, for the card; nothing where they did not."""
    found = consent_of(customer.fields)
    if found is None:
        return ()
    version, at, _ = found
    name = desk.texts.text("desk.consent.name", lang=desk.lang)
    return ((name, desk.texts.text("desk.consent.of", lang=desk.lang, version=version, day=at[:10])),)


def known_of(desk: DeskContext, fields: Mapping[str, object]) -> dict[str, object]:
    """What the card shows of a customer's fields: loyalty points first, by their name."""
    shown, field = attributes(fields), desk.rules.points
    if field not in shown:
        return shown
    points = {desk.texts.text("loyalty.title", lang=desk.lang): amount(shown[field])}
    return points | {name: value for name, value in shown.items() if name != field}


def recent_attachments(turn: Turn) -> tuple[Attachment, ...]:
    """Photos and files that the ticket is about: of this turn and of the customer's last lines."""
    before = [a for a in _before(turn) if not is_context(a)]
    return tuple([*before, *turn.attachments][-FORWARDED:])


def recent_context(turn: Turn) -> tuple[Attachment, ...]:
    """Words of others that came with these words, and with the customer's last lines."""
    found = (*(a for a in _before(turn) if is_context(a)), *turn.context)
    return tuple(c for c in found if brings_words((c,)))


def shown_to_the_bot(turn: Turn, since: datetime | None) -> tuple[Attachment, ...]:
    """What the customer sent while their ticket was closed, with what they send now: the desk has none of it
    yet.
    """
    lines = [
        line for line in turn.history if line.author == "customer" and since is not None and line.at >= since
    ]
    return (*(a for line in lines for a in line.attachments), *turn.context, *turn.attachments)


def _before(turn: Turn) -> list[Attachment]:
    return [a for line in turn.history[-RECENT_LINES:] if line.author == "customer" for a in line.attachments]


def so_far(desk: DeskContext, turn: Turn, name: str) -> tuple[tuple[str, str], ...]:
    """The talk with the customer of this *name* up to now, as the card shows it."""
    return transcript(
        _lines(turn), name or desk.texts.text("desk.nameless", lang=desk.lang), desk.texts, desk.lang
    )


def asked_again(turn: Turn, ticket: Ticket) -> str:
    """What the customer has said since the ticket was closed; where that is nothing, their last words
    before.
    """
    before = [line for line in turn.history if line.author == "customer" and line.text]
    since = [line for line in before if ticket.closed is None or line.at >= ticket.closed]
    now = [i.text for i in turn.inbounds if i.text and i.kind is InboundKind.MESSAGE]
    return "\n".join([*(mask(line.text) for line in since or (() if now else before[-1:])), *now])


def _lines(turn: Turn) -> list[HistoryEntry]:
    said = [
        HistoryEntry(i.at, "customer", i.text, attachments=(*i.context, *i.attachments))
        for i in turn.inbounds
        if i.kind is InboundKind.MESSAGE
    ]
    return [*turn.history, *said]


def _topics(desk: DeskContext, turn: Turn, answer: Answer | None) -> tuple[str, ...]:
    """Names of what it is about, the one to be shown first: of the article that was answered with, else of
    the likeliest one.
    """
    shown = turn.conversation.state.get("last_article")
    if answer is not None and answer.candidates and answer.confidence >= SURE:
        return tuple(desk.rules.about(answer.candidates[0].article)) or (answer.candidates[0].title,)
    return tuple(desk.rules.about(shown)) if isinstance(shown, str) and shown else ()
