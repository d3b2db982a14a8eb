"""The parts of the config that say how operators work: teams, routing, deadlines, ready answers."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.events.kinds import meant
from bot.text.problems import told

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = r"^[1-9]\d{0,4}[smhd]$"  # each pattern has its words in faults.py
DAY_TIME = r"^([01]?\d|2[0-3]):[0-5]\d$"
SPAN = r"^([01]?\d|2[0-3]):[0-5]\d-(([01]?\d|2[0-3]):[0-5]\d|24:00)$"
NAME = r"^[a-z][a-z0-9_-]{0,29}$"
TEAM_NAME = r"^[a-z][a-z0-9_-]*$"
FIELD_NAME = r"^[a-z][a-z0-9_]*$"
LANGUAGE = r"^([a-z]{2})?$"
Duration = Annotated[str, Field(pattern=DURATION)]
DayTime = Annotated[str, Field(pattern=DAY_TIME)]
Span = Annotated[str, Field(pattern=SPAN)]
Name = Annotated[str, Field(pattern=NAME)]


def length(text: str | None) -> timedelta | None:
    """The time that "90s", "15m", "2h" or "3d" names; None where nothing is given."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)([smhd])", text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


class Section(BaseModel):
    """A part of the config: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeskSettings(Section):
    """Where operators work.

    Forum or plain group is found out by itself; without it the bot offers to bind a group.
    """

    channel: str = Field(description="name of the channel whose chat it is")
    chat: str = Field(description="id of the group")

    @field_validator("chat", mode="before")
    @classmethod
    def _chat_is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value


class Team(Section):
    """Operators who answer for some of the tickets, maybe in a group of their own."""

    name: str = Field(pattern=TEAM_NAME, description="short name, as in /transfer NAME")
    title: str = Field("", description="how people call it")
    desk: DeskSettings | None = Field(None, description="the team's own group (default: the desk of all)")
    operators: tuple[str, ...] = Field(
        (), description="who belongs to it, as channel:id; empty = everybody in its group"
    )
    topics: tuple[str, ...] = Field((), description="topics it answers for")
    channels: tuple[str, ...] = Field((), description="channels it answers for")
    languages: tuple[str, ...] = Field((), description="languages it answers for")
    fields: Mapping[str, str] = Field(
        default_factory=dict, description='customers it answers for, by what is known of them, as vip: "yes"'
    )
    overflow: int | None = Field(
        None, ge=1, description="with so many waiting here, further tickets go to the desk of all"
    )


class PriorityRule(Section):
    """What makes a ticket more urgent. Everything that is given must hold."""

    words: tuple[str, ...] = Field((), description="one of these is in the customer's words (any form)")
    fields: Mapping[str, str] = Field(
        default_factory=dict, description='what is known of the customer, as vip: "yes"'
    )
    reason: str | None = Field(None, description="why the bot called a person, as upset")
    waited: Duration | None = Field(None, description="the ticket waits at least this long, as 30m")
    add: int = Field(1, ge=-9, le=9, description="how much it adds to the priority")


class Routing(Section):
    """Who gets a ticket, and in which order."""

    assign: Literal["everyone", "round_robin", "least_loaded"] = Field(
        "everyone", description="everyone: all see it, one takes it; else it is given to somebody"
    )
    limit: int = Field(5, ge=1, description="open tickets an operator may be given")
    supervisors: tuple[str, ...] = Field(
        (), description="who may reassign, set priorities and is called at a breach, as channel:id"
    )
    priority: tuple[PriorityRule, ...] = Field(
        (PriorityRule(reason="upset"),), description="what makes a ticket more urgent"
    )
    categories: tuple[str, ...] = Field(
        (), description="reasons to choose from when a ticket is closed (none: not asked)"
    )
    remind: Duration = Field(
        "15m", description="a ticket nobody takes is called out this often, in working time"
    )
    silent_operator: Duration | None = Field(
        "3h",
        description=(
            "an operator who does not answer for this long (working time) gives the ticket back; null = never"
        ),
    )
    articles_from: int = Field(
        3, ge=1, description="from this place in the queue on the bot offers articles meanwhile"
    )
    in_doubt: Literal["resend", "ask"] = Field(
        "resend",
        description=(
            "an operator's words of which nobody can tell whether they arrived: sent again (they may come"
            " twice), or asked about in the ticket"
        ),
    )
    board: bool = Field(True, description="keep a pinned board of the queue in the group")


class Policy(Section):
    """Deadlines, in working time. The first policy that fits a ticket holds."""

    priority: int | None = Field(None, description="for tickets of at least this priority")
    topic: str | None = Field(None, description="for tickets of this topic")
    first_reply: Duration | None = Field("30m", description="until a person first answers; null = none")
    next_reply: Duration | None = Field(
        "2h", description="until a person answers the customer's next words; null = none"
    )
    resolution: Duration | None = Field(None, description="until the ticket is closed; null = none")


class Sla(Section):
    """Promises with deadlines."""

    policies: tuple[Policy, ...] = Field((Policy(),), description="deadlines by priority and topic")
    warn: float = Field(0.75, gt=0, lt=1, description="part of the time after which operators are warned")
    escalate_to: str | None = Field(
        None, description="team that gets a ticket whose deadline passed (default: supervisors are called)"
    )
    quiet_warn: Duration | None = Field(
        "24h",
        description=(
            "a customer silent for this long after an answer is asked whether it is solved; null = never"
        ),
    )
    quiet_close: Duration = Field("24h", description="and after so much more silence the ticket is closed")
    reopen: Duration | None = Field(
        "24h",
        description="a request for a person so soon after closing opens the same ticket again; null = never",
    )


class CannedSettings(Section):
    """Help while answering."""

    folder: str | None = Field(
        None,
        description=(
            "folder of YAML files with ready answers, relative to this file; builtin = those that come with"
            " the bot"
        ),
    )
    prompter: bool = Field(
        True,
        description="show operators the article that answers the customer's words, to be sent with one tap",
    )
    undo: int = Field(
        60,
        ge=0,
        le=3600,
        description="seconds in which /undo takes an operator's last answer back from the customer's chat",
    )


class OutreachSettings(Section):
    """Writing to customers first: broadcasts, and the news that an incident is over."""

    hours: Span = Field(
        "9:00-21:00",
        description=(
            "local time in which customers are written to first; what does not fit waits for the morning"
        ),
    )
    per_second: float = Field(
        8, gt=0, le=25, description="messages a second at most; answers to customers never wait for these"
    )

    @field_validator("hours")
    @classmethod
    def _in_order(cls, value: str) -> str:
        opens, closes = (
            int(part.partition(":")[0]) * 60 + int(part.partition(":")[2]) for part in value.split("-")
        )
        if opens >= closes:
            raise ValueError(told("config.hours_order"))
        return value


class LoyaltySettings(Section):
    """Points of a loyalty programme, kept in a customer's field by the CRM, the API or an import."""

    field: str = Field(
        "",
        pattern=r"^([a-zа-яё][a-zа-яё0-9_-]{0,39})?$",
        description='the field that keeps them, as points; "" = there are none',
    )


class VipSettings(Section):
    """Customers whose anger supervisors hear of at once."""

    fields: Mapping[str, str] = Field(
        default_factory=dict,
        description=(
            'who they are, by what is known of them, as vip: "yes" or tier: "gold,platinum"; all of it must'
            " hold; none = nobody"
        ),
    )
    again: Duration = Field(
        "24h", description="supervisors are told of one conversation no more often than this"
    )
    waits: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="and again when they have waited for this part of the time for an answer",
    )


class AftercareSettings(Section):
    """What customers hear after a ticket that a person answered is closed."""

    thanks: bool = Field(
        False,
        description=(
            "thank them, rating.delay_minutes after closing: above the question for a rating, or alone; never"
            " after angry last words"
        ),
    )
    check_in: Duration | None = Field(
        None,
        description=(
            "so long after closing they are asked whether all is well, as 7d; a no opens the ticket again;"
            " null = never"
        ),
    )


class NpsSettings(Section):
    """«Would you recommend us?», from 0 to 10, asked now and then."""

    ask: bool = Field(False, description="ask at all")
    at: DayTime = Field("12:00", description="local time at which the day's customers are asked")
    every: Duration = Field("90d", description="the same customer is asked no more often than this")
    apart: Duration = Field("14d", description="and not so soon before or after any other survey")
    recent: Duration = Field("30d", description="only who wrote within this time is asked")
    quiet: Duration = Field("24h", description="and nobody who wrote so lately, or is in talks with a person")
    per_day: int = Field(200, ge=1, description="customers asked on one day at most")


SHORTEST_SECRET = 24  # bytes of a key that nobody can guess


class Webhook(Section):
    """Another system that is told what happens (docs/en/integrations.md). Without its secret it is off."""

    url: str | None = Field(None, description="https address that is called; may come from the environment")
    secret: SecretStr | None = Field(
        None,
        description=(
            'key of the signature, as "${CRM_WEBHOOK_SECRET}": whsec_… or 24 characters and more; two, parted'
            " by a space, while it is being changed"
        ),
    )
    events: tuple[str, ...] = Field(
        ("*",), min_length=1, description="kinds of events it is told of; * = all"
    )
    words: bool = Field(False, description="also tell what people wrote and who they are")
    private: bool = Field(
        False, description="the address may be on this machine or in its own network, and plain http"
    )

    @field_validator("secret")
    @classmethod
    def _secret_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        for part in value.get_secret_value().split() if value else ():
            try:
                key = (
                    base64.b64decode(part.removeprefix("whsec_"), validate=True)
                    if part.startswith("whsec_")
                    else part.encode()
                )
            except binascii.Error:
                raise ValueError(told("config.secret_base64")) from None
            if len(key) < SHORTEST_SECRET:
                raise ValueError(told("config.secret_short", least=SHORTEST_SECRET))
        return value

    @field_validator("events")
    @classmethod
    def _events_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if near := meant(kind):
                raise ValueError(told("config.no_event", kind=kind, near=near))
        return value

    @model_validator(mode="after")
    def _address_is_safe(self) -> Webhook:
        if (
            self.url
            and not self.url.startswith("https://")
            and not (self.private and self.url.startswith("http://"))
        ):
            raise ValueError(told("config.not_https"))
        return self


class ApiKey(Section):
    """A key of another system, and what it may do."""

    secret: SecretStr | None = Field(
        None, description='the key, as "${CRM_API_KEY}"; without it the entry is off'
    )
    may: tuple[Literal["customers", "messages", "tickets", "privacy"], ...] = Field(
        ("customers", "messages", "tickets"),
        description="what it may do; privacy = have everything about a customer, and forget them",
    )

    @field_validator("secret")
    @classmethod
    def _secret_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(told("config.key_short", least=SHORTEST_SECRET))
        return value


class Api(Section):
    """The API for other systems, on the page's server under /api/v1. Off without keys."""

    keys: Mapping[Name, ApiKey] = Field(default_factory=dict, description="named keys")
    file: str | None = Field(
        None, description="a file of further keys, a line each: NAME KEY; relative to this file"
    )
    per_minute: int = Field(120, ge=1, le=100_000, description="requests a minute that one key may make")
