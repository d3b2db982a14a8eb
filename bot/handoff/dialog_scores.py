"""The scorecard of a ticket: filled in by itself when the ticket is closed, looked at by a supervisor, shown
to its operator alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import say
from bot.handoff.tickets import lifecycle
from bot.model import (
    PLAYED,
    DialogScore,
    Event,
    Outbound,
    Outcome,
    Peer,
    Priority,
    Result,
    ScoreMark,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import DialogScoreDue, ReviewDialog
from bot.quality import figures
from bot.quality.criterion import MARK_VALUES, MarkValue, merged, title_of, total
from bot.quality.scorecard import DialogWords, values

AFTER = timedelta(minutes=10)  # closing by mistake is undone by then
LINES = 400  # of a dialog that are looked at
WEEKS = 4  # that an operator sees
REMARKS, REMARK = 3, 1000  # a supervisor's last words that they see; characters of each that are kept


def later(desk: DeskContext, ticket: Ticket) -> tuple[Timer, ...]:
    """The timer that fills the card in; a dialog without an operator's words has none."""
    answered = ticket.first_reply is not None and bool(ticket.operator)
    if desk.rules.scorecard is None or not answered or ticket.closed is None:
        return ()
    due, key = ticket.closed + AFTER, f"score:{ticket.number}"
    return (Timer(key, DialogScoreDue(ticket.number), due, conversation=ticket.conversation),)


async def on_timer(desk: DeskContext, turn: Turn, number: int) -> Outcome:
    """Fill the card in; a ticket that was opened again waits for its next closing."""
    ticket = await _ticket(desk, turn, number)
    card = desk.rules.scorecard
    if ticket is None or card is None or ticket.status != "closed" or ticket.opened is None:
        return Outcome("desk", Result.IGNORED, "timer_over")
    history = await desk.ticket_reader.history(ticket.conversation, limit=LINES, since=ticket.opened)
    lines = tuple(line for line in history if ticket.closed is None or line.at <= ticket.closed)
    marks = card.marks(DialogWords(lines, ticket.state.name, promised=bool(ticket.state.promise)))
    scored = lifecycle.scored(ticket, DialogScore(marks, turn.now))
    event = _event(desk, ticket, figures.SCORED, marks)
    return Outcome("desk", Result.ANSWERED, "dialog_scored", ticket=scored, events=(event,))


async def review(desk: DeskContext, turn: Turn, asked: ReviewDialog) -> Outcome:
    """What a supervisor thinks of the dialog, laid over what was seen by itself."""
    ticket = await _ticket(desk, turn, asked.ticket)
    if ticket is None or ticket.conversation != turn.conversation.id or turn.customer is None:
        return Outcome("desk", Result.IGNORED, "desk.no_such_ticket")
    who = turn.inbounds[0]
    seen = ticket.state.scored.marks if ticket.state.scored else ()
    said = tuple(ScoreMark(str(name), _value(value)) for name, value in asked.marks.items())
    marks = merged([replace(m, words="") for m in seen], said)
    score = DialogScore(marks, turn.now, who.sender.id, who.sender.name, asked.reason, asked.remark[:REMARK])
    event = _event(desk, ticket, figures.REVIEWED, marks)
    data = {**event.data, "reason": asked.reason, "key": who.key}
    event = replace(event, actor=who.sender.id, data=data)
    changed = lifecycle.reviewed(ticket, score)
    return Outcome("desk", Result.ANSWERED, "dialog_reviewed", ticket=changed, events=(event,))


async def own(desk: DeskContext, turn: Turn, _rest: str) -> Outcome:
    """/quality: how one's own dialogs were, told in private; nobody else's."""
    inbound = turn.inbounds[0]
    since = turn.now - timedelta(weeks=WEEKS)
    events = await desk.ticket_reader.events(since=since, kinds=figures.KINDS)
    zone, rules = desk.hours.zone, desk.rules.quality
    mine = figures.by_operator(events, zone).get(inbound.actor) or figures.ScoreFigures(inbound.actor)
    seen, said = mine.mean(mine.seen, rules.least), mine.mean(mine.said, rules.least)
    card = desk.rules.scorecard
    enough = seen is not None and card is not None
    criteria = [
        {
            "title": title_of(c, desk.texts, desk.lang),
            "share": _percent(sum(mine.marks[c.name]) / len(mine.marks[c.name])),
            "count": len(mine.marks[c.name]),
        }
        for c in (card.criteria if card is not None and enough else ())
        if len(mine.marks.get(c.name, ())) >= rules.least
    ]
    text = desk.texts.say(
        "quality.own",
        lang=desk.lang,
        weeks=WEEKS,
        scored=len(mine.seen),
        least=rules.least if seen is None else 0,
        seen=_percent(seen),
        said=None if said is None else _percent(said),
        sampled=len(mine.said),
        criteria=criteria,
        remarks=await _remarks(desk, events, inbound.actor),
    )
    to = Peer(inbound.peer.channel, inbound.sender.id)
    told = Outbound(to, text, author="", priority=Priority.NOTICE)
    if inbound.private:
        return Outcome("desk", Result.ANSWERED, "quality_own", (replace(told, to=inbound.peer),))
    sent = say(desk, turn, "quality.sent")
    return replace(sent, reason="quality_own", messages=(told, *sent.messages))


async def _remarks(desk: DeskContext, events: Sequence[Event], operator: str) -> list[dict[str, object]]:
    """The last remarks of supervisors on their dialogs."""
    numbers = [
        e.ticket for e in reversed(events) if e.kind == figures.REVIEWED and e.data.get("of") == operator
    ]
    told: list[dict[str, object]] = []
    for number in dict.fromkeys(n for n in numbers if n is not None):
        ticket = await desk.ticket_reader.ticket(number)
        review_ = ticket.state.reviewed if ticket is not None else None
        if review_ is not None and review_.remark:
            told.append({"number": number, "text": review_.remark})
        if len(told) == REMARKS:
            break
    return told


def _event(desk: DeskContext, ticket: Ticket, kind: str, marks: Sequence[ScoreMark]) -> Event:
    card = desk.rules.scorecard
    score = total(marks, card.criteria) if card is not None else None
    data: dict[str, object] = {"of": ticket.operator, "score": score, "marks": values(marks)}
    if ticket.customer_peer.channel == PLAYED:
        data["played"] = True
    return Event(kind, ticket=ticket.number, data=data)


def _value(value: object) -> MarkValue:
    return next((known for known in MARK_VALUES if known == value), "")


def _percent(value: float | None) -> int:
    return round(100 * (value or 0.0))


async def _ticket(desk: DeskContext, turn: Turn, number: int) -> Ticket | None:
    if turn.ticket is not None and turn.ticket.number == number:
        return turn.ticket
    return await desk.ticket_reader.ticket(number)
