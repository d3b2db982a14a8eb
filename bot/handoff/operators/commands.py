"""What operators do with a ticket by a command or a button: take, close, give back, hand on, put off,
name.
"""

from __future__ import annotations

from dataclasses import replace

from bot.config.handoff import Team
from bot.handoff import card_posts
from bot.handoff.addressees import brought, colleagues, meant, reachable, unclear
from bot.handoff.card import called
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators import menus
from bot.handoff.operators.command import Role
from bot.handoff.operators.command_words import line
from bot.handoff.operators.notes import note
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.operators.roster import labels
from bot.handoff.playbooks import playbook_commands
from bot.handoff.sla.time_parsing import TimeFault, read_moment
from bot.handoff.tickets import closing, lifecycle, transfer
from bot.handoff.topics import reopen_topic
from bot.model import (
    Button,
    Event,
    InboundKind,
    Outbound,
    OutboundKind,
    Outcome,
    Priority,
    Result,
    Rows,
    Status,
    Ticket,
    Turn,
)

PAST_SHOWN = 5


def is_closed(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """The customer would not see it: said, with the way out."""
    reopen = Button(desk.texts.text("desk.button.reopen", lang=desk.lang), "reopen", str(ticket.number))
    return say(desk, turn, "desk.is_closed", ((reopen,),))


# --- whose it is


def take(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    inbound = turn.inbounds[0]
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    if ticket.operator == inbound.actor and ticket.status == "operator":
        return notice(desk, turn, "desk.yours_already")
    takes_over = inbound.kind is InboundKind.MESSAGE and inbound.actor in desk.rules.routing.supervisors
    if ticket.operator and ticket.operator != inbound.actor and not takes_over:
        return notice(desk, turn, "desk.taken_by", operator=ticket.operator_name)
    taken = lifecycle.taken(ticket, inbound.actor, inbound.sender.name, turn.now)
    told = desk.texts.say(
        "handoff.taken",
        lang=desk.lang_of(turn.customer),
        customer=turn.customer,
        operator=inbound.sender.name,
        now=turn.now,
        opens=None if desk.hours.is_open(turn.now) else desk.hours.next_open(turn.now),
    )
    say_ = (
        Outbound(ticket.customer_peer, told, ticket=ticket.number),
        *card_posts.edited(desk, taken),
        *done(desk, turn, "desk.you_took_it", operator=inbound.sender.name).messages,
    )
    how = "button" if inbound.kind is InboundKind.PRESS else "command"
    event = Event(
        "ticket_taken", ticket=ticket.number, actor=inbound.actor, data={"how": how, "from": ticket.operator}
    )
    return Outcome(
        "desk", Result.ANSWERED, "taken", say_, status=Status.OPERATOR, ticket=taken, events=(event,)
    )


def close(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    if (asked_first := playbook_commands.unfinished(desk, turn, ticket)) is not None:
        return asked_first
    category = next(
        (c for c in desk.rules.routing.categories if rest and c.casefold() == rest.casefold()),
        ticket.category,
    )
    closed = closing.close(desk, turn, lifecycle.categorized(ticket, category), by=turn.actor)
    asked = () if category else _ask_category(desk, turn, ticket)
    return replace(
        closed, messages=(*closed.messages, *done(desk, turn, "desk.you_closed_it").messages, *asked)
    )


def give_to_bot(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    closed = closing.close(desk, turn, ticket, by=turn.actor, told=False)
    told = Outbound(
        ticket.customer_peer,
        desk.texts.say("handoff.returned", lang=desk.lang_of(turn.customer)),
        ticket=ticket.number,
    )
    event = Event("ticket_returned", ticket=ticket.number, actor=turn.actor)
    return replace(
        closed,
        reason="returned",
        messages=(told, *closed.messages, *done(desk, turn, "desk.you_returned_it").messages),
        events=(*closed.events, event),
    )


def reopen(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status != "closed":
        return notice(desk, turn, "desk.open_already")
    if turn.subject is not None and turn.subject.ticket not in (None, ticket.number):
        return notice(desk, turn, "desk.has_newer", number=turn.subject.ticket)
    inbound = turn.inbounds[0]
    opened = lifecycle.reopened(ticket, inbound.actor, inbound.sender.name, turn.now)
    to = desk.places.thread(ticket)
    topic = (reopen_topic(to, ticket.number),) if to else ()
    say_ = (*topic, *card_posts.edited(desk, opened), *done(desk, turn, "desk.you_reopened_it").messages)
    event = Event("ticket_reopened", ticket=ticket.number, actor=inbound.actor)
    return Outcome(
        "desk", Result.ANSWERED, "reopened", say_, status=Status.OPERATOR, ticket=opened, events=(event,)
    )


async def hand_on(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/transfer somebody|team reason: to a person, a team, or back to the queue; the reason is kept for
    whoever gets it.
    """
    if ticket.status == "closed":
        return is_closed(desk, turn, ticket)
    text = (turn.press.value if turn.press else rest).strip()
    if not text:
        shown = labels(colleagues(desk, ticket))
        return say(
            desk,
            turn,
            "desk.transfer_how",
            people=list(shown.values()),
            teams=[t.title or t.name for t in desk.rules.teams],
        )
    team, reason = desk.teams.named_in(text)
    if team is not None:
        return await _to_team(desk, turn, ticket, team, reason)
    found = await meant(desk, turn, text)
    if len(found.people) != 1:
        return unclear(desk, turn, ticket, found)
    to, reason = found.people[0], found.rest
    if to.id == ticket.operator:
        return notice(
            desk,
            turn,
            "desk.yours_already" if to.id == turn.actor else "desk.taken_by",
            operator=ticket.operator_name,
        )
    if not to.here:
        here = [m.name for m in colleagues(desk, ticket) if m.here]
        return notice(desk, turn, "desk.is_away", operator=to.full_name, here=here)
    if (place := await reachable(desk, ticket, to)) is None:
        return notice(desk, turn, "desk.not_here", operator=to.full_name)
    told, ticket = _told_of_transfer(desk, turn, ticket)
    history = await desk.ticket_reader.history(ticket.conversation, limit=transfer.CARRIED_LINES)
    by = turn.inbounds[0].sender.name
    moved = transfer.bring_to(
        desk, turn, brought(desk, ticket, place), to, history, key="desk.handed_to", by=by, text=reason
    )
    return _transferred(desk, turn, moved, told, to.id)


async def _to_team(desk: DeskContext, turn: Turn, ticket: Ticket, team: Team, reason: str) -> Outcome:
    told, ticket = _told_of_transfer(desk, turn, ticket)
    history = await desk.ticket_reader.history(ticket.conversation, limit=transfer.CARRIED_LINES)
    by = turn.inbounds[0].sender.name
    moved = transfer.move(
        desk,
        turn,
        ticket,
        team.name,
        history,
        key="desk.moved",
        by=by,
        team=team.title or team.name,
        text=reason,
    )
    return _transferred(desk, turn, moved, told, team.name)


def _told_of_transfer(desk: DeskContext, turn: Turn, ticket: Ticket) -> tuple[tuple[Outbound, ...], Ticket]:
    """The customer hears it once, and only where they know that somebody had the ticket: who waits for
    anybody goes on waiting.
    """
    if not ticket.operator or ticket.state.transfer_told:
        return (), ticket
    text = desk.texts.say("handoff.transferred", lang=desk.lang_of(turn.customer))
    return (Outbound(ticket.customer_peer, text, ticket=ticket.number),), lifecycle.transfer_told(ticket)


def _transferred(
    desk: DeskContext, turn: Turn, moved: Outcome, told: tuple[Outbound, ...], to: str
) -> Outcome:
    assert moved.ticket is not None
    event = Event("ticket_transferred", ticket=moved.ticket.number, actor=turn.actor, data={"to": to})
    return replace(
        moved,
        reason="transferred",
        messages=(*told, *moved.messages, *done(desk, turn, "desk.done").messages),
        events=(*moved.events, event),
    )


# --- when


def snooze(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/snooze 2h, /snooze завтра 10:00: quiet until then, with a reminder; the customer's words wake it
    earlier.
    """
    if ticket.status == "closed":
        return is_closed(desk, turn, ticket)
    found = read_moment(turn.press.value if turn.press else rest, turn.now, desk.hours)
    if isinstance(found, TimeFault):
        return say(desk, turn, "desk.snooze_how", wrong=_wrong(desk, rest, found))
    until = found.at
    by = turn.actor
    put_off = lifecycle.snoozed(ticket, until, by, turn.inbounds[0].sender.name, turn.now)
    event = Event("ticket_snoozed", ticket=ticket.number, actor=by, data={"until": until.isoformat()})
    taken = (
        (Event("ticket_taken", ticket=ticket.number, actor=by, data={"how": "snooze"}),)
        if not ticket.operator
        else ()
    )
    say_ = (
        *card_posts.edited(desk, put_off),
        *say(desk, turn, "desk.snoozed", until=until, asked=found.asked, now=turn.now).messages,
    )
    return Outcome(
        "desk",
        Result.ANSWERED,
        "snoozed",
        say_,
        status=Status.OPERATOR,
        ticket=put_off,
        events=(*taken, event),
    )


def promise(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/promise завтра до обеда уточню на складе: said to the customer, and both sides are reminded when it is
    due.
    """
    if ticket.status == "closed":
        return is_closed(desk, turn, ticket)
    found = read_moment(rest, turn.now, desk.hours)
    if isinstance(found, TimeFault):
        return say(desk, turn, "desk.promise_how", wrong=_wrong(desk, rest, found))
    at, text = found.at, found.rest
    promised = lifecycle.promised(ticket, at, text)
    told = desk.texts.say(
        "handoff.promised", lang=desk.lang_of(turn.customer), customer=turn.customer, at=at, now=turn.now
    )
    event = Event("promised", ticket=ticket.number, actor=turn.actor, data={"due": at.isoformat()})
    mark = (
        done(desk, turn, "desk.done")
        if found.asked is None
        else say(desk, turn, "desk.promise_moved", at=at, asked=found.asked, now=turn.now)
    )
    say_ = (
        Outbound(ticket.customer_peer, told, ticket=ticket.number),
        *card_posts.edited(desk, promised),
        *mark.messages,
    )
    return Outcome("desk", Result.ANSWERED, "promised", say_, ticket=promised, events=(event,))


def _wrong(desk: DeskContext, rest: str, fault: TimeFault) -> str:
    """What is wrong with a time, in a sentence; nothing where none was given."""
    return desk.texts.text(f"desk.wrong_time.{fault}", lang=desk.lang, word=rest[:40]) if rest else ""


# --- what it is about


def category(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """The reason chosen with one tap, also after closing."""
    chosen = turn.press.label if turn.press and turn.press.action == "category" else rest
    known = next((c for c in desk.rules.routing.categories if c.casefold() == chosen.casefold()), "")
    if not known:
        return say(desk, turn, "desk.category_ask", _categories(desk, ticket), f"category:{ticket.number}")
    named = lifecycle.categorized(ticket, known)
    event = Event("ticket_category", ticket=ticket.number, actor=turn.actor, data={"category": known})
    shown: tuple[Outbound, ...] = done(desk, turn, "desk.category_set", category=known).messages
    if turn.press is not None:
        text = desk.texts.say("desk.category_set", lang=desk.lang, category=known)
        shown = (
            *shown,
            Outbound(
                turn.peer,
                text,
                kind=OutboundKind.EDIT,
                edits=f"category:{ticket.number}",
                priority=Priority.COSMETIC,
                ticket=ticket.number,
                author="",
            ),
        )
    return Outcome("desk", Result.ANSWERED, "category", shown, ticket=named, events=(event,))


def tag(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/tag vip, /tag -vip: puts tags on and takes them off."""
    if not rest:
        return say(desk, turn, "desk.tags", tags=ticket.state.tags)
    tags = list(ticket.state.tags)
    for word in rest.casefold().split()[:10]:
        name = word.lstrip("-#")[:30]
        tags = [t for t in tags if t != name] + ([] if word.startswith("-") else [name])
    tagged = lifecycle.tagged(ticket, tags)
    event = Event("ticket_tagged", ticket=ticket.number, actor=turn.actor, data={"tags": tags})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "tagged",
        (*card_posts.edited(desk, tagged), *done(desk, turn, "desk.done").messages),
        ticket=tagged,
        events=(event,),
    )


def topic(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/topic Возврат: another topic, with the deadlines that belong to it."""
    if not rest:
        return say(desk, turn, "desk.topic_how", topic=ticket.topic)
    renamed = lifecycle.renamed(ticket, rest[:60])
    event = Event("ticket_topic", ticket=ticket.number, actor=turn.actor, data={"topic": rest[:60]})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "topic",
        (*card_posts.edited(desk, renamed), *done(desk, turn, "desk.done").messages),
        ticket=renamed,
        events=(event,),
    )


# --- what is known


def show_contact(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The unmasked contact, to the one who pressed; who saw it is kept."""
    known = ticket.state.contacts
    shown = ", ".join(told for told in (known.phone, known.email) if told)
    event = Event("contact_shown", ticket=ticket.number, actor=turn.actor)
    return replace(notice(desk, turn, "desk.contact", contact=shown or "—"), events=(event,))


def history(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The customer's earlier tickets."""
    past = [
        {
            "number": t.number,
            "topic": t.topic,
            "category": t.category,
            "operator": t.operator_name,
            "rating": t.rating,
            "opened": t.opened,
        }
        for t in turn.past
        if t.number != ticket.number
    ][:PAST_SHOWN]
    return say(desk, turn, "desk.past", past=past, now=turn.now)


def write_note(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    return note(desk, turn, turn.inbounds[0], rest)


# --- without a ticket


def help_(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """Every command, with those of supervisors for whoever may give them."""
    told = [line(c, desk.texts, desk.lang) for c in desk.commands.listed if c.role is not Role.SUPERVISOR]
    orders = [line(c, desk.texts, desk.lang) for c in desk.commands.listed if c.role is Role.SUPERVISOR]
    is_supervisor = desk.rules.is_supervisor(turn.actor)
    return say(desk, turn, "desk.help", commands=told, orders=orders if is_supervisor else [])


async def queue(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """Who waits, the next one first."""
    tickets = await desk.ticket_reader.tickets(limit=1000)
    waiting = desk.queue.ordered(tickets, turn.now)
    shown = [
        {
            "number": t.number,
            "name": called(t, desk.texts, desk.lang),
            "topic": t.topic,
            "opened": t.opened,
            "priority": t.priority,
        }
        for t in waiting[:10]
    ]
    return say(
        desk,
        turn,
        "desk.queue",
        waiting=shown,
        more=len(waiting) - len(shown),
        work=sum(t.status != "waiting" for t in tickets),
        now=turn.now,
    )


async def away(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """Not there for a while: no new tickets; customers who wait for an answer, or write later, are given to
    the others.
    """
    id = turn.actor
    his = [t for t in await desk.ticket_reader.tickets(limit=1000) if t.operator == id]
    owed = [t for t in his if transfer.is_owed(t)]
    given = [t.number for t in owed]
    told = say(desk, turn, "desk.away", numbers=[t.number for t in his if t.number not in given], given=given)
    later = tuple(transfer.left_alone(t, turn.now) for t in owed)
    return replace(told, events=(Event("operator_away", actor=id),), timers=later)


def back(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    return replace(say(desk, turn, "desk.back"), events=(Event("operator_back", actor=turn.actor),))


def _ask_category(desk: DeskContext, turn: Turn, ticket: Ticket) -> tuple[Outbound, ...]:
    if not desk.rules.routing.categories:
        return ()
    return say(
        desk, turn, "desk.category_ask", _categories(desk, ticket), f"category:{ticket.number}"
    ).messages


def _categories(desk: DeskContext, ticket: Ticket) -> Rows:
    buttons = [Button(c, "category", str(ticket.number)) for c in desk.rules.routing.categories[: menus.MOST]]
    return tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
