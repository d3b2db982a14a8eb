"""What customers are asked in the chat, and what stands before it: forms, the first contact, consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import regex
from pydantic import Field, field_validator

from bot.config.handoff import FIELD_NAME, Section
from bot.text.problems import told


class FormField(Section):
    """A thing to ask before an operator comes; asked once, skippable unless required."""

    name: str = Field(pattern=FIELD_NAME, description="name under which it is kept with the customer")
    ask: Mapping[str, str] = Field(description="the question by language: {ru: …, en: …}")
    type: Literal["text", "phone", "email", "order", "number", "choice"] = Field(
        "text", description="what counts as an answer"
    )
    pattern: str | None = Field(None, description="what the whole answer must look like (regular expression)")
    options: tuple[str, ...] = Field((), description="the choices of type choice")
    required: bool = Field(False, description="whether “Skip” is not offered")
    personal: bool | None = Field(
        None, description="whether consent is asked before it (default: phones, e-mails and names)"
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        try:
            regex.compile(value or "")
        except regex.error:
            raise ValueError(told("config.pattern")) from None
        return value


class Form(Section):
    """Questions asked in the chat."""

    name: str = Field(description="name of the form")
    when: Literal["handoff", "command"] = Field(
        "handoff", description="before a person is called, or by /name"
    )
    fields: tuple[FormField, ...] = Field(min_length=1, description="the questions, in order")


class FirstContactSettings(Section):
    """What a new customer is asked once, after their first question was answered."""

    fields: tuple[FormField, ...] = Field(
        (), max_length=5, description="the questions, in order; none = nothing is asked"
    )


class AnswerChoiceSettings(Section):
    """What a customer who waits for a person may choose: when to be answered, and where."""

    times: bool = Field(True, description="offer this evening, tomorrow morning … within the opening hours")
    by: tuple[Literal["phone", "email"], ...] = Field(
        (), description="also offer an answer by phone, by email; linked messengers are offered by themselves"
    )


class ConsentSettings(Section):
    """The notice before personal data are asked, and the record of the yes; off without a policy."""

    policy: str | Mapping[str, str] = Field(
        "", description="address of your policy on personal data; one, or by language; “” = no notice"
    )
    version: str = Field(
        "1", min_length=1, max_length=40, description="version of the text: another one is asked for anew"
    )
    text: Mapping[str, str] = Field(
        default_factory=dict, description="the notice in your own words, by language: {ru: …, en: …}"
    )

    @field_validator("policy")
    @classmethod
    def _is_address(cls, value: str | Mapping[str, str]) -> str | Mapping[str, str]:
        written = [value] if isinstance(value, str) else list(value.values())
        if any(v and not v.startswith(("https://", "http://")) for v in written):
            raise ValueError(told("config.policy"))
        return value
