"""Compensations and the limits of authority: what an operator may give at once, and what waits for a
supervisor's yes.

law: a request is decided once, whoever presses first, and by somebody else than who asked; it is called out
until somebody does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.config.quality import AuthorityLimit
from bot.handoff import card_posts, notices
from bot.handoff.card import called, numbered
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice, say
from bot.handoff.sla.targets import DOUBLINGS
from bot.handoff.tickets import lifecycle
from bot.model import (
    Button,
    CallName,
    Compensation,
    DoneStep,
    Event,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Priority,
    Result,
    RichText,
    Rows,
    Sender,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import CompensationDecided

MOST = 10_000_000.0
REASON = 200  # characters of a reason
_SUM = re.compile(  # thousands may stand apart; any other number behind a space begins the reason
    r"(?P<sum>(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+)(?:[.,]\d{1,2})?)\s*"
)
# three digits and more behind a space, without a currency: a sum and a number of something, not thousands
_COUNTED = re.compile(r"\d{3}[ \u00a0\u202f](?!000)\d{3}")
_SIGN = re.compile(r"(?P<word>[^\W\d_]+\.?|[^\w\s])\s*")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator would like to give: the sum, why, and the step of the playbook it belongs to."""

    amount: float
    reason: str
    step: str = ""


def compensate(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/compensate SUM reason."""
    amount, reason = _read(desk, rest.strip())
    if not 0 < amount <= MOST or not reason:
        own = _limit(desk, turn.actor, ticket)
        limit = None if own is None else money(desk, own)
        return say(desk, turn, "compensation.how", limit=limit, given=[_told(desk, c) for c in _all(ticket)])
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    return ask(desk, turn, ticket, Wish(amount, reason))


def ask(desk: DeskContext, turn: Turn, ticket: Ticket, wish: Wish) -> Outcome:
    """Given at once where the operator's limit for this ticket allows it; else supervisors are asked."""
    if wish.step and any(c.step == wish.step and not c.decision for c in _all(ticket)):
        return notice(desk, turn, "compensation.asked_already")
    by, name = turn.actor, turn.inbounds[0].sender.name
    own = _limit(desk, by, ticket)
    spent = sum(c.amount for c in _all(ticket) if c.by == by and c.decision == "own")
    allowed = own is None or spent + wish.amount <= own
    number = max((c.number for c in _all(ticket)), default=0) + 1
    made = Compensation(number, wish.amount, wish.reason, by, name, turn.now, wish.step)
    if allowed:
        return _given(desk, turn, ticket, replace(made, decision="own", decided=turn.now))
    asked = lifecycle.compensation_asked(ticket, made)
    event = Event("compensation_asked", ticket=ticket.number, actor=by, data={"amount": wish.amount})
    messages = (
        *say(desk, turn, "compensation.asked", sum=money(desk, wish.amount)).messages,
        *_requests(desk, asked, made),
        *card_posts.edited(desk, asked),
    )
    return Outcome("desk", Result.ANSWERED, "compensation.asked", messages, ticket=asked, events=(event,))


async def pressed(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """A supervisor's yes or no, in the group or in private. It meets the ticket where the customer's
    conversation is: of two supervisors the first one decides.
    """
    number, _, own = value.partition("#")
    found = await desk.ticket_reader.ticket(int(number)) if number.isdecimal() else None
    asked = _named(found, own)
    if found is None or asked is None:
        return notice(desk, turn, "desk.old_button")
    if (why := _hindrance(desk, turn.actor, found, asked)) is not None:
        return notice(desk, turn, why, by=asked.decided_by)
    yes = turn.press is not None and turn.press.action == "compensation_yes"
    by = turn.inbounds[0]
    payload = CompensationDecided(found.number, asked.number, yes, by.actor, by.sender.name, by.peer)
    key = f"decide:{found.number}:{asked.number}:{turn.id}"
    later = Timer(key, payload, turn.now, conversation=found.conversation)
    return replace(notice(desk, turn, "compensation.heard"), timers=(later,))


async def carry_out(desk: DeskContext, turn: Turn, decided: CompensationDecided) -> Outcome:
    """The yes or no where the ticket is."""
    ticket = await _ticket(desk, turn, decided.ticket)
    asked = _named(ticket, str(decided.number))
    if ticket is None or asked is None:
        return Outcome("desk", Result.IGNORED, "timer_over")
    if (why := _hindrance(desk, decided.by, ticket, asked)) is not None:
        text = desk.texts.say(why, lang=desk.lang, by=asked.decided_by)
        told = Outbound(decided.to, text, author="", priority=Priority.NOTICE)
        return Outcome("desk", Result.ANSWERED, "compensation_over", (told,))
    return decide(desk, turn, ticket, replace(asked, decision="yes" if decided.yes else "no"), decided)


def decide(
    desk: DeskContext, turn: Turn, ticket: Ticket, asked: Compensation, decided: CompensationDecided
) -> Outcome:
    """The request is decided: its operator hears it in the topic, and every request says so."""
    made = replace(asked, decided_by=decided.name, decided=turn.now)
    changed = lifecycle.compensation_changed(ticket, made)
    if made.step and made.decision == "yes":
        changed = lifecycle.step_done(changed, DoneStep(made.step, made.by, made.name, turn.now))
    data = {
        "amount": made.amount,
        "decision": made.decision,
        "wait": (turn.now - made.at).total_seconds(),
        "of": made.by,
    }
    event = Event("compensation_decided", ticket=ticket.number, actor=decided.by, data=data)
    key = f"compensation.{made.decision}"
    facts = {"by": decided.name, "sum": money(desk, made.amount), "reason": made.reason}
    messages = [*_settled_requests(desk, changed, made), *card_posts.edited(desk, changed)]
    if (to := desk.places.thread(ticket)) is not None:
        operator = desk.roster.member(made.by).call or made.name
        messages.insert(0, notices.in_desk(desk, to, ticket, key, operator=operator, **facts))
    return Outcome(
        "desk", Result.ANSWERED, "compensation_decided", tuple(messages), ticket=changed, events=(event,)
    )


def decide_on_page(desk: DeskContext, turn: Turn, ticket: Ticket, value: str, who: Sender) -> Outcome:
    """A supervisor's yes or no from the pages: "2 yes". The page has asked whether they may."""
    number, _, word = value.partition(" ")
    asked = _named(ticket, number)
    if asked is None or asked.decision or word not in ("yes", "no") or asked.by in (who.id, turn.actor):
        own = asked is not None and not asked.decision
        key = "compensation.own" if own else "compensation.over"
        return Outcome("desk", Result.ANSWERED, key)
    decided = CompensationDecided(ticket.number, asked.number, word == "yes", who.id, who.name, turn.peer)
    return decide(desk, turn, ticket, replace(asked, decision="yes" if word == "yes" else "no"), decided)


async def remind(desk: DeskContext, turn: Turn, number: int) -> Outcome:
    """Nobody has decided: said once more, to all who may, and to the operator who waits."""
    ticket = await _ticket(desk, turn, number)
    waiting = [c for c in _all(ticket) if not c.decision] if ticket is not None else []
    if ticket is None or not waiting:
        return Outcome("desk", Result.IGNORED, "timer_over")
    due = [c for c in waiting if desk.deadlines.decision_due(c) <= turn.now]
    if not due:
        return Outcome(
            "desk", Result.IGNORED, "timer_early", timers=tuple(desk.deadlines.of_requests(ticket))
        )
    changed, messages = ticket, list[Outbound]()
    for asked in due:
        times = asked.reminders + 1
        while times < DOUBLINGS and desk.deadlines.decision_due(replace(asked, reminders=times)) <= turn.now:
            times += 1  # what was missed while nobody rang is said once
        again = replace(asked, reminders=times)
        changed = lifecycle.compensation_changed(changed, again)
        messages += _requests(desk, changed, again)
        if (to := desk.places.thread(ticket)) is not None:
            operator = desk.roster.member(asked.by).call or asked.name
            facts = {"operator": operator, "sum": money(desk, asked.amount)}
            messages.append(notices.in_desk(desk, to, ticket, "compensation.still_waits", **facts))
    event = Event("compensation_waits", ticket=ticket.number, data={"times": due[0].reminders + 1})
    return Outcome(
        "desk", Result.ANSWERED, "compensation_waits", tuple(messages), ticket=changed, events=(event,)
    )


def pending(tickets: Sequence[Ticket]) -> list[tuple[Ticket, Compensation]]:
    """The requests that wait for a yes, the oldest first."""
    found = [(t, c) for t in tickets for c in t.state.compensations if not c.decision]
    return sorted(found, key=lambda pair: pair[1].at)


def money(desk: DeskContext, amount: float) -> str:
    """A sum as people write it."""
    return written(amount, desk.rules.authority.currency)


def written(amount: float, currency: str) -> str:
    """A sum with its sign.

    >>> written(1500.0, "₽"), written(99.5, "$")
    ('1\\xa0500\\xa0₽', '99.50\\xa0$')
    """
    return f"{amount:,.2f}".removesuffix(".00").replace(",", "\u00a0") + f"\u00a0{currency}"


# --- who may


def _limit(desk: DeskContext, id: str, ticket: Ticket) -> float | None:
    """How much this operator may give by themselves; None = any sum."""
    found = next((rule for rule in desk.rules.authority.limits if _fits(desk, rule, id, ticket)), None)
    return 0.0 if found is None else found.amount


def _fits(desk: DeskContext, rule: AuthorityLimit, id: str, ticket: Ticket) -> bool:
    role = "supervisor" if id in desk.rules.routing.supervisors else "operator"
    if rule.role not in (None, role) or (rule.operators and id not in rule.operators):
        return False
    if not rule.teams:
        return True
    teams = [t for t in desk.rules.teams if t.name in rule.teams]
    return any(id in t.operators if t.operators else ticket.state.team == t.name for t in teams)


def _hindrance(desk: DeskContext, id: str, ticket: Ticket, asked: Compensation) -> str | None:
    """Why somebody may not decide on a request, as a key; None = they may. Where no supervisors are named,
    any colleague of whoever asked may.
    """
    if asked.decision:
        return "compensation.over"
    if id == asked.by:
        return "compensation.own"
    if id not in desk.rules.routing.supervisors:
        return (
            None if not desk.rules.routing.supervisors or id.startswith("page:") else "desk.only_supervisors"
        )
    limit = _limit(desk, id, ticket)
    return "compensation.over_limit" if limit is not None and asked.amount > limit else None


# --- what is written and shown


def _read(desk: DeskContext, text: str) -> tuple[float, str]:
    """The sum that words begin with, and the reason behind it; 0 where there is none."""
    if (found := _SUM.match(text)) is None:
        return 0.0, ""
    rest, given = text[found.end() :], found["sum"]
    known = {desk.rules.authority.currency, *desk.texts.options("hears.money")}
    sign = _SIGN.match(rest)
    if sign is not None and sign["word"].casefold().rstrip(".") in known:
        rest = rest[sign.end() :]
    elif _COUNTED.match(given):  # «500 200 роз»: two hundred roses are the reason
        given, _, counted = re.sub(r"[\u00a0\u202f]", " ", given).partition(" ")
        rest = f"{counted} {rest}"
    return float(re.sub(r"\s", "", given).replace(",", ".")), rest.strip()[:REASON]


def _given(desk: DeskContext, turn: Turn, ticket: Ticket, made: Compensation) -> Outcome:
    changed = lifecycle.compensation_asked(ticket, made)
    if made.step:
        changed = lifecycle.step_done(changed, DoneStep(made.step, made.by, made.name, turn.now))
    event = Event("compensation_given", ticket=ticket.number, actor=made.by, data={"amount": made.amount})
    messages = (
        *say(desk, turn, "compensation.given", sum=money(desk, made.amount), reason=made.reason).messages,
        *card_posts.edited(desk, changed),
    )
    return Outcome("desk", Result.ANSWERED, "compensation.given", messages, ticket=changed, events=(event,))


def _requests(desk: DeskContext, ticket: Ticket, asked: Compensation) -> list[Outbound]:
    """To each supervisor in private, and aloud in the group."""
    made = []
    place = desk.places.thread(ticket)
    for to in _deciders(desk, ticket):
        calls = notices.supervisors(desk, place) if to == _group(place) else ""
        text = _request(desk, ticket, asked, calls)
        made.append(
            Outbound(
                to,
                text,
                buttons=_buttons(desk, ticket, asked),
                name=_name(ticket, asked, to),
                ticket=ticket.number if to == _group(place) else None,
                author="",
                priority=Priority.NOTICE,
            )
        )
    return made


def _settled_requests(desk: DeskContext, ticket: Ticket, made: Compensation) -> list[Outbound]:
    """Each request as it now is, without buttons."""
    text = _request(desk, ticket, made, "")
    return [
        Outbound(
            to,
            text,
            kind=OutboundKind.EDIT,
            edits=_name(ticket, made, to),
            priority=Priority.COSMETIC,
            ticket=ticket.number if to == _group(desk.places.thread(ticket)) else None,
            author="",
        )
        for to in _deciders(desk, ticket)
    ]


def _request(desk: DeskContext, ticket: Ticket, asked: Compensation, calls: str) -> RichText:
    text = desk.texts.say(
        "compensation.request",
        lang=desk.lang,
        sign=numbered(ticket.number, desk.texts, desk.lang),
        customer=called(ticket, desk.texts, desk.lang),
        supervisors=calls,
        times=asked.reminders,
        **_told(desk, asked),
    )
    place = desk.places.thread(ticket)
    return calls.mentioned(text, place.channel) if place and isinstance(calls, CallName) else text


def _told(desk: DeskContext, asked: Compensation) -> dict[str, object]:
    return {
        "sum": money(desk, asked.amount),
        "reason": asked.reason,
        "operator": asked.name,
        "decision": asked.decision,
        "by": asked.decided_by,
    }


def _buttons(desk: DeskContext, ticket: Ticket, asked: Compensation) -> Rows:
    value = f"{ticket.number}#{asked.number}"
    yes, no = (desk.texts.text(f"compensation.button.{w}", lang=desk.lang) for w in ("yes", "no"))
    return (
        (
            Button(yes, "compensation_yes", value, style="success"),
            Button(no, "compensation_no", value, style="danger"),
        ),
    )


def _deciders(desk: DeskContext, ticket: Ticket) -> list[Peer]:
    people = [id.partition(":") for id in desk.rules.routing.supervisors]
    place = _group(desk.places.thread(ticket))
    return [*(Peer(channel, user) for channel, _, user in people), *((place,) if place else ())]


def _group(place: Peer | None) -> Peer | None:
    return replace(place, thread="") if place is not None else None


def _name(ticket: Ticket, asked: Compensation, to: Peer) -> str:
    return f"compensation:{ticket.number}:{asked.number}:{to.channel}:{to.chat}"


def _all(ticket: Ticket) -> tuple[Compensation, ...]:
    return ticket.state.compensations


def _named(ticket: Ticket | None, number: str) -> Compensation | None:
    return next((c for c in _all(ticket) if str(c.number) == number), None) if ticket else None


async def _ticket(desk: DeskContext, turn: Turn, number: int) -> Ticket | None:
    if turn.ticket is not None and turn.ticket.number == number:
        return turn.ticket
    return await desk.ticket_reader.ticket(number)
