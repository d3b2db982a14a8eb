"""Mystery customers at work: a round looks at each played conversation and says the next line where an
operator has answered.

law: how far one is stands in its own conversation and in two events, so that no restart loses or repeats a
line; a played customer is no customer in any figure, and ends by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from bot.handoff.desk_context import DeskContext, TicketReader
from bot.handoff.tickets import closing, handover
from bot.handoff.tickets.settle import settled
from bot.model import (
    PLAYED,
    Conversation,
    Event,
    HistoryEntry,
    Inbound,
    InboundKind,
    Outcome,
    Peer,
    Result,
    Sender,
    Status,
    Turn,
)
from bot.model.internal import MysteryStep

STARTED, BEGUN, ENDED = "mystery_started", "mystery_begun", "mystery_ended"
PAUSE = timedelta(seconds=40)  # in which a person reads and types
CALL_AFTER = timedelta(seconds=20)  # from the bot's answer until a person is called
LONGEST = timedelta(hours=24)  # then it is over, whatever was said
KNOWN = timedelta(days=3)  # for which starts are looked for
LINES = 400


@dataclass(frozen=True, slots=True)
class MysteryRun:
    """A played conversation: its scenario, its chat, who ordered it and when."""

    id: str
    scenario: str
    chat: str
    customer: str
    by: str
    started: datetime

    @property
    def peer(self) -> Peer:
        return Peer(PLAYED, self.chat)


def start(id: str, scenario: str, customer: str, by: str, now: datetime) -> Event:
    """The event that starts a played conversation; the next round says its first line."""
    chat = str(5_000_000_000 + int(sha256(id.encode()).hexdigest()[:8], 16))
    data = {"run": id, "scenario": scenario, "chat": chat, "customer": customer}
    return Event(STARTED, now, actor=by, data=data)


def runs_of(events: Sequence[Event]) -> list[tuple[MysteryRun, str]]:
    """The played conversations with why each ended, "" = it goes on; the newest last."""
    over: Mapping[str, str] = {
        str(e.data.get("run")): str(e.data.get("why") or "done") for e in events if e.kind == ENDED
    }
    runs = [_run(e) for e in events if e.kind == STARTED and e.at is not None]
    return [(run, over.get(run.id, "")) for run in runs]


def _run(event: Event) -> MysteryRun:
    run, scenario, chat, customer = (
        str(event.data.get(key) or "") for key in ("run", "scenario", "chat", "customer")
    )
    assert event.at is not None
    return MysteryRun(run, scenario, chat, customer, event.actor, event.at)


class MysteryPlayer:
    """What the rounds ask."""

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def look(self, now: datetime) -> Sequence[Inbound]:
        """The lines that are due now; each has its own key, and is said once."""
        if not self._desk.rules.quality.mystery:
            return ()
        reader = self._desk.ticket_reader
        events = await reader.events(since=now - KNOWN, kinds=(STARTED, ENDED))
        due: list[Inbound] = []
        for run in [run for run, over in runs_of(events) if not over]:
            due += await self._next(reader, run, now)
        return due

    async def _next(self, reader: TicketReader, run: MysteryRun, now: datetime) -> list[Inbound]:
        scenario = self._desk.rules.scenarios.known.get(run.scenario)
        talk = await reader.conversation(run.peer)
        if scenario is None or now - run.started > LONGEST:
            return [_step(run, "end", now)]
        if talk is None:
            return [_said(run, 0, scenario.lines[0].say, now), _step(run, "begin", now)]
        lines = await reader.history(talk.id, limit=LINES)
        said = sum(line.author == "customer" for line in lines)
        if talk.status is Status.BOT:
            return self._with_bot(run, lines, talk, now)
        answer = _answer(lines)
        if not answer or now - answer[-1].at < PAUSE:
            return []
        if said >= len(scenario.lines):
            return [_step(run, "end", now)]
        text = scenario.lines[said].after("\n".join(line.text for line in answer))
        return [_said(run, said, text, now)]

    def _with_bot(
        self, run: MysteryRun, lines: Sequence[HistoryEntry], talk: Conversation, now: datetime
    ) -> list[Inbound]:
        """Nobody has it: it was closed, or the bot has answered and a person has to be called."""
        if any(line.author == "operator" for line in lines):
            return [_step(run, "end", now)]
        if lines and now - lines[-1].at >= CALL_AFTER:
            return [_step(run, "call", now)]
        return []


async def carry_out(desk: DeskContext, turn: Turn, step: MysteryStep) -> Outcome:
    """A step of a played conversation that is no line: its beginning, the call for a person, its end."""
    if turn.conversation.peer.channel != PLAYED:
        return Outcome("desk", Result.IGNORED, "not_played")
    open_ticket = turn.ticket if turn.ticket is not None and turn.ticket.status != "closed" else None
    if step.step == "call":
        if open_ticket is not None:
            return Outcome("desk", Result.IGNORED, "ticket_open")
        return handover.escalate(desk, turn, reason="asked")
    kind = BEGUN if step.step == "begin" else ENDED
    event = Event(kind, actor="bot", data={"run": step.run})
    if step.step == "begin" or open_ticket is None:
        return Outcome("desk", Result.ANSWERED, kind, events=(event,))
    closed = closing.close(desk, turn, open_ticket, by="customer", key="handoff.closed")
    return settled(desk, turn.ticket, replace(closed, events=(*closed.events, event), timers=()))


def _answer(lines: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The operators' words since the customer's last line."""
    found: list[HistoryEntry] = []
    for line in reversed(lines):
        if line.author == "customer":
            break
        if line.author == "operator":
            found.append(line)
    return found[::-1]


def _said(run: MysteryRun, number: int, text: str, now: datetime) -> Inbound:
    key = f"{run.id}:{number}"
    return Inbound(key, run.peer, _sender(run), now, text=text, message=f"{run.chat}{number}")


def _step(run: MysteryRun, step: str, now: datetime) -> Inbound:
    payload = MysteryStep(run.id, step)
    return Inbound(f"{run.id}:{step}", run.peer, _sender(run), now, InboundKind.INTERNAL, payload=payload)


def _sender(run: MysteryRun) -> Sender:
    return Sender(run.chat, run.customer)
