"""However a ticket comes to where it is, it is whole: its status and what it remembers never disagree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import bot
from bot import model
from bot.handoff.tickets import lifecycle
from bot.model import LastAnswer, Peer, Ticket

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLGA = ("telegram:9001", "Ольга")
OPEN, CLOSED, SNOOZED = ("waiting", "operator", "snoozed"), ("closed",), ("snoozed",)
Step = Callable[[Ticket, datetime], Ticket]

# where a ticket may be for each step, and the step
STEPS: dict[str, tuple[tuple[str, ...], Step]] = {
    "taken": (OPEN, lambda t, now: lifecycle.taken(t, *OLGA, now)),
    "assigned": (OPEN, lambda t, now: lifecycle.assigned(t, "telegram:9002", "Пётр", now)),
    "queued": (OPEN, lifecycle.queued),
    "transferred": (OPEN, lambda t, now: lifecycle.transferred(t, "sales", "sales", now)),
    "reminded": (("waiting",), lambda t, now: lifecycle.reminded(t)),
    "snoozed": (OPEN, lambda t, now: lifecycle.snoozed(t, now + timedelta(hours=2), *OLGA, now)),
    "resumed": (SNOOZED, lifecycle.resumed),
    "woken": (SNOOZED, lifecycle.woken),
    "promised": (OPEN, lambda t, now: lifecycle.promised(t, now + timedelta(hours=1), "уточню")),
    "wrote": (OPEN, lambda t, now: lifecycle.customer_wrote(t, now, owed=True)),
    "answered": (OPEN, lambda t, now: lifecycle.answered(t, *OLGA, now, LastAnswer("words", now))),
    "near": (OPEN, lambda t, now: lifecycle.deadline_near(t, "next_reply")),
    "broken": (OPEN, lambda t, now: lifecycle.deadline_broken(t, "first_reply")),
    "quiet": (("operator",), lifecycle.quiet_asked),
    "closed": (OPEN, lifecycle.closed),
    "left off": (OPEN, lambda t, now: lifecycle.closed(t, now, over_silence=True)),
    "reopened": (CLOSED, lambda t, now: lifecycle.reopened(t, *OLGA, now)),
    "came back": (CLOSED, lambda t, now: lifecycle.came_back(t, now, same_operator=bool(t.operator))),
    "to the queue": (CLOSED, lambda t, now: lifecycle.came_back(t, now, same_operator=False)),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=25))
def test_a_ticket_is_whole_after_any_transitions(names: list[str]) -> None:
    ticket, now = Ticket(1, 1, Peer("telegram", "1"), opened=NOON), NOON
    for name in names:
        allowed, step = STEPS[name]
        if ticket.status not in allowed:
            continue
        now += timedelta(minutes=10)
        ticket = step(ticket, now)
        assert _faults(ticket) == [], name


def _faults(ticket: Ticket) -> list[str]:
    """What contradicts itself, in words."""
    state, status = ticket.state, ticket.status
    has_operator = bool(ticket.operator and ticket.operator_name)
    faults = {
        "waiting, and somebody's": status == "waiting"
        and (bool(ticket.operator) or ticket.taken is not None),
        "nobody's, and not waiting": status in ("operator", "snoozed") and not has_operator,
        "somebody's, and in the queue": status in ("operator", "snoozed")
        and (state.queued is not None or state.reminders > 0),
        "put off until no time": (status == "snoozed") != (state.snoozed_until is not None),
        "closed, and somebody is owed something": status == "closed"
        and (state.asked, state.promise_due, state.quiet_asked) != (None, None, None),
        "closed at no time": (status == "closed") != (ticket.closed is not None),
    }
    return [fault for fault, holds in faults.items() if holds]


def test_an_answer_ends_what_was_owed() -> None:
    """Whatever stood open towards the customer; the deadline of the whole ticket goes on."""
    ticket = Ticket(1, 1, Peer("telegram", "1"), opened=NOON)
    for goal in ("first_reply", "next_reply", "resolution"):
        ticket = lifecycle.deadline_broken(lifecycle.deadline_near(ticket, goal), goal)
    ticket = lifecycle.answered(ticket, *OLGA, NOON, LastAnswer("words", NOON))
    ticket = lifecycle.customer_wrote(ticket, NOON + timedelta(minutes=1), owed=True)
    assert ticket.state.asked == NOON + timedelta(minutes=1)

    ticket = lifecycle.answered(ticket, "telegram:9002", "Пётр", NOON + timedelta(minutes=5), None)
    assert (ticket.state.asked, ticket.state.last_words) == (None, None)
    assert (ticket.state.warned, ticket.state.breached) == (("resolution",), ("resolution",))
    assert (ticket.operator_name, ticket.first_reply, ticket.taken) == ("Ольга", NOON, NOON)


def test_whoever_gave_it_back_is_remembered_until_somebody_gets_it() -> None:
    taken = lifecycle.taken(Ticket(1, 1, Peer("telegram", "1")), *OLGA, NOON)
    back = lifecycle.queued(taken, NOON)
    assert (back.state.previous_operator, back.state.queued) == (OLGA[0], NOON)
    assert lifecycle.assigned(back, "telegram:9002", "Пётр", NOON).state.previous_operator == ""


def test_only_the_transitions_write_a_ticket() -> None:
    """A status or a field written anywhere else forgets what belongs to it."""
    root = Path(bot.__file__).parent
    deciding = ("handoff", "dialogs", "web", "demo")  # elsewhere other things have a status, too
    files = [f for part in deciding for f in (root / part).rglob("*.py")]
    assert len(files) > 100
    found = [
        f"{file.relative_to(root)}:{line}"
        for file in files
        if file != Path(lifecycle.__file__)
        for line in _written(ast.parse(file.read_text("utf-8")))
    ]
    assert found == [] and list(_written(ast.parse("replace(ticket, status='closed')"))) == [1]


def _written(tree: ast.AST) -> Iterator[int]:
    """Lines that change a ticket, or its state, by `replace`."""
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "replace"):
            continue
        what = call.args[0] if call.args else None
        if isinstance(what, ast.Attribute) and what.attr == "article":
            continue  # an article has a status of its own
        of_ticket = isinstance(what, ast.Attribute) and what.attr == "state"
        status = any(k.arg == "status" and isinstance(k.value, ast.Constant) for k in call.keywords)
        if of_ticket or status or any(k.arg in _ONLY_OF_TICKETS for k in call.keywords):
            yield call.lineno


_OTHERS = [v for v in vars(model).values() if isinstance(v, type) and is_dataclass(v) and v is not Ticket]
_ONLY_OF_TICKETS = {f.name for f in fields(Ticket)} - {f.name for kind in _OTHERS for f in fields(kind)}
