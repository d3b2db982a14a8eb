"""What only supervisors do: how urgent a ticket is, and whose it is. Where none are named, everybody in the desk may."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import transfer
from bot.handoff.room import DeskRoom
from bot.handoff.saying import done, notice, say, who
from bot.model import Event, Outcome, Result, Ticket, Turn

MOST = 9


def set_priority(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/priority 2: from 0 on, the more the sooner; the deadlines follow."""
    if not desk.is_supervisor(who(turn.said[0])):
        return notice(desk, turn, "desk.only_supervisors")
    if not rest.isdecimal() or int(rest) > MOST:
        return say(desk, turn, "desk.priority_how", most=MOST)
    urgent = replace(ticket, priority=int(rest))
    event = Event("ticket_priority", ticket=ticket.number, actor=who(turn.said[0]), data={"priority": int(rest)})
    return Outcome("desk", Result.ANSWERED, "priority", (*desk.card_edit(urgent), *done(desk, turn, "desk.done").say), ticket=urgent, events=(event,))


def assign(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/assign Ольга: into the hands of somebody, also out of another's."""
    if not desk.is_supervisor(who(turn.said[0])):
        return notice(desk, turn, "desk.only_supervisors")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    people = desk.crew.find(rest) if rest else ()
    if len(people) != 1:
        return say(desk, turn, "desk.no_such_person" if not people else "desk.which_person", word=rest, people=[m.call for m in people or desk.crew.members()])
    if not people[0].here:
        return notice(desk, turn, "desk.is_away", operator=people[0].name, here=[m.name for m in desk.crew.members() if m.here and m.name])
    given = transfer.give_to(desk, turn, ticket, people[0], key="desk.assigned_to")
    return replace(given, say=(*given.say, *done(desk, turn, "desk.done").say))
