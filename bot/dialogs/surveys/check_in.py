"""Some days after a talk with a person: is all well? A no opens the same ticket again for whoever had it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import ShortAnswers, language_of
from bot.dialogs.surveys.rating import LOW
from bot.dialogs.surveys.survey import PATIENCE, SKEW, TYPED, stated, wrote_since
from bot.handoff.outreach.segment import wants_none
from bot.handoff.outreach.surveys import ASK, ASKED, CHECKED_IN, SEQUENCE_SAID, moment, rests_until
from bot.i18n.texts import Texts
from bot.model import Button, Customer, Event, Outcome, Priority, Result, Status, Ticket, Timer, Turn
from bot.model.internal import CheckInDue

NAME = "check_in"  # the survey's name
WELL, NOT_WELL = "all_well", "not_well"
Reopen = Callable[[Turn, Ticket], Outcome]


class CheckIn:
    """Asks when its timer fires, and hears only what answers it.

    *ticket* looks one up, *reopen* opens it again for its operator or team, *opens* tells from which moment
    people may be written to.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        ticket: Callable[[int], Awaitable[Ticket | None]],
        reopen: Reopen,
        opens: Callable[[datetime], datetime],
    ) -> None:
        self._speaker = ReplyContext(texts, NAME)
        self._texts, self._ticket, self._reopen, self._opens = texts, ticket, reopen, opens
        self._hearing = ShortAnswers(texts)

    async def __call__(self, turn: Turn) -> Outcome | None:
        if isinstance(due := turn.inbounds[0].payload, CheckInDue):
            return await self._ask(turn, due)
        if turn.press is not None:
            if turn.press.action not in (WELL, NOT_WELL) or not turn.press.value.isdecimal():
                return None
            return await self._answered(turn, int(turn.press.value), well=turn.press.action == WELL)
        waiting = turn.conversation.state.get(NAME)
        asked = moment(waiting.get("at")) if isinstance(waiting, Mapping) else None
        if not isinstance(waiting, Mapping) or asked is None or turn.now - asked > TYPED:
            return None
        agreed = self._hearing.agreement(turn.text) if not wrote_since(turn, asked + SKEW) else ""
        if not agreed or not isinstance(number := waiting.get("ticket"), int):
            return None
        return await self._answered(turn, number, well=agreed == "yes")

    async def _ask(self, turn: Turn, due: CheckInDue) -> Outcome:
        ticket = await self._ticket(due.ticket)
        if ticket is None or (why := _over(turn, ticket, due.closed)):
            return Outcome(NAME, Result.IGNORED, "ticket_over" if ticket is None else why)
        customer = turn.customer or Customer(0)
        rested = rests_until(customer.fields, turn.now, SEQUENCE_SAID, ASK + ASKED)
        if (opens := self._opens(rested)) > turn.now:
            again = Timer(f"check_in:{ticket.number}", due, opens, conversation=turn.conversation.id)
            return Outcome(NAME, Result.IGNORED, "check_in_waits", timers=(again,))
        language = language_of(turn, self._texts.lang)
        row = tuple(
            Button(self._texts.text(f"aftercare.button.{what}", lang=language), what, str(ticket.number))
            for what in (WELL, NOT_WELL)
        )
        facts = {"number": ticket.number, "topic": ticket.topic, "closed": ticket.closed}
        outcome = said(turn, self._speaker, "aftercare.check_in", buttons=(row,), facts=facts)
        # law: asked once: what may have arrived is not asked again, and nobody's answer waits for it
        say = tuple(
            replace(o, on_uncertain="hold", priority=Priority.BULK, ticket=ticket.number)
            for o in outcome.messages
        )
        waits = {"ticket": ticket.number, "at": turn.now.isoformat()}
        event = Event("check_in_asked", ticket=ticket.number, actor=ticket.operator)
        return replace(
            outcome,
            reason="check_in_asked",
            messages=say,
            state=stated(turn, NAME, waits),
            events=(event,),
            customer=replace(customer, fields={**customer.fields, CHECKED_IN: turn.now.isoformat()}),
        )

    async def _answered(self, turn: Turn, number: int, *, well: bool) -> Outcome:
        ticket = await self._ticket(number)
        if ticket is None or ticket.conversation != turn.conversation.id or ticket.status != "closed":
            return replace(said(turn, self._speaker, "aftercare.over"), reason="check_in_over")
        event = Event("check_in_answered", ticket=number, actor=ticket.operator, data={"helped": well})
        if well:
            outcome = said(turn, self._speaker, "aftercare.well")
            return replace(outcome, reason=WELL, state=stated(turn, NAME, None), events=(event,))
        opened = self._reopen(turn, ticket)
        if turn.ticket is None or turn.ticket.status == "closed":
            return replace(opened, events=(*opened.events, event))
        outcome = said(
            turn, self._speaker, "aftercare.open_already"
        )  # whoever answers there is told
        say = (*outcome.messages, *opened.messages)
        return replace(
            outcome, reason=NOT_WELL, messages=say, state=stated(turn, NAME, None), events=(event,)
        )


def _over(turn: Turn, ticket: Ticket, closed: datetime) -> str:
    """Why the customer is not asked; "" = they are."""
    if ticket.closed is None or abs(ticket.closed - closed) > timedelta(seconds=1):
        return "ticket_over"
    if turn.conversation.status is not Status.BOT or not turn.conversation.reachable:
        return "check_in_not_now"
    if turn.customer is None or wants_none(turn.customer):
        return "opted_out"
    if ticket.rating is not None and ticket.rating <= LOW:
        return "low_rating"  # a supervisor looks at it
    # the rating and the words to it are no new question
    since = ticket.state.rated + PATIENCE if ticket.state.rated else closed
    return "customer_returned" if wrote_since(turn, since) else ""
