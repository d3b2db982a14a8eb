"""The dialog that plays the flows of the owner's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.dialogs.consent import NO, YES
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.faq import Faq
from bot.dialogs.flows.connector import key_of
from bot.dialogs.flows.flow_answers import read, told_at_start
from bot.dialogs.flows.flow_file import PERSON, FlowFile, FlowStep, by_language, spoken
from bot.dialogs.flows.flow_player import CONSENT, MARK, SHORT, FlowContext, FlowPlayer
from bot.dialogs.flows.flow_run import NAME, FlowRun, run_of, without_run
from bot.dialogs.flows.one_time_code import OneTimeCode, looks_like_code
from bot.dialogs.intent import is_own_question
from bot.dialogs.open_question import with_question
from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import ShortAnswers, language_of
from bot.handoff.outreach.questionnaires import KEY, REMIND, START, Questionnaire
from bot.handoff.outreach.segment import wants_none
from bot.model import (
    Button,
    Event,
    InboundKind,
    Outbound,
    Outcome,
    Press,
    Priority,
    Result,
    Status,
    Timer,
    Turn,
)
from bot.model.internal import DialogTimer
from bot.text.markdown import join

TRIES = 3  # wrong answers to one question before a person is called
LONGEST = 300  # characters; whoever writes more does not ask for a flow
BETWEEN = "\n"  # in the value of a button that begins a flow: its name, the questionnaire's number

Saying = Callable[[Sequence[str], Sequence[str]], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class FlowHearing:
    """What customers' words are understood with: whether a text says a phrase, and whether an article
    answers it.
    """

    saying: Saying
    faq: Faq


class DeclaredFlows:
    """Hears what begins a flow, its own buttons, and the answers to its questions.

    A question that an article surely answers is answered in between, and the flow asks again.
    """

    def __init__(self, flows: Mapping[str, FlowFile], tools: FlowContext, hearing: FlowHearing) -> None:
        self._flows, self._tools, self._hearing = flows, tools, hearing
        self._texts = tools.texts
        self._short = ShortAnswers(tools.texts)
        self._speaker = ReplyContext(tools.texts, NAME)

    async def __call__(self, turn: Turn) -> Outcome | None:
        if isinstance(timer := turn.inbounds[0].payload, DialogTimer):
            return self._due(turn, timer)
        if any(i.kind is InboundKind.INTERNAL for i in turn.inbounds):
            return None
        if any(i.kind is InboundKind.START for i in turn.inbounds):
            return await self._linked(turn)
        run, text = run_of(turn), turn.text.strip()
        if turn.press is not None and not text:
            return await self._pressed(turn, turn.press, run)
        if run is not None:
            return await self._heard(turn, run, text)
        flow = await self._meant(turn, text) if text else None
        return await self._begun(turn, flow) if flow is not None else None

    def buttons(self, turn: Turn) -> list[Button]:
        """What the menu of sections shows."""
        language = language_of(turn, self._texts.lang)
        return [
            Button(spoken(flow.start.menu, language), START, flow.name)
            for flow in self._flows.values()
            if flow.start.menu is not None
        ]

    # --- beginning

    async def _linked(self, turn: Turn) -> Outcome | None:
        """A deep link that ends in the flow's command."""
        payload = next((i.text.strip().lower() for i in turn.inbounds if i.kind is InboundKind.START), "")
        flow = next((f for f in self._flows.values() if payload and f.start.command == payload), None)
        return await self._begun(turn, flow) if flow is not None else None

    async def _meant(self, turn: Turn, text: str) -> FlowFile | None:
        """The flow that the words begin."""
        if text.startswith("/"):
            command = text[1:].split("@")[0].lower()
            return next((f for f in self._flows.values() if f.start.command == command), None)
        if len(text) > LONGEST:
            return None
        for flow in self._flows.values():
            if is_own_question(text, flow.start.examples):
                return flow
        for flow in self._flows.values():
            if flow.start.words and self._hearing.saying((text,), flow.start.words)[0]:
                own = await self._hearing.faq.is_sure(turn, text, own_words=True)
                return None if own else flow
        return None

    async def _begun(self, turn: Turn, flow: FlowFile, sending: str = "") -> Outcome:
        first = turn.inbounds[0]
        run = FlowRun(
            flow.name, key_of(turn.conversation.id, first.peer.channel, first.key), sending=sending
        ).knows(told_at_start(flow, turn.text))
        player = FlowPlayer(self._tools, self._alone(turn), flow, run)
        player.started()
        return await player.go_on(0)

    def _alone(self, turn: Turn) -> Turn:
        """The turn without a flow that was under way: another one begins, or this one goes on."""
        state = without_run(turn.conversation.state)
        return replace(turn, conversation=replace(turn.conversation, state=state))

    # --- answers

    async def _pressed(self, turn: Turn, press: Press, run: FlowRun | None) -> Outcome | None:
        if press.action == START:
            return await self._start_pressed(turn, press.value)
        if press.action in (YES, NO):
            return await self._consent_pressed(turn, press, run)
        if not press.action.startswith("flow_"):
            return None
        mark, _, rest = press.value.partition("#")
        flow = self._flows.get(run.flow) if run is not None else None
        here = run is not None and run.key.startswith(mark) and len(mark) == SHORT
        if run is None or flow is None or not here:
            return replace(said(turn, self._speaker, "flow.old"), reason="flow_old", state=None)
        if press.action == "flow_cancel":
            return self._player(turn, flow, run).left("flow.cancelled", "cancelled")
        place, _, option = rest.partition("#")
        if not place.isdecimal() or int(place) != run.step or run.step >= len(flow.steps):
            return self._again(turn, flow, run)
        step = flow.steps[run.step]
        if press.action == "flow_pick" and option.isdecimal() and int(option) < len(step.options):
            picked = step.options[int(option)]
            return await self._answered(turn, flow, run, picked.kept)
        if press.action == "flow_skip" and step.optional:
            return await self._answered(turn, flow, run, "")
        if press.action == "flow_again" and step.code is not None:
            return await self._player(turn, flow, run).code_sent()
        return self._again(turn, flow, run)

    def _again(self, turn: Turn, flow: FlowFile, run: FlowRun) -> Outcome:
        """What waits, once more."""
        player = self._player(turn, flow, run)
        return player.consent_asked() if run.code.get(CONSENT) else player.asked()

    async def _consent_pressed(self, turn: Turn, press: Press, run: FlowRun | None) -> Outcome | None:
        """A button of an older version of the text agrees to nothing."""
        flow = self._flows.get(run.flow) if run is not None else None
        if run is None or flow is None or not run.code.get(CONSENT) or run.step >= len(flow.steps):
            return None
        player = self._player(turn, flow, run)
        if press.value != self._tools.consent.version:
            return player.consent_asked()
        return await player.consented(press.action == YES)

    async def _consent_heard(self, turn: Turn, flow: FlowFile, run: FlowRun, text: str) -> Outcome:
        """Words to the notice; who says neither yes nor no is asked once more and then not held up."""
        meant, player = self._short.agreement(text), self._player(turn, flow, run)
        if not meant and run.tries == 0:
            return player.consent_asked(tries=1)
        return await player.consented({"yes": True, "no": False}.get(meant))

    async def _start_pressed(self, turn: Turn, value: str) -> Outcome:
        name, _, sending = value.partition(BETWEEN)
        flow = self._flows.get(name)
        if flow is None:
            return replace(said(turn, self._speaker, "flow.old"), reason="flow_old", state=None)
        if sending and turn.customer and turn.customer.fields.get(MARK + sending) == "done":
            return replace(said(turn, self._speaker, "flow.already"), reason="flow_already", state=None)
        return await self._begun(turn, flow, sending)

    async def _heard(self, turn: Turn, run: FlowRun, text: str) -> Outcome | None:
        flow = self._flows.get(run.flow)
        if flow is None or run.step >= len(flow.steps):  # the file was changed meanwhile
            return self._tools.escalate(turn, reason="flow_changed")
        if text.startswith("/"):
            other = await self._meant(turn, text)
            return await self._begun(turn, other) if other is not None else None
        step, language = flow.steps[run.step], language_of(turn, self._texts.lang)
        if self._short.means("cancel", text):
            return self._player(turn, flow, run).left("flow.cancelled", "cancelled")
        if run.code.get(CONSENT):
            return await self._consent_heard(turn, flow, run, text)
        if step.code is not None:
            return await self._code_heard(turn, flow, run, step)
        asks = step.type == "text" and text.endswith("?")
        value = read(step, text, turn.attachments, self._short, turn.now, language=language)
        if value is not None and not (asks and await self._hearing.faq.is_sure(turn, text)):
            return await self._answered(turn, flow, run, value)
        if step.optional and self._short.means("skip", text):
            return await self._answered(turn, flow, run, "")
        return await self._unclear(turn, flow, run, text)

    async def _answered(self, turn: Turn, flow: FlowFile, run: FlowRun, value: str) -> Outcome:
        step, player = flow.steps[run.step], self._player(turn, flow, run)
        if value and player.held(run.step):
            return player.consent_asked()  # withdrawn since the question
        player.answered(step, flow.named(run.step), value)
        target = next((o.go for o in step.options if o.kept == value), None)
        return await player.follow(step, target)

    async def _unclear(self, turn: Turn, flow: FlowFile, run: FlowRun, text: str) -> Outcome:
        """No answer: a question of the customer's own is answered first; a third wrong one calls a person."""
        if text and await self._hearing.faq.is_sure(turn, text):
            aside = await self._hearing.faq(turn)
            if aside is not None and aside.result is Result.ANSWERED:
                return self._meanwhile(turn, flow, run, aside)
        step, tries = flow.steps[run.step], run.tries + 1
        player = self._player(turn, flow, run)
        if tries >= TRIES:
            player.says.append("flow.stuck")
            return player.handed_over(None, reason="flow_stuck")
        retry = player.words(step.retry) if step.retry is not None else f"flow.invalid.{step.type}"
        return player.asked(retry, tries=tries)

    def _meanwhile(self, turn: Turn, flow: FlowFile, run: FlowRun, aside: Outcome) -> Outcome:
        """The article, and below it the question that still waits."""
        asked = self._player(turn, flow, run).asked("flow.back", tries=run.tries)
        state = with_question(aside.state or {}, run.question(), turn.now)
        return replace(
            aside, dialog=NAME, messages=(*aside.messages, *asked.messages), state=state, timers=asked.timers
        )

    async def _code_heard(self, turn: Turn, flow: FlowFile, run: FlowRun, step: FlowStep) -> Outcome:
        player, code = self._player(turn, flow, run), OneTimeCode.read(run.code)
        if code is None or code.until < turn.now:
            return player.asked("flow.code.over")
        if code.fits(turn.text, self._tools.secret, str(run.code.get("key", ""))):
            player.run = replace(run, code={})
            return await player.follow(step, None)
        if not looks_like_code(turn.text) and await self._hearing.faq.is_sure(turn, turn.text):
            return await self._unclear(turn, flow, run, turn.text)
        code = code.tried()
        player.run = replace(run, code={**run.code, **code.kept()})
        if code.left <= 0:
            player.says.append("flow.code.wrong_last")
            return await player.follow(step, step.failed or PERSON)
        return player.asked("flow.code.wrong", tries=run.tries + 1)

    # --- timers

    def _due(self, turn: Turn, timer: DialogTimer) -> Outcome:
        if timer.name == "expires":
            run = run_of(turn)
            flow = self._flows.get(run.flow) if run is not None else None
            if run is None or run.key != timer.facts.get("run") or turn.conversation.status is not Status.BOT:
                return _ignored("flow_over")
            if flow is None:
                state = without_run(DialogState.of(turn).now(turn))
                return Outcome(NAME, Result.IGNORED, "flow_changed", state=state)
            return self._player(turn, flow, run).left("flow.expired", "expired")
        return self._reminded(turn, timer) if timer.name == REMIND else _ignored("unknown_timer")

    def _reminded(self, turn: Turn, timer: DialogTimer) -> Outcome:
        """Once, in the hours in which customers are written to first, and nobody who answered, is answering,
        talks with a person or wants no news.
        """
        name, number = str(timer.facts.get("flow", "")), str(timer.facts.get("number", ""))
        flow, customer, run = self._flows.get(name), turn.customer, run_of(turn)
        if flow is None or flow.questionnaire is None or customer is None:
            return _ignored("flow_changed")
        answering = run is not None and run.sending == number
        busy = turn.conversation.status is not Status.BOT or not turn.conversation.reachable
        if answering or busy or wants_none(customer) or customer.fields.get(MARK + number):
            return _ignored("not_now")
        if (opens := self._tools.opens(turn.now)) > turn.now:
            key = f"{KEY}:{number}:{turn.conversation.id}"
            return replace(_ignored("not_now"), timers=(Timer(key, timer, opens),))
        language = language_of(turn, self._texts.lang)
        survey = Questionnaire(
            name, by_language(flow.questionnaire.invite), by_language(flow.questionnaire.button or "")
        )
        stop = Button(self._texts.text("outreach.stop", lang=language), "news_off", number)
        opening = self._texts.say("flow.reminder", lang=language)
        say = Outbound(
            turn.conversation.peer,
            join((opening, survey.words(language)), "\n\n"),
            ((survey.start(self._texts, language, number),), (stop,)),
            priority=Priority.BULK,
            on_uncertain="hold",
        )
        event = Event("questionnaire_reminded", data={"flow": name, "number": number})
        return Outcome(NAME, Result.ANSWERED, "reminded", (say,), events=(event,))

    def _player(self, turn: Turn, flow: FlowFile, run: FlowRun) -> FlowPlayer:
        return FlowPlayer(self._tools, self._alone(turn), flow, run)


def _ignored(reason: str) -> Outcome:
    return Outcome(NAME, Result.IGNORED, reason)
