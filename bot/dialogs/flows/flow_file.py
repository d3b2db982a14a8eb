"""What a file of the folder `flows` says: how a flow begins, and its steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import jmespath
import regex
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, field_validator, model_validator

from bot.config.handoff import FIELD_NAME, Duration, Section
from bot.text.problems import told

NAME = r"^[a-zа-яё][a-zа-яё0-9_-]{0,29}$"  # of a flow, a step, an answer
END, PERSON = "end", "person"  # where a flow may go besides its own steps
KINDS = ("say", "ask", "when", "http", "code", "set", "article", "person", "end")
StepName = Annotated[str, Field(pattern=r"^[a-zа-яё0-9_-]{1,30}$")]
AnswerName = Annotated[str, Field(pattern=FIELD_NAME)]


def _in_languages(value: str | Mapping[str, str]) -> str | Mapping[str, str]:
    if isinstance(value, Mapping) and not set(value) <= {"ru", "en"}:
        raise ValueError(told("flows.languages"))
    return value


Words = Annotated[str | Mapping[str, str], AfterValidator(_in_languages)]


def _json_path(value: str) -> str:
    try:
        jmespath.compile(value)
    except JMESPathError:
        raise ValueError(told("flows.json_path", path=value)) from None
    return value


JsonPath = Annotated[str, Field(max_length=200), AfterValidator(_json_path)]


def spoken(words: str | Mapping[str, str], language: str) -> str:
    """The words in *language*, else in whichever there are."""
    if isinstance(words, str):
        return words
    return words.get(language) or next(iter(words.values()), "")


def by_language(words: str | Mapping[str, str]) -> dict[str, str]:
    """The words by language; "" is all of them."""
    if isinstance(words, str):
        return {"": words} if words else {}
    return dict(words)


class FlowBeginning(Section):
    """What begins a flow."""

    words: tuple[str, ...] = Field(
        (), max_length=100, description="phrases all of whose words the customer says, in any form"
    )
    examples: tuple[str, ...] = Field(
        (), max_length=100, description="questions that are nearly these begin it, too"
    )
    command: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9_]{0,31}$", description="a command: order is /order, and a deep link"
    )
    menu: Words | None = Field(None, description="what its button in the menu of sections says")


class FlowOption(Section):
    """One of the buttons of a choice."""

    text: Words = Field(description="what the button says")
    value: str | None = Field(None, description="how it is kept (default: the words, in the first language)")
    go: StepName | None = Field(None, description="the step that follows (default: that of the question)")

    @property
    def kept(self) -> str:
        return self.value or spoken(self.text, "ru")


class FlowCase(Section):
    """A way out of a branch: where the condition holds, it goes on at `go`."""

    answer: AnswerName | None = Field(None, description="the answer that is looked at")
    field: str | None = Field(None, description="or what is known of the customer")
    equals: tuple[str, ...] = Field((), description="it is one of these")
    below: float | None = Field(None, description="it is a number below")
    above: float | None = Field(None, description="it is a number above")
    known: bool | None = Field(None, description="true: there is something, false: there is nothing")
    go: StepName = Field(description="the step that follows; end, person")

    @field_validator("equals", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_sense(self) -> FlowCase:
        looked = self.answer is not None or self.field is not None
        asked = bool(self.equals) or any(v is not None for v in (self.below, self.above, self.known))
        if looked != asked or (self.answer is not None and self.field is not None):
            raise ValueError(told("flows.case"))
        return self


class FlowRequest(Section):
    """A call of another system over HTTP."""

    url: str = Field(description="address; {{ name }} puts an answer in, as one piece")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="the method")
    headers: Mapping[str, str] = Field(
        default_factory=dict, description='further headers; secrets as "Bearer ${SHOP_TOKEN}"'
    )
    body: Mapping[str, object] | None = Field(None, description="what is sent as JSON")
    timeout: float = Field(5, gt=0, le=60, description="seconds it may take, repeats included")
    repeat: bool | None = Field(
        None, description="try once more after a failure (default: of GET, PUT and DELETE only)"
    )

    @property
    def may_repeat(self) -> bool:
        return self.method in ("GET", "PUT", "DELETE") if self.repeat is None else self.repeat

    @field_validator("url")
    @classmethod
    def _host_is_written_out(cls, value: str) -> str:
        if not re.match(r"https?://[^/?#{}\s@]+(?:[/?#]|$)", value):
            raise ValueError(told("flows.url"))
        return value


class FlowCode(Section):
    """A one-time code before something personal is told: sent, and asked for."""

    to: AnswerName | None = Field(None, description="the answer that holds the phone or the e-mail")
    send: FlowRequest | None = Field(None, description="the call that sends it; {{ to }} and {{ code }}")
    linked: bool = Field(False, description="instead: to the customer's other channel, where one is linked")
    minutes: int = Field(10, ge=1, le=60, description="how long it is good")
    tries: int = Field(3, ge=1, le=5, description="how many wrong ones end it")

    @model_validator(mode="after")
    def _has_a_way(self) -> FlowCode:
        if self.linked == (self.send is not None) or (self.send is not None) != (self.to is not None):
            raise ValueError(told("flows.code_way"))
        return self


class FlowStep(Section):
    """One step; what it does is said by exactly one of say, ask, when, http, code, set, article, person,
    end.
    """

    id: StepName | None = Field(None, description="its name, for `go`; of a question also the answer's")
    say: Words | None = Field(None, description="words for the customer")
    ask: Words | None = Field(None, description="a question; the answer is kept under the step's id")
    when: tuple[FlowCase, ...] | None = Field(
        None, min_length=1, description="a branch: the first case that holds; none holds: the next step"
    )
    http: FlowRequest | None = Field(None, description="ask or tell another system")
    code: FlowCode | None = Field(None, description="a one-time code")
    set: Mapping[AnswerName, str] | None = Field(None, description="keep with the customer; {{ name }}")
    article: str | None = Field(None, description="end with an article, by its id")
    person: Words | bool | None = Field(
        None, description="hand over, with all answers on the card; words are said before"
    )
    end: Words | bool | None = Field(None, description="the flow is over; words are said")

    go: StepName | None = Field(None, description="the step that follows (default: the next one)")

    type: Literal["text", "number", "date", "phone", "email", "order", "choice"] = Field(
        "text", description="what counts as an answer"
    )
    options: tuple[FlowOption, ...] = Field((), max_length=10, description="buttons of type choice")
    pattern: str | None = Field(None, description="what the whole answer must look like")
    optional: bool = Field(False, description="“Skip” is offered")
    retry: Words | None = Field(None, description="what is said to an answer that is none")
    field: AnswerName | None = Field(None, description="keep the answer with the customer under this name")
    known: bool = Field(True, description="not asked where `field` is known, or it was told at the start")
    personal: bool | None = Field(
        None, description="whether consent is asked for before (default: of phones, e-mails, names)"
    )
    label: Words | None = Field(None, description="what operators and the results call it")

    take: Mapping[AnswerName, JsonPath] = Field(
        default_factory=dict, description="of http: what is kept of its JSON, as name: path (JMESPath)"
    )
    not_found: StepName | None = Field(None, description="of http: where to go at 404 (default: person)")
    failed: StepName | None = Field(
        None, description="of http and code: where to go when it fails (default: person)"
    )
    on: Mapping[Annotated[str, Field(pattern=r"^[2345]\d\d$")], StepName] = Field(
        default_factory=dict, description="of http: where to go at other statuses, as 409: step"
    )

    @field_validator("options", mode="before")
    @classmethod
    def _words_are_options(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return [{"text": one} if isinstance(one, str) else one for one in value]

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        try:
            regex.compile(value or "")
        except regex.error:
            raise ValueError(told("config.pattern")) from None
        return value

    @field_validator("person", "end", mode="before")
    @classmethod
    def _yes_is_a_flag(cls, value: object) -> object:
        return True if value == "true" else value

    @model_validator(mode="after")
    def _does_one_thing(self) -> FlowStep:
        done = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(done) != 1:
            raise ValueError(told("flows.one_thing", kinds=", ".join(KINDS)))
        if self.ask is not None and (self.type == "choice") != bool(self.options):
            raise ValueError(told("flows.options"))
        if self.ask is None and (self.options or self.pattern or self.retry or self.optional or self.field):
            raise ValueError(told("flows.of_ask"))
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def request(self) -> FlowRequest | None:
        return self.http or (self.code.send if self.code else None)


class FlowSurvey(Section):
    """What makes a flow a questionnaire, sent by a supervisor to a segment."""

    invite: Words = Field(description="the message everybody gets, with a button to begin")
    button: Words | None = Field(None, description="what the button says")
    remind: Duration | None = Field(None, description="remind once after this long, as 2d (default: never)")


class FlowFile(Section):
    """A flow."""

    title: Words = Field(description="what people call it")
    start: FlowBeginning = Field(default_factory=FlowBeginning, description="what begins it")
    questionnaire: FlowSurvey | None = Field(None, description="a supervisor sends it to a segment")
    expires: Duration = Field("30m", description="so long after the last question it is over")
    steps: tuple[FlowStep, ...] = Field(min_length=1, max_length=200, description="the steps, in order")

    name: str = Field("", exclude=True, description="name of the file, without .yaml")
    file: Path = Field(default=Path(), exclude=True, description="the file itself")

    def named(self, step: int) -> str:
        """The name of a step: its id, else its number."""
        return self.steps[step].id or str(step + 1)

    def place(self, name: str) -> int | None:
        """The number of the step of this name, from 0."""
        names = [self.named(n) for n in range(len(self.steps))]
        return names.index(name) if name in names else None

    def called(self, language: str) -> str:
        return spoken(self.title, language)

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of all that may be known on the way."""
        asked = [self.named(n) for n, step in enumerate(self.steps) if step.ask is not None]
        taken = [name for step in self.steps for name in step.take]
        return tuple(dict.fromkeys((*asked, *taken)))
