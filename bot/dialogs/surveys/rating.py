"""After a person has helped: how it was, from 1 to 5, one optional question more, and never again too
soon.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.intent import IntentReader
from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import ShortAnswers, fold, language_of
from bot.dialogs.surveys.person_call import PersonCall
from bot.dialogs.surveys.survey import LONGEST, PATIENCE, SKEW, TYPED, stated, wrote_since
from bot.dialogs.surveys.thanks import Thanks
from bot.handoff.outreach.surveys import asked_lately, moment
from bot.handoff.tickets import lifecycle
from bot.i18n.texts import Texts
from bot.model import (
    Button,
    Customer,
    Event,
    Intent,
    Json,
    Outbound,
    Outcome,
    Result,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import LowRatingSettled, RatingDue

NAME = "rating"  # the survey's name
SCALE = (1, 2, 3, 4, 5)
LOW = 2  # up to this a supervisor is told
ALARM = "rating.alarm"  # begins the key of the timer that tells the supervisors of a low score
ASKED = "rating_asked"  # where the customer's fields remember the day of the last request


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What was asked last, as the state keeps it: which ticket, when, and whether a score or a comment."""

    ticket: int
    at: datetime
    stage: str

    @classmethod
    def of(cls, turn: Turn) -> _Waiting | None:
        kept = turn.conversation.state.get("rating")
        if not isinstance(kept, Mapping) or not isinstance(number := kept.get("ticket"), int):
            return None
        at = moment(kept.get("at"))
        return None if at is None else cls(number, at, str(kept.get("stage", "")))

    def kept(self) -> Json:
        return {"ticket": self.ticket, "at": self.at.isoformat(), "stage": self.stage}


Tell = Callable[[Turn, Ticket, int], tuple[tuple[Outbound, ...], tuple[Timer, ...]]]


@dataclass(frozen=True, slots=True)
class RatingPauses:
    """A customer is asked again after `between`, and never within `apart` of the other survey.

    Supervisors hear of a low score after `settles`; until then the customer may correct it.
    """

    between: timedelta = timedelta(days=30)
    apart: timedelta = timedelta(days=14)
    settles: timedelta = timedelta(minutes=3)
    asks: bool = True  # whether anybody is asked


class Rating:
    """Stands before all other dialogs and leaves everything to them that does not answer its own question.

    *ticket* looks a ticket up by its number; *tell* makes the word to the supervisors in the ticket's topic,
    with the timer that reminds of it. *thanks* is said above the question, or alone where nobody is asked.
    """

    def __init__(
        self,
        texts: Texts,
        intent: IntentReader,
        *,
        ticket: Callable[[int], Awaitable[Ticket | None]],
        tell: Tell,
        pauses: RatingPauses | None = None,
        thanks: Thanks | None = None,
    ) -> None:
        pauses = pauses or RatingPauses()
        self._speaker = ReplyContext(texts, "rating")
        self._texts, self._intent, self._ticket, self._tell = texts, intent, ticket, tell
        self._pause, self._apart, self._settles = pauses.between, pauses.apart, pauses.settles
        self._hearing, self._calls = ShortAnswers(texts), PersonCall(texts)
        self._thanking, self._asks = thanks, pauses.asks

    async def __call__(self, turn: Turn) -> Outcome | None:
        match turn.inbounds[0].payload:
            case RatingDue() as due:
                return await self._ask(turn, due)
            case LowRatingSettled(ticket=number):
                return await self._alarm(turn, number)
        if turn.press is not None:
            return await self._pressed(turn)
        waiting, text = _Waiting.of(turn), turn.text.strip()
        if waiting is None or not text or wrote_since(turn, waiting.at + SKEW):
            return None
        if waiting.stage == "score":
            score = _score(text) if turn.now - waiting.at <= TYPED else None
            return await self._rated(turn, await self._ticket(waiting.ticket), score) if score else None
        if turn.now - waiting.at > PATIENCE:
            return None
        if (
            (score := _score(text))
            and (rated := await self._ticket(waiting.ticket)) is not None
            and self._may_correct(rated, turn.now)
        ):
            return await self._rated(turn, rated, score)
        if self._hearing.means("skip", text) or self._hearing.means("no", text):
            return self._thanks(turn)
        return await self._commented(turn, waiting, text)

    # --- asking

    async def _ask(self, turn: Turn, due: RatingDue) -> Outcome:
        ticket, closed = await self._ticket(due.ticket), due.closed
        if (
            ticket is None
            or ticket.closed is None
            or (turn.ticket is not None and turn.ticket.status != "closed")
        ):
            return Outcome("rating", Result.IGNORED, "ticket_open")
        if (
            ticket.rating is not None
            or abs(ticket.closed - closed) > timedelta(seconds=1)
            or not turn.conversation.reachable
        ):
            return Outcome("rating", Result.IGNORED, "rating_over")
        if wrote_since(turn, closed):
            return Outcome("rating", Result.IGNORED, "customer_returned")
        customer = turn.customer or Customer(0)
        thanks = self._thanking.words(turn, ticket) if self._thanking else ()
        lately = asked_lately(customer.fields, turn.now, NAME, self._pause, self._apart)
        if lately or not self._asks:
            alone = self._thanking.alone(turn, due, ticket) if self._thanking else None
            return alone or Outcome("rating", Result.IGNORED, "asked_lately" if lately else "not_asked")
        language = language_of(turn, self._texts.lang)
        buttons = (
            tuple(
                Button(self._texts.text(f"rating.button.{n}", lang=language), "rate", f"{ticket.number}#{n}")
                for n in SCALE
            ),
        )
        outcome = replace(
            said(
                turn,
                self._speaker,
                *thanks,
                "rating.ask",
                buttons=buttons,
                facts={"number": ticket.number, "operator": ticket.operator_name},
            ),
            reason="rating_asked",
            state=stated(turn, NAME, _Waiting(ticket.number, turn.now, "score").kept()),
            events=(Event("rating_asked", ticket=ticket.number, actor=ticket.operator),),
        )
        # law: asking twice annoys more than not asking: what may have arrived waits for a person to settle
        say = tuple(replace(o, on_uncertain="hold", ticket=ticket.number) for o in outcome.messages)
        asked = replace(customer, fields={**customer.fields, ASKED: turn.now.isoformat()})
        return replace(outcome, messages=say, customer=asked if turn.customer else None)

    # --- hearing

    async def _pressed(self, turn: Turn) -> Outcome | None:
        press = turn.press
        if press is None or press.action not in ("rate", "rating_skip"):
            return None
        if press.action == "rating_skip":
            return self._thanks(turn)
        number, _, score = press.value.partition("#")
        ticket = await self._ticket(int(number)) if number.isdecimal() else None
        return await self._rated(turn, ticket, _score(score))

    async def _rated(self, turn: Turn, ticket: Ticket | None, score: int | None) -> Outcome:
        if ticket is None or score is None or ticket.conversation != turn.conversation.id:
            return replace(said(turn, self._speaker, "rating.over"), reason="rating_over")
        if ticket.rating is not None and (ticket.rating == score or not self._may_correct(ticket, turn.now)):
            return replace(said(turn, self._speaker, "rating.already"), reason="rated_already")
        language = language_of(turn, self._texts.lang)
        skip = Button(self._texts.text("buttons.skip", lang=language), "rating_skip", str(ticket.number))
        first = (ticket.state.rated if ticket.rating is not None else None) or turn.now
        key = f"{ALARM}:{ticket.number}"
        alarm = (Timer(key, LowRatingSettled(ticket.number), first + self._settles),) if score <= LOW else ()
        outcome = replace(
            said(
                turn,
                self._speaker,
                "rating.sorry" if score <= LOW else "rating.thanks",
                buttons=[skip],
                facts={"score": score},
            ),
            reason="rated",
            state=stated(turn, NAME, _Waiting(ticket.number, turn.now, "comment").kept()),
            events=(Event("rated", ticket=ticket.number, actor=ticket.operator, data={"rating": score}),),
        )
        rated = lifecycle.rated(ticket, score, first)
        return replace(outcome, timers=alarm, cancel=() if alarm else (key,), ticket=rated)

    def _may_correct(self, ticket: Ticket, now: datetime) -> bool:
        """Until the supervisors would have been told."""
        first = ticket.state.rated
        return first is not None and abs(now - first) < self._settles and not ticket.state.followup

    async def _alarm(self, turn: Turn, number: int) -> Outcome:
        """The score has settled: the supervisors hear of it as it is now."""
        ticket = await self._ticket(number)
        if ticket is None or ticket.rating is None or ticket.rating > LOW or ticket.state.followup:
            return Outcome("rating", Result.IGNORED, "rating_over")
        told, later = self._tell(turn, ticket, ticket.rating)
        event = Event(
            "low_rating", ticket=ticket.number, actor=ticket.operator, data={"rating": ticket.rating}
        )
        return Outcome(
            "rating",
            Result.ANSWERED,
            "low_rating",
            told,
            ticket=lifecycle.followup_opened(ticket),
            timers=later,
            events=(event,),
        )

    async def _commented(self, turn: Turn, waiting: _Waiting, text: str) -> Outcome | None:
        act = (await self._intent(turn, DialogState.of(turn))).act
        if "?" in text or text.startswith("/") or (act is Intent.HUMAN and self._calls(text)):
            return None  # a question is not a comment
        ticket = await self._ticket(waiting.ticket)
        if ticket is None or (ticket.status != "closed"):
            return None
        outcome = self._thanks(turn)
        event = Event("rating_commented", ticket=ticket.number, actor=ticket.operator)
        commented = lifecycle.commented(ticket, text[:LONGEST])
        # before that the alarm brings the words along
        is_told = ticket.rating is not None and bool(ticket.state.followup)
        told = self._tell(turn, commented, ticket.rating or 0)[0] if is_told else ()
        return replace(outcome, ticket=commented, events=(event,), messages=(*outcome.messages, *told))

    def _thanks(self, turn: Turn) -> Outcome:
        return replace(
            said(turn, self._speaker, "rating.end"), reason="rating_ended", state=stated(turn, NAME, None)
        )


def _score(text: str) -> int | None:
    """1 to 5, said as a number or as stars."""
    if text and set(text.replace(" ", "").replace("\ufe0f", "")) == {"⭐"}:
        return min(text.count("⭐"), SCALE[-1])
    found = fold(text)
    return int(found) if found in {str(n) for n in SCALE} else None
