"""The card of a ticket as posts of the desk: new, changed where it stands, or shown again."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.card import HINTS, card, hidden_buttons, hints, topic_name, transcript
from bot.handoff.desk_context import DeskContext
from bot.handoff.playbooks import checklist
from bot.handoff.tickets import lifecycle
from bot.model import Outbound, OutboundKind, Peer, Priority, RichText, Rows, Ticket


def posted(desk: DeskContext, to: Peer, ticket: Ticket) -> Outbound:
    """A new card."""
    return Outbound(
        to,
        _text(desk, ticket),
        buttons=_buttons(desk, ticket),
        name=f"card:{ticket.number}",
        ticket=ticket.number,
        author="",
    )


def edited(desk: DeskContext, ticket: Ticket) -> tuple[Outbound, ...]:
    """The card and the topic's name as they are now."""
    if (to := desk.places.thread(ticket)) is None:
        return ()
    edited = replace(
        posted(desk, to, ticket),
        kind=OutboundKind.EDIT,
        name="",
        edits=f"card:{ticket.number}",
        priority=Priority.COSMETIC,
    )
    renamed = Outbound(
        to,
        RichText(topic_name(ticket, desk.texts, desk.lang)),
        kind=OutboundKind.RENAME_TOPIC,
        priority=Priority.COSMETIC,
        ticket=ticket.number,
        author="",
    )
    return (edited, renamed)


async def reposted(desk: DeskContext, ticket: int, to: Peer) -> tuple[Outbound, ...]:
    """The card with the newest history, for a topic that was deleted."""
    found = await desk.ticket_reader.ticket(ticket)
    if found is None:
        return ()
    history = await desk.ticket_reader.history(found.conversation, limit=30)
    lines = transcript(
        history,
        found.state.name or desk.texts.text("desk.nameless", lang=desk.lang),
        desk.texts,
        desk.lang,
    )
    return (posted(desk, to, lifecycle.transcribed(found, lines)),)


def redrawn(desk: DeskContext, outbound: Outbound, ticket: Ticket) -> Outbound:
    """A post about the ticket as the ticket now is."""
    if outbound.ticket != ticket.number:
        return outbound
    if outbound.kind is OutboundKind.RENAME_TOPIC:
        return replace(outbound, text=RichText(topic_name(ticket, desk.texts, desk.lang)))
    if outbound.name == f"card:{ticket.number}" or (
        outbound.kind is OutboundKind.EDIT and outbound.edits == f"card:{ticket.number}"
    ):
        return replace(outbound, text=_text(desk, ticket), buttons=_buttons(desk, ticket))
    return outbound


def _text(desk: DeskContext, ticket: Ticket) -> RichText:
    return card(ticket, desk.texts, desk.lang, below=checklist.shown(desk, ticket))


def _buttons(desk: DeskContext, ticket: Ticket) -> Rows:
    ready = desk.rules.canned is not None and bool(desk.rules.canned.find(""))
    without = hidden_buttons(ticket, ready=ready)
    steps = checklist.buttons(desk, ticket)
    return (
        *desk.commands.card_rows(ticket, desk.texts, desk.lang, without=without),
        *steps,
        *hints(ticket)[: max(0, HINTS - len(steps) - desk.rules.assistant)],
    )
