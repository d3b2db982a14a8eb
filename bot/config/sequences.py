"""The part of the config about follow-up sequences: whom they are for, what is said, what ends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from bot.config.handoff import Duration, Section
from bot.events.kinds import meant
from bot.text.problems import told

UNLESS = r"^(wrote|rated|ticket|field:[a-zа-яё][a-zа-яё0-9_-]{0,39}(=.+)?)$"
Words = str | Mapping[str, str]  # in one language, or by language


class SequenceStep(Section):
    """One message of a sequence."""

    after: Duration = Field(description="so long after the step before (or the beginning), as 3d")
    text: Words = Field(
        description=(
            "what is said, in Markdown with personal facts as {{ customer|name }}; or ru and en, each with"
            " its own"
        )
    )
    unless: tuple[Annotated[str, Field(pattern=UNLESS)], ...] = Field(
        ("wrote",),
        description=(
            "what ends the sequence instead: wrote (the customer wrote), rated, ticket (a person was called),"
            " field:NAME or field:NAME=VALUE (that is known by now)"
        ),
    )

    @property
    def texts(self) -> tuple[str, ...]:
        """The words in every language there is."""
        return (self.text,) if isinstance(self.text, str) else tuple(self.text.values())

    def said(self, language: str) -> str:
        """The words in a language, else in the first one there is."""
        if isinstance(self.text, str):
            return self.text
        return self.text.get(language) or next(iter(self.text.values()), "")


class SequenceSettings(Section):
    """Messages that follow an event, or go to a segment, one after another."""

    title: str = Field("", description="how supervisors call it")
    event: str = Field("", description="the kind of event it follows, as ticket_closed")
    tag: str = Field("", description="only a ticket with this tag, category or topic")
    segment: str = Field(
        "",
        description=(
            "in place of an event: conditions as of /broadcast, as tier=gold days=30; looked at once a day"
        ),
    )
    fields: Mapping[str, str] = Field(
        default_factory=dict, description='only customers of whom this is known, as vip: "yes"'
    )
    again: Duration = Field("90d", description="the same customer gets it no more often than this")
    steps: tuple[SequenceStep, ...] = Field(min_length=1, max_length=10, description="what is said, in order")

    @field_validator("event")
    @classmethod
    def _event_is_known(cls, value: str) -> str:
        if value and (near := meant(value)):
            raise ValueError(told("config.no_event", kind=value, near=near))
        return value

    @model_validator(mode="after")
    def _for_somebody(self) -> SequenceSettings:
        if bool(self.event) == bool(self.segment):
            raise ValueError(told("config.sequence_for"))
        return self
