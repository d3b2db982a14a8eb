"""What only supervisors do: how urgent a ticket is, and whose it is.

Where none are named, everybody in the desk may.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import card_posts
from bot.handoff.addressees import brought, colleagues, meant, offered, reachable, unclear
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.tickets import lifecycle, transfer
from bot.model import Event, Outcome, Result, Ticket, Turn

MOST = 9


def set_priority(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/priority 2: from 0 on, the more the sooner; the deadlines follow."""
    if not rest.isdecimal() or int(rest) > MOST:
        return say(desk, turn, "desk.priority_how", most=MOST)
    urgent = lifecycle.prioritized(ticket, int(rest))
    event = Event("ticket_priority", ticket=ticket.number, actor=turn.actor, data={"priority": int(rest)})
    return Outcome(
        "desk",
        Result.ANSWERED,
        "priority",
        (*card_posts.edited(desk, urgent), *done(desk, turn, "desk.done").messages),
        ticket=urgent,
        events=(event,),
    )


async def assign(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/assign Ольга: into the hands of somebody, also out of another's."""
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    text = turn.press.value if turn.press else rest
    if not text:
        here = tuple(m for m in colleagues(desk, ticket) if m.here)
        return say(
            desk, turn, "desk.assign_whom", offered(here, "assign"), number=ticket.number, people=len(here)
        )
    found = await meant(desk, turn, text)
    if len(found.people) != 1:
        return unclear(desk, turn, ticket, found, action="assign")
    to = found.people[0]
    if not to.here:
        return notice(
            desk,
            turn,
            "desk.is_away",
            operator=to.full_name,
            here=[m.name for m in colleagues(desk, ticket) if m.here],
        )
    if (place := await reachable(desk, ticket, to)) is None:
        return notice(desk, turn, "desk.not_here", operator=to.full_name)
    history = await desk.ticket_reader.history(ticket.conversation, limit=transfer.CARRIED_LINES)
    given = transfer.bring_to(desk, turn, brought(desk, ticket, place), to, history, key="desk.assigned_to")
    return replace(given, messages=(*given.messages, *done(desk, turn, "desk.done").messages))
