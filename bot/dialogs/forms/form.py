"""A few questions asked in the chat, each once, before a person is called or by a command; nobody is held up
by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from bot.dialogs.consent import NO, YES, Consent, ConsentField
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.forms.field_values import Field, read_answer
from bot.dialogs.protocols import Escalation
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import ShortAnswers, language_of
from bot.i18n.texts import Texts
from bot.model import (
    Answer,
    Attachment,
    Button,
    Candidate,
    Customer,
    Decision,
    Event,
    InboundKind,
    Json,
    Media,
    Outcome,
    Result,
    RichText,
    Rows,
    Timer,
    Turn,
)
from bot.model.internal import FormAbandoned

TRIES = 2  # wrong answers to one question before it is left out
PATIENCE = timedelta(
    minutes=5
)  # silence after which somebody who waits for a person gets one without the rest of the form
CONSENT = "_consent"  # stands in the state for the field that is asked: the notice waits for its answer
FIRST_CONTACT = "first_contact"  # the name of the form for new customers, and when it is asked
URGENT = frozenset({"upset", "dialog_failed", "failed"})


class FormQuestion(Field, ConsentField, Protocol):
    """A question of a form, which may be about personal data."""


class FormShape(Protocol):
    """A form as config.yaml describes it; `when` is handoff, command (/name) or first_contact."""

    @property
    def name(self) -> str: ...

    @property
    def when(self) -> str: ...

    @property
    def fields(self) -> Sequence[FormQuestion]: ...


@dataclass(frozen=True, slots=True)
class Questions:
    """A form that the program itself puts together."""

    name: str
    when: str
    fields: Sequence[FormQuestion]


class Forms:
    """The dialog that asks, and the gate before the desk (`escalate`). Answers go to `Customer.fields`, ""
    for what was skipped.

    A field that the customer already has is not asked. Asking for a person while a form is under way ends the
    form at once. Before the first personal field *consent* is asked; after a no those fields are left out.
    """

    def __init__(
        self,
        texts: Texts,
        forms: Sequence[FormShape],
        escalate: Escalation,
        consent: Consent | None = None,
    ) -> None:
        self._consent = consent or Consent(texts)
        self._speaker = ReplyContext(texts, "form")
        self._texts, self._forms, self._desk = texts, tuple(forms), escalate
        self._hearing = ShortAnswers(texts)

    def escalate(
        self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome:
        """Asks the handoff form first where there is something left to ask; otherwise, and in a hurry, hands
        over at once.
        """
        form = next((f for f in self._forms if f.when == "handoff"), None)
        under_way = DialogState.of(turn).form.get("name", FIRST_CONTACT)
        waiting = turn.ticket is not None or under_way != FIRST_CONTACT
        if (
            form is None
            or turn.customer is None
            or apology
            or waiting
            or reason in URGENT
            or self._next_field(form, turn.customer) is None
        ):
            return self._desk(turn, reason=reason, apology=apology, answer=answer)
        return self._ask(
            turn,
            form,
            turn.customer,
            then={"reason": reason, **_kept(answer)},
            opening=("form.before_handoff",),
        )

    async def __call__(self, turn: Turn) -> Outcome | None:
        memory = DialogState.of(turn)
        if turn.customer is None or any(i.kind is InboundKind.START for i in turn.inbounds):
            return None
        if any(i.kind is InboundKind.INTERNAL for i in turn.inbounds):
            return self._waited(turn, turn.customer, memory)
        form = self._form(str(memory.form.get("name", "")))
        if form is None:
            command = turn.text.strip().lower().removeprefix("/")
            called = next(
                (
                    f
                    for f in self._forms
                    if f.when == "command" and turn.text.startswith("/") and f.name.lower() == command
                ),
                None,
            )
            return self._begun(turn, called, turn.customer) if called else None
        if memory.form.get("field") == CONSENT:
            return self._consent_answered(turn, form, turn.customer, memory)
        field = next((f for f in form.fields if f.name == memory.form.get("field")), None)
        if field is None:
            return None
        return self._answered(turn, form, field, turn.customer, memory)

    # --- beside another dialog's answer

    def has(self, name: str) -> bool:
        return self._form(name) is not None

    def takes_any_words(self, turn: Turn, name: str) -> bool:
        """Whether this form waits for an answer that may be anything."""
        form, under_way = self._form(name), DialogState.of(turn).form
        if form is None or under_way.get("name") != name:
            return False
        return any(f.name == under_way.get("field") and f.type == "text" for f in form.fields)

    def following(self, turn: Turn, outcome: Outcome, customer: Customer, name: str) -> Outcome:
        """*outcome*, and the first question of the form after it; where everything is known, *outcome*."""
        form = self._form(name)
        if form is None or self._next_field(form, customer) is None:
            return replace(outcome, customer=customer)
        state = turn.conversation.state if outcome.state is None else outcome.state
        answered = replace(turn, conversation=replace(turn.conversation, state=state), customer=customer)
        asked = self._ask(answered, form, customer, then={}, opening=("first_contact.before",))
        form_state = {"form": (asked.state or {}).get("form", {}), "at": turn.now.isoformat()}
        return replace(
            outcome,
            messages=(*outcome.messages, *asked.messages),
            state={**state, **form_state},
            customer=customer,
        )

    # --- asking

    def _begun(self, turn: Turn, form: FormShape, customer: Customer) -> Outcome:
        forgotten = replace(
            customer,
            fields={k: v for k, v in customer.fields.items() if k not in {f.name for f in form.fields} or v},
        )
        if self._consent.is_on and self._consent.standing(forgotten) == "refused":
            forgotten = self._consent.reconsidered(forgotten)  # who asks for the form may want to say yes now
        if self._next_field(form, forgotten) is None:
            return replace(
                said(turn, self._speaker, "form.known"),
                reason="form_known",
                state=DialogState.of(turn).now(turn, form={}),
            )
        return self._ask(turn, form, forgotten, then={})

    def _ask(
        self,
        turn: Turn,
        form: FormShape,
        customer: Customer,
        *,
        then: Json,
        opening: Sequence[str | RichText] = (),
        tries: int = 0,
    ) -> Outcome:
        field = self._next_field(form, customer)
        assert field is not None
        if self._consent.is_asked_before(field, customer):
            return self._ask_consent(turn, form, customer, then, opening, tries)
        language = language_of(turn, self._texts.lang)
        question = field.ask.get(language) or next(iter(field.ask.values()))
        hint = self._texts.say(f"form.hint.{field.type}", lang=language)
        memory = DialogState.of(turn)
        state = memory.now(
            turn, form={"name": form.name, "field": field.name, "tries": tries, "then": dict(then)}
        )
        outcome = replace(
            said(
                turn,
                self._speaker,
                *opening,
                RichText(question),
                hint,
                buttons=self._buttons(field, language),
                facts={"cancel": self._texts.text("buttons.cancel", lang=language)},
            ),
            result=Result.CLARIFIED,
            reason="form",
            state=state,
        )
        changed = customer if customer != turn.customer else None
        return replace(outcome, customer=changed, timers=self._patience(turn, then))

    def _ask_consent(
        self,
        turn: Turn,
        form: FormShape,
        customer: Customer,
        then: Json,
        opening: Sequence[str | RichText],
        tries: int,
    ) -> Outcome:
        notice, facts, buttons = self._consent.notice(turn)
        state = DialogState.of(turn).now(
            turn, form={"name": form.name, "field": CONSENT, "tries": tries, "then": dict(then)}
        )
        outcome = said(turn, self._speaker, *opening, notice, buttons=buttons, facts=facts)
        return replace(
            outcome,
            result=Result.CLARIFIED,
            reason="consent",
            state=state,
            customer=customer if customer != turn.customer else None,
            timers=self._patience(turn, then),
        )

    def _patience(self, turn: Turn, then: Json) -> tuple[Timer, ...]:
        if not then:
            return ()
        return (Timer(f"form:{turn.conversation.id}", FormAbandoned(), turn.now + PATIENCE),)

    def _buttons(self, field: Field, language: str) -> Rows:
        picks: list[tuple[Button, ...]] = [
            (Button(option, "form_pick", f"{field.name}#{i}"),) for i, option in enumerate(field.options[:8])
        ]
        skip = Button(self._texts.text("buttons.skip", lang=language), "form_skip", field.name)
        cancel = Button(self._texts.text("buttons.cancel", lang=language), "form_cancel", field.name)
        return (*picks, (cancel,) if field.required else (skip, cancel))

    # --- answers

    def _consent_answered(
        self, turn: Turn, form: FormShape, customer: Customer, memory: DialogState
    ) -> Outcome | None:
        """A yes goes on to the question, a no passes by the personal ones; who says neither is not held up.

        A button of an older version of the text agrees to nothing.
        """
        press, text = turn.press, turn.text.strip()
        then = found if isinstance(found := memory.form.get("then"), Mapping) else {}
        meant = {YES: "yes", NO: "no"}.get(press.action, "") if press is not None and not text else ""
        if press is not None and not text and not meant:
            return None
        if meant and press is not None and press.value != self._consent.version:
            return self._ask_consent(turn, form, customer, then, (), 0)
        meant = meant or self._hearing.agreement(text) or ("no" if self._hearing.means("skip", text) else "")
        if not meant and self._hearing.means("cancel", text):
            return self._cancelled(turn, memory)
        if not meant and not then:
            return None  # something else is asked
        if not meant:
            if _tries(memory) > 0:
                return self._handed_over(turn, customer, then)
            return self._ask_consent(turn, form, customer, then, ("consent.unclear",), 1)
        agreed = meant == "yes"
        record = (self._consent.given if agreed else self._consent.refused)(turn, customer)
        opening = "consent.given" if agreed else "consent.refused"
        if self._next_field(form, record.customer) is not None:
            asked = self._ask(turn, form, record.customer, then=then, opening=(opening,))
            return replace(asked, events=(record.event, *asked.events))
        if then:
            return self._handed_over(turn, record.customer, then, record.event)
        ended = said(turn, self._speaker, "consent.without", buttons=[human_button(turn, self._texts)])
        state = DialogState.of(turn).now(turn, form={})
        return replace(
            ended, reason="consent_refused", state=state, customer=record.customer, events=(record.event,)
        )

    def _answered(
        self, turn: Turn, form: FormShape, field: FormQuestion, customer: Customer, memory: DialogState
    ) -> Outcome | None:
        press, text = turn.press, turn.text.strip()
        then = found if isinstance(found := memory.form.get("then"), Mapping) else {}
        if press is not None and not text:
            if not press.action.startswith("form_"):
                return None
            name, _, place = press.value.partition("#")
            if press.action == "form_cancel":
                return self._cancelled(turn, memory)
            if name != field.name:
                return self._ask(turn, form, customer, then=then)
            if press.action == "form_pick" and place.isdecimal() and int(place) < len(field.options):
                return self._go_on(turn, form, field, customer, then, field.options[int(place)])
            if press.action == "form_skip" and not field.required:
                return self._go_on(turn, form, field, customer, then, "")
            return self._ask(turn, form, customer, then=then, opening=("form.required",))
        if self._hearing.means("cancel", text):
            return self._cancelled(turn, memory)
        value = read_answer(field, text, _own_contacts(turn), self._hearing)
        if value is not None and self._consent.is_asked_before(field, customer):
            return self._ask_consent(turn, form, customer, then, (), 0)  # withdrawn since the question
        if value is not None:
            return self._go_on(turn, form, field, customer, then, value)
        if self._hearing.means("skip", text):
            if not field.required:
                return self._go_on(turn, form, field, customer, then, "")
            return self._ask(turn, form, customer, then=then, opening=("form.required",))
        if form.when == FIRST_CONTACT:
            return None  # something else is asked, and that goes first
        count = _tries(memory) + 1
        if count > TRIES and then:
            return self._go_on(turn, form, field, customer, then, "")
        return self._ask(
            turn, form, customer, then=then, opening=(f"form.invalid.{field.type}",), tries=count
        )

    def _go_on(
        self, turn: Turn, form: FormShape, field: Field, customer: Customer, then: Json, value: str
    ) -> Outcome:
        known = replace(customer, fields={**customer.fields, field.name: value})
        if self._next_field(form, known) is not None:
            return self._ask(turn, form, known, then=then)
        event = Event(
            "form_filled",
            data={"form": form.name, "given": [f.name for f in form.fields if known.fields.get(f.name)]},
        )
        if then:
            return self._handed_over(turn, known, then, event)
        outcome = replace(
            said(turn, self._speaker, "form.done"),
            reason="form_filled",
            state=DialogState.of(turn).now(turn, form={}),
        )
        return replace(outcome, customer=known, events=(event,))

    def _handed_over(self, turn: Turn, customer: Customer, then: Json, *events: Event) -> Outcome:
        outcome = self._desk(
            replace(turn, customer=customer), reason=str(then.get("reason") or "form"), answer=_answer(then)
        )
        changed = customer if customer != turn.customer else outcome.customer
        return replace(
            outcome,
            customer=changed,
            events=(*events, *outcome.events),
            cancel=(*outcome.cancel, f"form:{turn.conversation.id}"),
        )

    def _cancelled(self, turn: Turn, memory: DialogState) -> Outcome:
        outcome = replace(
            said(turn, self._speaker, "form.cancelled"),
            reason="form_cancelled",
            state=memory.now(turn, form={}),
        )
        return replace(outcome, cancel=(f"form:{turn.conversation.id}",))

    def _waited(self, turn: Turn, customer: Customer, memory: DialogState) -> Outcome | None:
        """Somebody asked for a person and left the form: the person comes all the same."""
        then = memory.form.get("then")
        if (
            not isinstance(then, Mapping)
            or not then
            or not any(isinstance(i.payload, FormAbandoned) for i in turn.inbounds)
        ):
            return None
        return self._handed_over(turn, customer, then)

    def _next_field(self, form: FormShape, customer: Customer) -> FormQuestion | None:
        """The first that is neither known nor left out."""
        return next(
            (
                f
                for f in form.fields
                if f.name not in customer.fields and not self._consent.forbids(f, customer)
            ),
            None,
        )

    def _form(self, name: str) -> FormShape | None:
        return next((f for f in self._forms if f.name == name), None)


def _tries(memory: DialogState) -> int:
    tries = memory.form.get("tries")
    return tries if isinstance(tries, int) else 0


def _kept(answer: Answer | None) -> Json:
    """What the desk shows of a search, in a form that the state can keep."""
    if answer is None:
        return {}
    candidates = [[c.article, c.title, round(c.score, 4)] for c in answer.candidates[:5]]
    return {"candidates": candidates, "confidence": answer.confidence, "scope": answer.scope}


def _answer(then: Json) -> Answer | None:
    kept = then.get("candidates")
    if not isinstance(kept, list | tuple):
        return None
    candidates = tuple(
        Candidate(str(c[0]), str(c[1]), float(c[2]))
        for c in kept
        if isinstance(c, list | tuple) and len(c) == 3
    )
    return Answer(Decision.HANDOFF, candidates, _float(then.get("confidence")), _float(then.get("scope")))


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _own_contacts(turn: Turn) -> tuple[Attachment, ...]:
    """What was sent, but for contacts of somebody else: a forwarded card is nobody's own number."""
    senders = {i.sender.id for i in turn.inbounds}
    return tuple(a for a in turn.attachments if a.media is not Media.CONTACT or a.data.get("user") in senders)
