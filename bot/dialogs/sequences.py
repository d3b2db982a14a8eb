"""Follow-up sequences in the customer's conversation: begun once, each step said once, ended by what makes
the next one needless.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.config.handoff import length
from bot.config.sequences import SequenceSettings
from bot.dialogs.surveys.survey import wrote_since
from bot.handoff.outreach.segment import wants_none
from bot.handoff.outreach.sequence_commands import words
from bot.handoff.outreach.sequences import ACTIVE, STOPPED, had_lately, is_in_one, last_of
from bot.handoff.outreach.surveys import ASK, ASKED, CHECKED_IN, SEQUENCE_SAID, rests_until
from bot.i18n.texts import Texts
from bot.model import (
    Button,
    Customer,
    Event,
    Outbound,
    Outcome,
    Priority,
    Result,
    Status,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import SequenceStartDue, SequenceStepDue

BUSY = timedelta(hours=6)  # whoever is in talks with a person is looked at again after this
PATIENCE = timedelta(days=3)  # and after so long the sequence ends
NAME = "sequences"


@dataclass(frozen=True, slots=True)
class SequenceDialog:
    """Hears only its own timers. *opens* is the moment from which people may be written to, *setting* tells
    what supervisors have stopped, *tickets* all of a customer's tickets, on whatever channel.
    """

    texts: Texts
    known: Mapping[str, SequenceSettings]
    opens: Callable[[datetime], datetime]
    setting: Callable[[str], Awaitable[str | None]]
    tickets: Callable[[int], Awaitable[Sequence[Ticket]]]

    async def __call__(self, turn: Turn) -> Outcome | None:
        match turn.inbounds[0].payload:
            case SequenceStartDue(sequence=name):
                return await self._begin(turn, name)
            case SequenceStepDue() as due:
                return await self._step(turn, due)
        return None

    async def _begin(self, turn: Turn, name: str) -> Outcome:
        """law: never two sequences at once, nor the same one again too soon, on whatever channel."""
        rules, customer = self.known.get(name), turn.customer
        if rules is None or customer is None or await self.setting(STOPPED + name):
            return Outcome(NAME, Result.IGNORED, "sequence_over")
        if wants_none(customer) or not turn.conversation.reachable:
            return Outcome(NAME, Result.IGNORED, "opted_out")
        if is_in_one(customer.fields, turn.now) or had_lately(rules, name, customer.fields, turn.now):
            return Outcome(NAME, Result.IGNORED, "in_a_sequence")
        whole = sum((length(s.after) or timedelta() for s in rules.steps), PATIENCE * len(rules.steps))
        marks = {
            ACTIVE: f"{name}|{(turn.now + whole).isoformat()}",
            last_of(name): turn.now.isoformat(),
        }
        return Outcome(
            NAME,
            Result.ANSWERED,
            "sequence_began",
            customer=replace(customer, fields={**customer.fields, **marks}),
            timers=(self._later(turn, rules, SequenceStepDue(name, 0, turn.now, turn.now)),),
            events=(Event("sequence_began", data={"number": name}),),
        )

    async def _step(self, turn: Turn, due: SequenceStepDue) -> Outcome:
        """law: the message, the next timer and the end are one transaction: each step comes once."""
        rules, customer = self.known.get(due.sequence), turn.customer
        if customer is None or is_in_one(customer.fields, due.began) != due.sequence:
            return Outcome(NAME, Result.IGNORED, "sequence_over")
        if rules is None or due.step >= len(rules.steps) or await self.setting(STOPPED + due.sequence):
            return _ended(customer, due, "stopped")
        if wants_none(customer) or not turn.conversation.reachable:
            return _ended(customer, due, "opted_out")
        if await self._is_needless(turn, customer, rules.steps[due.step].unless, due.began):
            return _ended(customer, due, "unless")
        busy = (
            turn.conversation.status is not Status.BOT
            or (turn.ticket is not None and turn.ticket.status != "closed")
            or any(t.state.followup == "open" for t in turn.past)  # a supervisor looks at a low rating
        )
        if busy and turn.now - due.planned > PATIENCE:
            return _ended(customer, due, "busy")
        rested = rests_until(customer.fields, turn.now, CHECKED_IN, ASK + ASKED)
        waits = turn.now + BUSY if busy else self.opens(rested)
        if waits > turn.now:
            again = Timer(_key(turn), due, waits, conversation=turn.conversation.id)
            return Outcome(NAME, Result.IGNORED, "sequence_waits", timers=(again,))
        return self._said(turn, customer, rules, due)

    async def _is_needless(
        self, turn: Turn, customer: Customer, unless: Sequence[str], began: datetime
    ) -> bool:
        """Whether something of *unless* has happened since, in this conversation or another of theirs."""
        if any(_holds(turn, customer, what, began) for what in unless):
            return True
        return "ticket" in unless and any(
            t.status != "closed" or (t.opened is not None and t.opened >= began)
            for t in await self.tickets(customer.id)
        )

    def _said(self, turn: Turn, customer: Customer, rules: SequenceSettings, due: SequenceStepDue) -> Outcome:
        language = customer.language or self.texts.lang
        text = words(self.texts, rules, due.step, customer, language, turn.now)
        stop = Button(self.texts.text("outreach.stop", lang=language), "news_off", f"s:{due.sequence}")
        # law: hearing it twice annoys more than not at all: what may have arrived is not sent again
        say = Outbound(
            turn.conversation.peer,
            text,
            ((stop,),),
            name=f"sequence:{due.sequence}:{due.step}",
            priority=Priority.BULK,
            on_uncertain="hold",
        )
        about = {"number": due.sequence, "step": due.step + 1, "channel": turn.conversation.peer.channel}
        event = Event("sequence_said", data=about)
        if text:
            fields = {**customer.fields, SEQUENCE_SAID: turn.now.isoformat()}
            customer = replace(customer, fields=fields)
        if due.step + 1 == len(rules.steps):
            ended = _ended(customer, due, "done")
            done = replace(ended, messages=(say,) if text else (), result=Result.ANSWERED)
            return replace(done, events=(*((event,) if text else ()), *ended.events))
        following = SequenceStepDue(due.sequence, due.step + 1, due.began, turn.now)
        return Outcome(
            NAME,
            Result.ANSWERED,
            "sequence_said",
            (say,) if text else (),
            customer=customer,
            timers=(self._later(turn, rules, following),),
            events=(event,) if text else (),
        )

    def _later(self, turn: Turn, rules: SequenceSettings, due: SequenceStepDue) -> Timer:
        planned = due.planned + (length(rules.steps[due.step].after) or timedelta())
        return Timer(_key(turn), replace(due, planned=planned), planned, conversation=turn.conversation.id)


def _key(turn: Turn) -> str:
    return f"sequence:{turn.conversation.id}"


def _holds(turn: Turn, customer: Customer, what: str, began: datetime) -> bool:
    """Whether something has happened that makes the step needless."""
    if what == "wrote":
        return wrote_since(turn, began)
    if what == "rated":
        return any(t.state.rated is not None and t.state.rated >= began for t in turn.past)
    if what == "ticket":
        return False  # asked of the store: an open one, and one of another channel, are not among the past
    name, sign, value = what.removeprefix("field:").partition("=")
    known = str(customer.fields.get(name) or "")
    return known.casefold() == value.casefold() if sign else bool(known)


def _ended(customer: Customer, due: SequenceStepDue, why: str) -> Outcome:
    fields = {k: v for k, v in customer.fields.items() if k != ACTIVE}
    event = Event("sequence_ended", data={"number": due.sequence, "why": why})
    return Outcome(
        NAME,
        Result.IGNORED,
        f"sequence_{why}",
        customer=replace(customer, fields=fields),
        events=(event,),
    )
