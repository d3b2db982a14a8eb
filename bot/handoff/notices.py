"""Short words of the service to operators: in a ticket's topic, aloud in its group, or to each supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.handoff.card import heading, numbered
from bot.handoff.desk_context import DeskContext
from bot.model import Button, CallName, Outbound, Peer, Priority, RichText, Rows, Ticket


def in_desk(desk: DeskContext, to: Peer, ticket: Ticket | None, key: str, **facts: object) -> Outbound:
    """A short word of the service in the desk."""
    above = (
        heading(ticket, desk.texts, desk.lang) if ticket and to.thread.startswith("ticket:") else RichText()
    )
    said = _calling(desk.texts.say(key, lang=desk.lang, **facts), to, facts)
    return Outbound(
        to,
        said,
        heading=above,
        ticket=ticket.number if ticket else None,
        author="",
        priority=Priority.NOTICE,
    )


def aloud(desk: DeskContext, ticket: Ticket, key: str, **facts: object) -> tuple[Outbound, ...]:
    """A word where everybody in the desk sees it, with the button that takes the ticket."""
    if (to := desk.places.thread(ticket)) is None:
        return ()
    said = _calling(desk.texts.say(key, lang=desk.lang, **facts), to, facts)
    buttons: Rows = (
        ()
        if ticket.operator
        else (
            (
                Button(
                    desk.texts.text("desk.button.take", lang=desk.lang),
                    "take",
                    str(ticket.number),
                    style="primary",
                ),
            ),
        )
    )
    return (
        Outbound(
            replace(to, thread=""),
            said,
            buttons=buttons,
            ticket=ticket.number,
            author="",
            priority=Priority.NOTICE,
        ),
    )


def to_supervisors(desk: DeskContext, key: str, **facts: object) -> tuple[Outbound, ...]:
    """The same to every supervisor's own chat, for when the group itself may not hear."""
    people = [id.partition(":") for id in desk.rules.routing.supervisors]
    text = desk.texts.say(key, lang=desk.lang, **facts)
    return tuple(
        Outbound(Peer(channel, user), text, author="", priority=Priority.NOTICE)
        for channel, _, user in people
    )


def to_absent(desk: DeskContext, ticket: Ticket, key: str, **facts: object) -> tuple[Outbound, ...]:
    """Supervisors who are not in the ticket's group, and cannot be called there, hear of it in private, with
    the ticket a tap away.
    """
    sign = numbered(ticket.number, desk.texts, desk.lang)
    look = Button(f"{sign} {ticket.state.name}".strip(), "overview_ticket", str(ticket.number))
    place = desk.places.thread(ticket)
    return tuple(
        replace(o, buttons=((look,),))
        for o in to_supervisors(desk, key, **{**facts, "supervisors": ""})
        if place is None or not desk.roster.is_in(f"{o.to.channel}:{o.to.chat}", place)
    )


def supervisors(desk: DeskContext, to: Peer | None) -> CallName:
    """How the supervisors in this group are called, in one line; "" where there are none: who is not in
    it would not hear.
    """
    there = [
        desk.roster.member(id)
        for id in desk.rules.routing.supervisors
        if to is not None and desk.roster.is_in(id, to)
    ]
    return CallName.of(*(pair for m in there for pair in m.call.whom))


def facts(desk: DeskContext, ticket: Ticket, now: datetime) -> Mapping[str, object]:
    """What words about a ticket may need."""
    since, wish = ticket.state.queued or ticket.opened or now, ticket.state.wish_at
    since = max(since, wish) if wish is not None and wish <= now else since  # before that nobody was due
    name = ticket.state.name or desk.texts.text("desk.nameless", lang=desk.lang)
    return {
        "number": ticket.number,
        "name": name,
        "operator": ticket.operator_name,
        "waited": desk.hours.working(since, now) or now - since,
    }


def _calling(text: RichText, to: Peer, facts: Mapping[str, object]) -> RichText:
    """The words in which whoever is called hears it."""
    for fact in facts.values():
        text = fact.mentioned(text, to.channel) if isinstance(fact, CallName) else text
    return text
