"""Promises with deadlines: when what becomes due for a ticket, as a pure function of the ticket, in working
time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config.handoff import Policy, Routing, Sla, length
from bot.handoff.sla.hours import Hours
from bot.handoff.tickets import lifecycle
from bot.model import Compensation, Ticket, Timer
from bot.model.internal import (
    CompensationWaits,
    CustomerSilent,
    DeadlineNear,
    OperatorSilent,
    PromiseDue,
    SnoozeOver,
    TicketTimer,
    TicketUnclaimed,
    UpsetCustomerWaits,
)

GOALS = ("first_reply", "next_reply", "resolution")
DOUBLINGS = 10  # a reminder comes after 1, 2, 4 … times the interval, and no more often than this


@dataclass(frozen=True, slots=True)
class SlaDeadline:
    """A running deadline: since when, when operators are warned, when it is broken."""

    name: str
    start: datetime
    warn: datetime
    due: datetime


class Deadlines:
    """Knows the policies and the working time.

    Timers of a ticket are the difference between before and after (`changes`).
    """

    def __init__(
        self,
        sla: Sla,
        routing: Routing,
        hours: Hours,
        *,
        undecided: timedelta = timedelta(minutes=15),
        upset_waits: float = 0.5,
    ) -> None:
        """*undecided*: how long a compensation waits for a yes until that is said aloud; *upset_waits*: after
        which part of the time for an answer supervisors hear of an upset important customer again.
        """
        self.sla, self._routing, self._hours, self._undecided = sla, routing, hours, undecided
        self._upset_waits = upset_waits

    @property
    def reopen(self) -> timedelta | None:
        """How long after closing the same ticket is opened again."""
        return length(self.sla.reopen)

    def policy(self, ticket: Ticket) -> Policy:
        """The first that fits."""
        for policy in self.sla.policies:
            if (policy.priority is None or ticket.priority >= policy.priority) and policy.topic in (
                None,
                ticket.topic,
            ):
                return policy
        return Policy(first_reply=None, next_reply=None, resolution=None)

    def goals(self, ticket: Ticket) -> tuple[SlaDeadline, ...]:
        """The deadlines that run now, the nearest first."""
        if ticket.status == "closed" or ticket.opened is None:
            return ()
        policy = self.policy(ticket)
        opened = ticket.state.reopened or ticket.opened
        starts: dict[str, datetime | None] = {"first_reply": None, "next_reply": None, "resolution": opened}
        if ticket.status != "snoozed":
            starts["first_reply"] = ticket.opened if ticket.first_reply is None else None
            asked, woken = ticket.state.asked, ticket.state.woken
            starts["next_reply"] = (
                max(asked, woken or asked) if asked is not None and ticket.first_reply is not None else None
            )
        found = []
        for name, begun in starts.items():
            start = _from_wish(ticket, begun)
            amount = length(getattr(policy, name))
            if start is not None and amount is not None:
                warn = self._hours.add_working(start, amount * self.sla.warn)
                found.append(SlaDeadline(name, start, warn, self._hours.add_working(start, amount)))
        return tuple(sorted(found, key=lambda g: g.due))

    def dated(self, ticket: Ticket) -> Ticket:
        """The ticket with its nearest deadline."""
        goals = self.goals(ticket)
        return lifecycle.due(ticket, goals[0].due if goals else None)

    def at_risk(self, ticket: Ticket, now: datetime) -> bool:
        """Whether a deadline is near or past."""
        return any(now >= g.warn for g in self.goals(ticket))

    def alarms(self, ticket: Ticket) -> Mapping[str, Timer]:
        """Every timer the ticket needs as it is now, by key."""
        made = self.of_requests(ticket)
        if ticket.status != "closed":
            made = [*self._of_goals(ticket), *self._of_people(ticket), *self._of_upset(ticket), *made]
        return {later.key: later for later in made}

    def changes(self, before: Ticket | None, after: Ticket) -> tuple[tuple[Timer, ...], tuple[str, ...]]:
        """Timers to set and keys to cancel when a ticket changes."""
        old = self.alarms(before) if before is not None and before.number == after.number else {}
        new = self.alarms(after)
        return tuple(later for key, later in new.items() if old.get(key) != later), tuple(
            key for key in old if key not in new
        )

    def decision_due(self, asked: Compensation) -> datetime:
        """When it is said (again) that nobody decides on a compensation."""
        patience = self._undecided * 2 ** min(asked.reminders, DOUBLINGS)
        return self._hours.add_working(asked.at, patience)

    def of_requests(self, ticket: Ticket) -> list[Timer]:
        """The timer of a compensation that waits for a yes, also of one whose ticket is closed by now."""
        due = [self.decision_due(c) for c in ticket.state.compensations if not c.decision]
        key, payload = f"compensation:{ticket.number}", CompensationWaits(ticket.number)
        return [Timer(key, payload, min(due), conversation=ticket.conversation)] if due else []

    def _of_goals(self, ticket: Ticket) -> list[Timer]:
        made = []
        for goal in self.goals(ticket):
            if goal.name not in ticket.state.breached:
                at = goal.due if goal.name in ticket.state.warned else goal.warn
                made.append(
                    self._later(ticket, f"goal:{ticket.number}:{goal.name}", DeadlineNear(goal.name), at)
                )
        return made

    def _of_upset(self, ticket: Ticket) -> list[Timer]:
        """An upset important customer is not left waiting for the whole time: said once for each answer."""
        told, waited = ticket.state.upset_told, ticket.state.upset_waited
        goal = next((g for g in self.goals(ticket) if g.name in lifecycle.REPLIES), None)
        amount = length(getattr(self.policy(ticket), goal.name)) if goal is not None else None
        if told is None or goal is None or amount is None or (waited is not None and waited >= goal.start):
            return []
        due = max(told, self._hours.add_working(goal.start, amount * self._upset_waits))
        return [self._later(ticket, f"upset:{ticket.number}", UpsetCustomerWaits(), due)]

    def _of_people(self, ticket: Ticket) -> list[Timer]:
        """Somebody must do something: take it, answer it, come back to it, or say that it is solved."""
        key, made = ticket.number, []
        asked, answered = ticket.state.asked, ticket.state.answered
        if ticket.status == "waiting":
            queued = ticket.state.queued or ticket.opened
            since, patience = _from_wish(ticket, queued), length(self._routing.remind)
            if since is not None and patience is not None:
                times = 2 ** min(ticket.state.reminders, DOUBLINGS)
                at = self._hours.add_working(since, patience * times)
                if since != queued and not ticket.state.reminders:
                    at = since  # the time that the customer asked for is said aloud when it comes
                made.append(self._later(ticket, f"waiting:{key}", TicketUnclaimed(), at))
        if ticket.status == "operator":
            since = _from_wish(
                ticket,
                max((m for m in (asked, ticket.state.assigned, ticket.taken) if m is not None), default=None),
            )
            patience = length(self._routing.silent_operator)
            if (
                since is not None
                and patience is not None
                and (asked is not None or ticket.first_reply is None)
            ):
                made.append(
                    self._later(
                        ticket, f"idle:{key}", OperatorSilent(), self._hours.add_working(since, patience)
                    )
                )
            promised = ticket.state.promise_due
            if (
                answered is not None
                and asked is None
                and promised is None
                and (quiet := self._quiet(ticket, answered)) is not None
            ):
                made.append(self._later(ticket, f"quiet:{key}", CustomerSilent(), quiet))
        if ticket.status == "snoozed" and (until := ticket.state.snoozed_until) is not None:
            made.append(self._later(ticket, f"snooze:{key}", SnoozeOver(), until))
        if (due := ticket.state.promise_due) is not None:
            made.append(self._later(ticket, f"promised:{key}", PromiseDue(), due))
        return made

    def _quiet(self, ticket: Ticket, answered: datetime) -> datetime | None:
        """When a silent customer is asked, or after that when the ticket is closed; never outside hours."""
        warned = ticket.state.quiet_asked
        patience = length(self.sla.quiet_close) if warned is not None else length(self.sla.quiet_warn)
        if patience is None:
            return None
        at = (warned or answered) + patience
        return self._hours.next_open(at) or at

    def _later(self, ticket: Ticket, key: str, payload: TicketTimer, at: datetime) -> Timer:
        return Timer(key, payload, at, conversation=ticket.conversation)


def _from_wish(ticket: Ticket, start: datetime | None) -> datetime | None:
    """Nothing is owed before the time that the customer asked for."""
    wish = ticket.state.wish_at
    return start if start is None or wish is None else max(start, wish)


def left(goal: SlaDeadline, now: datetime) -> timedelta:
    """Time until the deadline, negative when it is past."""
    return goal.due - now
