"""What a button of the card opens: people to hand a ticket to, times to put it off, ready answers to choose
from.
"""

from __future__ import annotations

from bot.handoff.addressees import colleagues
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice, say
from bot.handoff.operators.roster import labels
from bot.model import Button, Member, Outcome, Rows, Ticket, Turn

MOST = 10  # buttons of one menu: VK puts no more under a message
TIMES = ("1h", "3h", "tomorrow", "mon")


def hand_on(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """Colleagues who are there, those of the same group first, and teams; the reason is written by
    /transfer.
    """
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    own, by = ticket.state.team, turn.actor
    team = desk.teams.named(own)

    def far(member: Member) -> bool:
        return team is not None and bool(team.operators) and member.id not in team.operators

    here = sorted(
        (m for m in colleagues(desk, ticket) if m.here and m.id not in (ticket.operator, by)), key=far
    )
    named = labels(here)
    teams = [Button(f"👥 {t.title or t.name}", "give_to", t.name) for t in desk.rules.teams if t.name != own]
    people = [Button(named[m.id], "give_to", m.id) for m in here][: max(MOST - len(teams), MOST * 2 // 3)]
    return say(desk, turn, "desk.transfer_to", _rows([*people, *teams]), people=len(teams) + len(people))


def put_off(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    buttons = [
        Button(desk.texts.text(f"desk.later.{time}", lang=desk.lang), "snooze", time) for time in TIMES
    ]
    return say(desk, turn, "desk.snooze_how", _rows(buttons), wrong="")


def _rows(buttons: list[Button]) -> Rows:
    shown = buttons[:MOST]
    return tuple(tuple(shown[i : i + 2]) for i in range(0, len(shown), 2))
