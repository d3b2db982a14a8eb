"""What a supervisor sees of every desk at once, in private or in any of them, and what they order from
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.handoff import notices
from bot.handoff.card import called, card, heading, numbered
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.permissions import refuse
from bot.handoff.operators.replies import say
from bot.handoff.operators.roster import labels
from bot.model import (
    Button,
    Event,
    HistoryEntry,
    Inbound,
    InboundKind,
    Outbound,
    Outcome,
    Peer,
    Result,
    Rows,
    Sender,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import SupervisorOrder

URGENCIES = ("0", "1", "2", "3")
SHOWN = 8
PEOPLE = 10  # buttons of a menu: VK puts no more under a message


async def show(desk: DeskContext, turn: Turn, _value: str) -> Outcome:
    """Every desk in a few lines, with a button for each ticket that may need somebody."""
    tickets, now = await desk.ticket_reader.tickets(limit=1000), turn.now
    risk = [t for t in tickets if t.status != "snoozed" and desk.deadlines.at_risk(t, now)][:SHOWN]
    waiting = desk.queue.ordered(tickets, now)
    load: dict[str, int] = {}
    for ticket in tickets:
        load[ticket.operator] = load.get(ticket.operator, 0) + (ticket.status == "operator")
    people = [
        {"name": m.name, "away": m.away, "tickets": load.get(m.id, 0)}
        for m in desk.roster.members()
        if m.name
    ]
    listed = list({t.number: t for t in [*risk, *waiting]}.values())[:SHOWN]
    buttons = [
        Button(
            f"{numbered(t.number, desk.texts, desk.lang)} {t.state.name}".strip(),
            "overview_ticket",
            str(t.number),
        )
        for t in listed
    ]
    again = Button(desk.texts.text("desk.button.refresh", lang=desk.lang), "overview")
    return say(
        desk,
        turn,
        "desk.overview",
        (*_rows(buttons), (again,)),
        now=now,
        waiting=len(waiting),
        people=people[:20],
        work=sum(t.status == "operator" for t in tickets),
        snoozed=sum(t.status == "snoozed" for t in tickets),
        desks=_desks(desk, tickets, turn),
        risk=[{**_line(desk, t), "due": t.due, "late": t.due is not None and t.due <= now} for t in risk],
        next=[_line(desk, t) for t in waiting[:SHOWN]],
    )


async def ticket(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """One ticket, with what a supervisor may order about it."""
    found = await _ticket(desk, value)
    if found is None:
        return refuse(desk, turn, "desk.no_such_ticket", number=value)
    text = card(found, desk.texts, desk.lang)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "overview_ticket",
        (Outbound(turn.peer, text, buttons=await _panel(desk, found), author=""),),
    )


async def people(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """Whom the ticket may be given to."""
    there = [m for m in desk.roster.members() if m.name and m.here][:PEOPLE]
    named = labels(there)
    buttons = [Button(named[m.id], "overview_order", f"assign#{value}#{m.id}") for m in there]
    return say(desk, turn, "desk.assign_whom", _rows(buttons), number=value, people=len(there))


async def urgencies(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    return say(
        desk,
        turn,
        "desk.how_urgent",
        (tuple(Button(u, "overview_order", f"priority#{value}#{u}") for u in URGENCIES),),
        number=value,
    )


async def order(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The tap that orders."""
    command, number, what = (*value.split("#", 2), "", "")[:3]
    return await _order(desk, turn, command, number, what)


async def order_by_number(desk: DeskContext, turn: Turn, command: str, rest: str) -> Outcome:
    """/take 12, /assign 12 somebody: about a ticket that is not at hand."""
    number, _, value = rest.partition(" ")
    return await _order(desk, turn, command, number, value.strip())


async def _order(desk: DeskContext, turn: Turn, command: str, number: str, value: str) -> Outcome:
    """An order is a timer of the customer's conversation that is due now: there it meets the ticket as it
    then is.
    """
    found = await _ticket(desk, number)
    if found is None:
        return refuse(desk, turn, "desk.no_such_ticket", command, number=number)
    inbound = turn.inbounds[0]
    payload = SupervisorOrder(command, value, inbound.sender.id, inbound.sender.name, inbound.peer)
    later = Timer(f"order:{found.number}:{turn.id}", payload, turn.now, conversation=found.conversation)
    event = Event("ordered", ticket=found.number, actor=inbound.actor, data={"command": command})
    return Outcome("desk", Result.ANSWERED, "ordered", timers=(later,), events=(event,))


async def carry_out(desk: DeskContext, turn: Turn, order: SupervisorOrder) -> Outcome:
    """The order where the ticket is: the same acts as in its topic, with the answer to whoever ordered."""
    there, ticket_ = order.to, turn.ticket
    sender = Sender(order.by, order.name)
    said = Inbound(turn.inbounds[0].key, there, sender, turn.now, InboundKind.MESSAGE, private=False)
    theirs = replace(turn, inbounds=(said,), presses=(), quoted=())
    if ticket_ is None or ticket_.status == "closed":
        return say(desk, replace(theirs, ticket=None), "desk.closed_already")
    if (command := desk.commands.named(order.command)) is None or command.by_number is None:
        return say(desk, theirs, "desk.unknown_command", command=order.command)
    done = await command.run(desk, theirs, order.value)
    above, own = heading(ticket_, desk.texts, desk.lang), desk.places.thread(ticket_)
    messages = [
        replace(o, heading=above, ticket=None) if o.to == there and not o.heading else o
        for o in done.messages
    ]
    if done.reason == "taken" and own is not None and (own.channel, own.chat) != (there.channel, there.chat):
        messages.append(notices.in_desk(desk, own, ticket_, "desk.you_took_it", operator=order.name))
    return replace(done, messages=tuple(messages))


def whisper(desk: DeskContext, turn: Turn, ticket_: Ticket, text: str) -> Outcome:
    """A note that calls the one whose ticket it is, in its own topic."""
    if not text:
        return say(desk, turn, "desk.whisper_how", number=ticket_.number)
    by = turn.inbounds[0].sender.name
    called = desk.roster.member(ticket_.operator).call or ticket_.operator_name
    told: tuple[Outbound, ...] = ()
    if (own := desk.places.thread(ticket_)) is not None:
        key, facts = "desk.whispered_from_afar", {"operator": called, "by": by, "text": text}
        told = (notices.in_desk(desk, own, ticket_, key, **facts),)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "whispered",
        (*told, *say(desk, turn, "desk.done").messages),
        notes=(HistoryEntry(turn.now, "note", text, by),),
        events=(Event("whispered", ticket=ticket_.number, actor=turn.actor),),
    )


def _desks(desk: DeskContext, tickets: Sequence[Ticket], turn: Turn) -> list[dict[str, object]]:
    """Each group with its tickets; one line less to read where there is only one."""
    named: dict[Peer, list[str]] = {p: [] for p in desk.places.groups()}
    for team in desk.rules.teams:
        if (own := desk.teams.place(team.name)) is not None:
            named.setdefault(own, []).append(team.title or team.name)
    shown: dict[Peer, list[Ticket]] = {p: [] for p in named}
    for ticket_ in tickets:
        if (to := desk.places.thread(ticket_)) is not None:
            shown.setdefault(replace(to, thread=""), []).append(ticket_)
    main = desk.texts.text("desk.main_group", lang=desk.lang)
    lines: list[dict[str, object]] = [
        {
            "name": ", ".join(named.get(p) or [main]),
            "waiting": sum(t.status == "waiting" for t in theirs),
            "work": sum(t.status == "operator" for t in theirs),
            "late": sum(desk.deadlines.at_risk(t, turn.now) for t in theirs),
        }
        for p, theirs in shown.items()
    ]
    return lines if len(lines) > 1 else []


def _line(desk: DeskContext, ticket_: Ticket) -> dict[str, object]:
    return {
        "number": ticket_.number,
        "name": called(ticket_, desk.texts, desk.lang),
        "topic": ticket_.topic,
        "operator": ticket_.operator_name,
        "opened": ticket_.opened,
        "priority": ticket_.priority,
    }


async def _panel(desk: DeskContext, ticket_: Ticket) -> Rows:
    number, text = str(ticket_.number), desk.texts.text
    link: tuple[Button, ...] = ()
    if (to := desk.places.thread(ticket_)) is not None:
        thread = await desk.ticket_reader.topic(ticket_.number, to.channel, to.chat)
        if thread and (url := desk.places.topic_url(to, thread)):
            link = (Button(text("desk.button.open_topic", lang=desk.lang), url=url),)
    first = (
        Button(text("desk.button.take_over", lang=desk.lang), "overview_order", f"take#{number}#"),
        Button(text("desk.button.assign", lang=desk.lang), "overview_people", number),
        Button(text("desk.button.urgency", lang=desk.lang), "overview_urgency", number),
    )
    return (first, *((link,) if link else ())) if ticket_.status != "closed" else ((link,) if link else ())


async def _ticket(desk: DeskContext, number: str) -> Ticket | None:
    return await desk.ticket_reader.ticket(int(number)) if number.isdecimal() and len(number) < 10 else None


def _rows(buttons: Sequence[Button]) -> Rows:
    return tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
