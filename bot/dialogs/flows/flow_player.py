"""Goes through the steps of a flow until the next question or the end, and makes the outcome of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.config.handoff import length
from bot.dialogs.consent import Consent
from bot.dialogs.flows.connector import Connector, ConnectorFailed, key_of, request_of, taken
from bot.dialogs.flows.flow_answers import asked_field
from bot.dialogs.flows.flow_file import END, PERSON, FlowCase, FlowFile, FlowStep, spoken
from bot.dialogs.flows.flow_run import NAME, FlowRun, expiry, without_run
from bot.dialogs.flows.flow_templates import UnfitValue, filled
from bot.dialogs.flows.one_time_code import PER_DAY, SENT, OneTimeCode, code_for, hidden, sent_lately
from bot.dialogs.open_question import with_question
from bot.dialogs.protocols import Escalation
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.model import (
    Button,
    Customer,
    Event,
    Outbound,
    Outcome,
    Peer,
    Result,
    RichText,
    Rows,
    Timer,
    Turn,
)
from bot.model.internal import DialogTimer

STEPS = 200  # of one turn; `endless` finds what would need more
CONSENT = "consent"  # stands in a run's code: the notice waits for its answer
SHORT = 8  # characters of a run's key that a button carries
ANSWERED, STARTED, ENDED = "questionnaire_answered", "flow_started", "flow_ended"
MARK = "_q_"  # begins the customer's fields that keep what became of a questionnaire

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FlowContext:
    """What a flow acts with. *show* tells an article by its id, None where there is none; *secret* makes
    codes that nobody guesses.
    """

    texts: Texts
    connector: Connector
    escalate: Escalation
    show: Callable[[Turn, str], Outcome | None]
    secret: bytes
    consent: Consent
    opens: Callable[[datetime], datetime] = lambda now: now


@dataclass(slots=True)
class FlowPlayer:
    """One turn of a flow: what was said and done in it so far."""

    tools: FlowContext
    turn: Turn
    flow: FlowFile
    run: FlowRun
    says: list[RichText | str] = field(default_factory=list)
    aside: list[Outbound] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    customer: Customer | None = None

    def __post_init__(self) -> None:
        self.customer = self.turn.customer

    # --- going on

    async def go_on(self, place: int) -> Outcome:
        """From the step *place* to the next question, or to the end."""
        for _ in range(STEPS):
            if place >= len(self.flow.steps):
                return self.ended()
            step, name = self.flow.steps[place], self.flow.named(place)
            first = not self.run.visits.get(name)
            self.run = replace(self.run.came_to(name), step=place, tries=0, code={})
            match step.kind:
                case "say":
                    self.says.append(self.words(step.say or ""))
                case "set":
                    self._keep({k: filled(v, self.plain()) for k, v in (step.set or {}).items()})
                case "when":
                    found = next((c for c in step.when or () if self._holds(c)), None)
                    if found is not None:
                        place = self._place(found.go)
                        if place < 0:
                            return self._out(found.go)
                        continue
                case "ask" if (held := self.held(place)) is not None:
                    if held:
                        return self.consent_asked()
                    self.answered(step, name, "")
                case "ask":
                    if not first or (known := self._known(step, name)) is None:
                        return self.asked()
                    self.answered(step, name, known)
                case "http":
                    target = await self._called(step, name)
                    if target is not None:
                        if (place := self._place(target)) < 0:
                            return self._out(target)
                        continue
                case "code":
                    return await self.code_sent()
                case "article":
                    return self._article(step)
                case "person":
                    return self.handed_over(step.person)
                case "end":
                    return self.ended(step.end)
            if step.go is not None:
                if (place := self._place(step.go)) < 0:
                    return self._out(step.go)
            else:
                place += 1
        raise RuntimeError(f"flow {self.flow.name} found no end")

    async def follow(self, step: FlowStep, target: str | None) -> Outcome:
        """On after an answer to *step*: to *target*, else to where the step leads."""
        name = target or step.go
        place = self.run.step + 1 if name is None else self._place(name)
        return await self.go_on(place) if place >= 0 else self._out(name or END)

    def answered(self, step: FlowStep, name: str, value: str) -> None:
        """The answer is known from here on."""
        self.run = self.run.knows({name: value})
        if step.field and value:
            self._keep({step.field: value})
        if self.flow.questionnaire is not None:
            self.events.append(Event(ANSWERED, data=self._noted(step, name, value)))

    def _noted(self, step: FlowStep, name: str, value: str) -> dict[str, object]:
        """An answer as the results count it: words stay where all words are, in the turn."""
        data: dict[str, object] = {"flow": self.flow.name, "number": self.run.sending, "step": name}
        if step.type in ("choice", "number") or not value:
            return {**data, "option": value}
        return {**data, "turn": self.turn.id}

    # --- consent

    def held(self, place: int) -> bool | None:
        """Whether consent has to be asked for before the question (True), or the question is left out since
        they said no (False); None = it may be asked.
        """
        customer, field = self.customer, asked_field(self.flow, place)
        if customer is None or customer.fields.get(field.name):
            return None
        if self.tools.consent.is_asked_before(field, customer):
            return True
        return False if self.tools.consent.forbids(field, customer) else None

    def consent_asked(self, tries: int = 0) -> Outcome:
        """The notice, in place of the question that follows a yes."""
        notice, facts, rows = self.tools.consent.notice(self.turn)
        self.run = replace(self.run, code={CONSENT: True}, tries=tries)
        words = [
            self.tools.texts.say(t, lang=self.language, **facts) if isinstance(t, str) else t
            for t in (notice,)
        ]
        self.says += words
        mark = f"{self.run.key[:SHORT]}#{self.run.step}"
        cancel = Button(self.tools.texts.text("buttons.cancel", lang=self.language), "flow_cancel", mark)
        return self._waiting((*rows, (cancel,)))

    async def consented(self, said: bool | None) -> Outcome:
        """On after the answer to the notice; None = neither yes nor no: the question is left out."""
        step, name = self.flow.steps[self.run.step], self.flow.named(self.run.step)
        if said is not None and self.customer is not None:
            consent = self.tools.consent
            record = (consent.given if said else consent.refused)(self.turn, self.customer)
            self.customer = record.customer
            self.events.append(record.event)
        if said:
            visits = {k: v for k, v in self.run.visits.items() if k != name}
            self.run = replace(self.run, visits=visits)
            return await self.go_on(self.run.step)
        self.answered(step, name, "")
        return await self.follow(step, None)

    # --- questions

    def asked(self, *opening: RichText | str, tries: int = 0) -> Outcome:
        """The question of the step the run is at; it waits for the answer."""
        step = self.flow.steps[self.run.step]
        self.run = replace(self.run, tries=tries)
        hint: list[RichText | str] = [] if step.pattern else [f"flow.hint.{step.type}"]
        if tries and step.kind == "ask":
            hint = []
        question = [self.words(step.ask)] if step.ask is not None else []
        self.says += [*opening, *question, *hint]
        return self._waiting(self._buttons(step))

    def _buttons(self, step: FlowStep) -> Rows:
        texts, language = self.tools.texts, self.language
        mark = f"{self.run.key[:SHORT]}#{self.run.step}"
        rows = [
            (Button(spoken(option.text, language), "flow_pick", f"{mark}#{i}"),)
            for i, option in enumerate(step.options)
        ]
        below = []
        if step.optional:
            below.append(Button(texts.text("buttons.skip", lang=language), "flow_skip", mark))
        if step.kind == "code":
            below.append(Button(texts.text("flow.again", lang=language), "flow_again", mark))
        below.append(Button(texts.text("buttons.cancel", lang=language), "flow_cancel", mark))
        if self.run.tries:
            return (*rows, tuple(below), (human_button(self.turn, texts),))
        return (*rows, tuple(below))

    def _waiting(self, buttons: Rows) -> Outcome:
        """What was said, with the question open and its timer set."""
        turn = self.turn
        outcome = said(turn, ReplyContext(self.tools.texts, NAME), *self.says, buttons=buttons)
        state = with_question(outcome.state or {}, self.run.question(), turn.now)
        patience = length(self.flow.expires) or timedelta(minutes=30)
        timer = Timer(expiry(turn), DialogTimer(NAME, "expires", {"run": self.run.key}), turn.now + patience)
        asking = replace(outcome, result=Result.CLARIFIED, reason="flow", state=state, timers=(timer,))
        return self._done(asking)

    # --- steps

    def _known(self, step: FlowStep, name: str) -> str | None:
        """An answer that need not be asked for: told at the start, or kept with the customer."""
        if not step.known:
            return None
        if value := self.run.known.get(name):
            return value
        kept = self.customer.fields.get(step.field) if self.customer and step.field else None
        return str(kept) if kept else None

    def _holds(self, case: FlowCase) -> bool:
        if case.answer is None and case.field is None:
            return True
        fields = self.customer.fields if self.customer else {}
        value = self.run.known.get(case.answer, "") if case.answer else str(fields.get(case.field or "", ""))
        if case.known is not None and case.known is not bool(value):
            return False
        if case.equals and value.casefold() not in {v.casefold() for v in case.equals}:
            return False
        if case.below is None and case.above is None:
            return True
        number = _number(value)
        if number is None or (case.below is not None and number >= case.below):
            return False
        return case.above is None or number > case.above

    async def _called(self, step: FlowStep, name: str) -> str | None:
        """Where the answer of another system leads; None = to the next step."""
        assert step.http is not None
        key = key_of(self.run.key, name, self.run.visits.get(name, 0))
        try:
            answer = await self.tools.connector.call(request_of(step.http, self.plain(), key))
        except (ConnectorFailed, UnfitValue) as error:
            log.warning("flow %s, step %s: the call failed (%s)", self.flow.name, name, type(error).__name__)
            self._fell(name)
            return step.failed or PERSON
        if (target := step.on.get(str(answer.status))) is not None:
            self.run = self.run.knows(taken(step.take, answer.json))
            return target
        if answer.status == 404:
            return step.not_found or PERSON
        if not 200 <= answer.status < 300:
            log.warning("flow %s, step %s: HTTP %s", self.flow.name, name, answer.status)
            self._fell(name)
            return step.failed or PERSON
        self.run = self.run.knows(taken(step.take, answer.json))
        return None

    def _fell(self, name: str) -> None:
        self.events.append(Event("flow_call_failed", data={"flow": self.flow.name, "step": name}))

    async def code_sent(self) -> Outcome:
        """A code goes out, and is asked for; without a way to send it the flow goes on where it fails."""
        step, name = self.flow.steps[self.run.step], self.flow.named(self.run.step)
        code, turn = step.code, self.turn
        assert code is not None
        lately = sent_lately(self.customer.fields.get(SENT) if self.customer else (), turn.now)
        if len(lately) >= PER_DAY:
            self.says.append("flow.code.too_many")
            return await self.follow(step, step.failed or PERSON)
        key = key_of(self.run.key, name, self.run.visits.get(name, 0), len(lately))
        digits = code_for(self.tools.secret, key)
        if not await self._sent(step, digits, key):
            return await self.follow(step, step.failed or PERSON)
        self._keep({SENT: [*lately, turn.now.isoformat()]})
        until = turn.now + timedelta(minutes=code.minutes)
        kept = OneTimeCode(hidden(digits, self.tools.secret, key), until, code.tries).kept()
        self.run = replace(self.run, code={**kept, "key": key})
        return self.asked("flow.code.ask" if code.send else "flow.code.ask_linked")

    async def _sent(self, step: FlowStep, digits: str, key: str) -> bool:
        code = step.code
        assert code is not None
        if code.send is None:
            if (other := self._other_chat()) is None:
                return False
            text = self.tools.texts.say(
                "flow.code.sent", lang=self.language, code=digits, minutes=code.minutes
            )
            self.aside.append(Outbound(other, text, author=""))
            return True
        to = self.run.known.get(code.to or "") or str(
            (self.customer.fields.get(code.to or "") if self.customer else "") or ""
        )
        if not to:
            return False
        try:
            known = {**self.plain(), "to": to, "code": digits}
            answer = await self.tools.connector.call(request_of(code.send, known, key))
        except (ConnectorFailed, UnfitValue) as error:
            log.warning("flow %s: the code was not sent (%s)", self.flow.name, type(error).__name__)
            return False
        return 200 <= answer.status < 300

    def _other_chat(self) -> Peer | None:
        """Another chat of the same customer, which they have proved to be theirs by linking it."""
        here = self.turn.conversation.peer
        peers = self.customer.peers if self.customer else ()
        return next((p for p in peers if p.channel != here.channel), None)

    def _article(self, step: FlowStep) -> Outcome:
        shown = self.tools.show(self.turn, step.article or "")
        if shown is None:
            return self.handed_over(True)
        before, state = self._opening(()), without_run(shown.state or {})
        shown = replace(shown, messages=(*before, *shown.messages), dialog=NAME, state=state)
        return self._done(replace(shown, cancel=(expiry(self.turn),)), "article")

    def _out(self, name: str) -> Outcome:
        return self.handed_over(True) if name == PERSON else self.ended()

    # --- ends

    def ended(self, words: str | Mapping[str, str] | bool | None = None) -> Outcome:
        """The flow is over, and what else was asked before, too."""
        if isinstance(words, str | Mapping):
            self.says.append(self.words(words))
        elif not self.says:
            self.says.append("flow.done")
        return self._finished("done", *self.says)

    def left(self, key: str, how: str) -> Outcome:
        """The flow ends unfinished; *key* are the words."""
        return self._finished(how, key)

    def _finished(self, how: str, *texts: RichText | str) -> Outcome:
        turn = self.turn
        facts = {"title": self.flow.called(self.language)}
        outcome = said(turn, ReplyContext(self.tools.texts, NAME), *texts, facts=facts)
        if self.flow.questionnaire is not None and self.run.sending:
            self._keep({MARK + self.run.sending: how})
        state = without_run(outcome.state or {})
        over = replace(outcome, reason=f"flow_{how}", state=state, cancel=(expiry(turn),))
        return self._done(over, how)

    def handed_over(self, words: str | Mapping[str, str] | bool | None, reason: str = "flow") -> Outcome:
        """A person goes on; what is known goes with the conversation."""
        if isinstance(words, str | Mapping):
            self.says.append(self.words(words))
        asked = self.run.question()
        state = with_question(self.turn.conversation.state, asked, self.turn.now)
        there = replace(
            self.turn, conversation=replace(self.turn.conversation, state=state), customer=self.customer
        )
        outcome = self.tools.escalate(there, reason=reason)
        changed = outcome.customer or (self.customer if self.customer != self.turn.customer else None)
        return replace(
            outcome,
            customer=changed,
            messages=(*self._opening(()), *self.aside, *outcome.messages),
            events=(*self.events, *outcome.events),
        )

    def _opening(self, buttons: Rows) -> tuple[Outbound, ...]:
        """What was said before somebody else goes on."""
        if not self.says:
            return ()
        return said(self.turn, ReplyContext(self.tools.texts, NAME), *self.says, buttons=buttons).messages

    def _done(self, outcome: Outcome, how: str = "") -> Outcome:
        """With what a turn of a flow leaves besides its words; *how* it ended, "" = it goes on."""
        if how:
            self.events.append(Event(ENDED, data=self._about({"ending": how, "step": self.run.step + 1})))
        return replace(
            outcome,
            messages=(*self.aside, *outcome.messages),
            events=(*outcome.events, *self.events),
            customer=self.customer if self.customer != self.turn.customer else None,
        )

    def started(self) -> None:
        self.events.append(Event(STARTED, data=self._about({})))

    def _about(self, data: Mapping[str, object]) -> dict[str, object]:
        sending = {"number": self.run.sending} if self.run.sending else {}
        return {"flow": self.flow.name, **sending, **data}

    # --- what is known

    @property
    def language(self) -> str:
        return language_of(self.turn, self.tools.texts.lang)

    def words(self, markdown: str | Mapping[str, str]) -> RichText:
        """Words of the file in the customer's language, with what is known."""
        known = {**dict.fromkeys(self.flow.answers, ""), **self.run.known}
        return self.tools.texts.filled(
            spoken(markdown, self.language),
            lang=self.language,
            **{**known, "customer": self.customer, "now": self.turn.now},
        )

    def plain(self) -> dict[str, str]:
        """What is known as bare values, for addresses and bodies."""
        known = self.customer or Customer(0)
        fields = {f"customer.{k}": str(v) for k, v in known.fields.items() if not k.startswith("_")}
        about = {"customer.name": known.name, "customer.language": self.language}
        return {**fields, **about, **self.run.known}

    def _keep(self, more: Mapping[str, object]) -> None:
        if self.customer is not None:
            self.customer = replace(self.customer, fields={**self.customer.fields, **more})

    def _place(self, name: str) -> int:
        """The number of a step; below 0 where it is no step."""
        found = self.flow.place(name)
        return -1 if found is None else found


def _number(value: str) -> float | None:
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return None
