"""«Would you recommend us?», from 0 to 10, then one optional question; asked seldom, and never near another
survey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.config.handoff import NpsSettings as Rules
from bot.config.handoff import length
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.intent import IntentReader
from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import ShortAnswers, fold, language_of
from bot.dialogs.surveys.person_call import PersonCall
from bot.dialogs.surveys.survey import LONGEST, PATIENCE, SKEW, TYPED, stated, wrote_since
from bot.handoff.outreach.segment import wants_none
from bot.handoff.outreach.surveys import lately, moment
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
    Status,
    Turn,
)
from bot.model.internal import RecommendationDue

NAME = "nps"
SCALE = range(11)
DETRACTOR, PROMOTER = 6, 9  # up to the one, from the other
ROW = 6  # buttons in a row
ASKED_AT, SCORED = (
    "nps_asked",
    "nps_scored",
)  # where the customer's fields remember the last survey, and which one was answered
Tell = Callable[[Turn, int, str], tuple[Outbound, ...]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What was asked last: which survey (its moment), since when it waits, for a score or a comment, and the
    score.
    """

    survey: str
    at: datetime
    stage: str
    score: int = 0

    @classmethod
    def of(cls, turn: Turn) -> _Waiting | None:
        kept = turn.conversation.state.get(NAME)
        if not isinstance(kept, Mapping) or (at := moment(kept.get("at"))) is None:
            return None
        score = kept.get("score")
        return cls(
            str(kept.get("survey", "")),
            at,
            str(kept.get("stage", "")),
            score if isinstance(score, int) else 0,
        )

    def kept(self) -> Json:
        return {"survey": self.survey, "at": self.at.isoformat(), "stage": self.stage, "score": self.score}


class Nps:
    """Asks when its timer fires, and hears only what answers it.

    *tell* makes the word to the desk about a comment.
    """

    def __init__(self, texts: Texts, intent: IntentReader, rules: Rules, *, tell: Tell) -> None:
        self._speaker = ReplyContext(texts, NAME)
        self._texts, self._intent, self._rules, self._tell = texts, intent, rules, tell
        self._hearing, self._calls = ShortAnswers(texts), PersonCall(texts)

    async def __call__(self, turn: Turn) -> Outcome | None:
        if any(isinstance(i.payload, RecommendationDue) for i in turn.inbounds):
            return self._ask(turn)
        if turn.press is not None:
            return self._pressed(turn)
        waiting, text = _Waiting.of(turn), turn.text.strip()
        if waiting is None or not text or wrote_since(turn, waiting.at + SKEW):
            return None
        if waiting.stage == "score":
            score = _score(text) if turn.now - waiting.at <= TYPED else None
            return None if score is None else self._scored(turn, waiting.survey, score)
        if turn.now - waiting.at > PATIENCE:
            return None
        if self._hearing.means("skip", text) or self._hearing.means("no", text):
            return self._thanks(turn)
        return await self._commented(turn, waiting, text)

    def _ask(self, turn: Turn) -> Outcome:
        customer, quiet = turn.customer, length(self._rules.quiet) or timedelta()
        busy = turn.conversation.status is not Status.BOT or (
            turn.ticket is not None and turn.ticket.status != "closed"
        )
        if customer is None or busy or not turn.conversation.reachable or wants_none(customer):
            return Outcome(NAME, Result.IGNORED, "nps_not_now")
        closed = turn.past[0].closed if turn.past else None
        if (
            lately(self._rules, customer.fields, turn.now)
            or wrote_since(turn, turn.now - quiet)
            or (closed is not None and turn.now - closed < quiet)
        ):
            return Outcome(NAME, Result.IGNORED, "asked_lately")
        survey = turn.now.isoformat()
        buttons = [Button(str(n), "nps", f"{n}@{survey}") for n in SCALE]
        outcome = replace(
            said(turn, self._speaker, "nps.ask", buttons=(tuple(buttons[:ROW]), tuple(buttons[ROW:]))),
            reason="nps_asked",
            state=stated(turn, NAME, _Waiting(survey, turn.now, "score").kept()),
            events=(Event("nps_asked", data={"channel": turn.conversation.peer.channel}),),
        )
        # law: asking twice annoys more than not asking: what may have arrived waits for a person to settle
        say = tuple(replace(o, on_uncertain="hold") for o in outcome.messages)
        return replace(
            outcome, messages=say, customer=replace(customer, fields={**customer.fields, ASKED_AT: survey})
        )

    def _pressed(self, turn: Turn) -> Outcome | None:
        press = turn.press
        if press is None or press.action not in ("nps", "nps_skip"):
            return None
        if press.action == "nps_skip":
            return self._aside(turn, self._thanks(turn))
        score, _, survey = press.value.partition("@")
        return self._aside(turn, self._scored(turn, survey, int(score)))

    def _scored(self, turn: Turn, survey: str, score: int) -> Outcome:
        """The first answer to a survey counts; a newer survey closes an older one."""
        customer = turn.customer or Customer(0)
        if customer.fields.get(SCORED) == survey:
            return replace(said(turn, self._speaker, "nps.already"), reason="nps_already")
        if customer.fields.get(ASKED_AT) != survey:
            return replace(said(turn, self._speaker, "nps.over"), reason="nps_over")
        skip = Button(self._texts.text("buttons.skip", lang=language_of(turn, self._texts.lang)), "nps_skip")
        key = "nps.why_low" if score <= DETRACTOR else "nps.why"
        outcome = replace(
            said(turn, self._speaker, key, buttons=[skip], facts={"score": score}),
            reason="nps_scored",
            state=stated(turn, NAME, _Waiting(survey, turn.now, "comment", score).kept()),
            events=(Event("nps_scored", data={"score": score, "channel": turn.conversation.peer.channel}),),
        )
        return replace(
            outcome,
            customer=replace(customer, fields={**customer.fields, SCORED: survey}) if turn.customer else None,
        )

    async def _commented(self, turn: Turn, waiting: _Waiting, text: str) -> Outcome | None:
        act = (await self._intent(turn, DialogState.of(turn))).act
        if "?" in text or text.startswith("/") or (act is Intent.HUMAN and self._calls(text)):
            return None  # a question is not a comment
        outcome = self._thanks(turn)
        event = Event(
            "nps_commented", data={"score": waiting.score, "channel": turn.conversation.peer.channel}
        )
        return replace(
            outcome,
            messages=(*outcome.messages, *self._tell(turn, waiting.score, text[:LONGEST])),
            events=(event,),
        )

    def _thanks(self, turn: Turn) -> Outcome:
        return replace(
            said(turn, self._speaker, "nps.end"), reason="nps_ended", state=stated(turn, NAME, None)
        )

    def _aside(self, turn: Turn, outcome: Outcome) -> Outcome:
        """While an operator has the ticket a press is noted, and no further question asked."""
        if turn.conversation.status is Status.BOT:
            return outcome
        text = self._texts.say("nps.end", lang=language_of(turn, self._texts.lang))
        return replace(outcome, messages=(Outbound(turn.conversation.peer, text),), state=None)


def _score(text: str) -> int | None:
    found = fold(text)
    return int(found) if found.isdecimal() and int(found) in SCALE else None
