"""What goes through the REST API: bodies that are taken and bodies that are given, as OpenAPI shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
)

from bot.text.customer_fields import CONTACTS, LONGEST, MOST, NAME, OWN, PHONE, fault
from bot.text.pii import EMAIL

Value = StrictStr | StrictBool | StrictInt | StrictFloat | None
CONTACT = {"phone": PHONE, "email": EMAIL.pattern}  # what a contact looks like
Text = Annotated[StrictStr, Field(min_length=1, max_length=8000, pattern=r"\S")]


class Body(BaseModel):
    """A body that is taken: a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _described(schema: dict[str, Any]) -> None:
    """Says of the attributes all that `bot.text.customer_fields.fault` asks of them."""
    schema["propertyNames"] = {"pattern": f"^(?!({OWN})$){NAME}$"}
    schema["additionalProperties"] = {
        "anyOf": [
            {"type": "string", "maxLength": LONGEST},
            {"type": "boolean"},
            {"type": "number"},
            {"type": "null"},
        ]
    }
    schema["properties"] = {
        name: {"type": ["string", "null"], "pattern": f"^{CONTACT[name]}$"} for name in CONTACTS
    }


class Attributes(Body):
    """What is known of a customer; null takes an attribute away, others stay."""

    attributes: Mapping[str, Value] = Field(
        min_length=1,
        max_length=MOST,
        description="by name: up to 40 small letters, digits, _ and -",
        examples=[{"vip": True}],
        json_schema_extra=_described,
    )

    @field_validator("attributes")
    @classmethod
    def _can_be_kept(cls, value: Mapping[str, Value]) -> Mapping[str, Value]:
        for name, told in value.items():
            if why := fault(name, told):
                raise ValueError(f"{name}: {why}")
        return value


class Message(Body):
    """Words for a customer, said by the bot."""

    text: Text = Field(examples=["Order 48213 is packed"])
    channel: StrictStr | None = Field(
        None, description="where to say it; left out: where the customer wrote last"
    )
    markdown: StrictBool = Field(False, description="the text is Markdown; otherwise it is shown as it is")


class NewTicket(Body):
    """A request that a person is to look at."""

    text: Annotated[StrictStr, Field(max_length=2000)] = Field(
        "", description="what it is about, for the operators"
    )
    channel: StrictStr | None = Field(
        None, description="in which channel; left out: where the customer wrote last"
    )


class Address(BaseModel):
    """Where a customer writes."""

    channel: str
    chat: str
    reachable: bool


class CustomerView(BaseModel):
    """A customer as other systems see them."""

    id: int
    name: str
    language: str
    attributes: Mapping[str, object]
    addresses: list[Address]
    ticket: int | None = Field(None, description="number of the open ticket")


class Data(BaseModel):
    """All rows about a customer, by table."""

    data: Mapping[str, object]


class Forgotten(BaseModel):
    """Whose words are gone; what the operators' chats showed of them is being deleted."""

    customer: int
    forgotten: bool


class Found(BaseModel):
    """Customers that fit."""

    customers: list[CustomerView]


class Accepted(BaseModel):
    """Kept, and carried out in its turn; the same key again does nothing."""

    key: str = Field(description="the idempotency key")
    customer: int
    channel: str
    repeated: bool = Field(False, description="it was asked for before")


class MessageView(BaseModel):
    """What became of a message."""

    key: str
    state: Literal["accepted", "pending", "sent", "failed", "unknown"] = Field(
        description="unknown: nobody can tell whether it arrived"
    )
    error: str = ""


class TicketView(BaseModel):
    """A ticket."""

    number: int
    status: Literal["waiting", "operator", "snoozed", "closed"]
    customer: int | None
    channel: str
    reason: str
    topic: str
    category: str
    priority: int
    operator: str
    tags: list[str]
    opened: datetime | None
    taken: datetime | None
    first_reply: datetime | None
    closed: datetime | None
    due: datetime | None
    rating: int | None


class ProblemBody(BaseModel):
    """What is wrong, as RFC 9457 tells it."""

    type: str
    title: str
    status: int
    code: str = Field(description="for programs: this word stays")
    detail: str
    errors: list[Mapping[str, str]] = Field(
        default_factory=list, description="places in the body: {pointer, detail}"
    )


TAKEN = (Attributes, Message, NewTicket)
GIVEN = (CustomerView, Data, Forgotten, Found, Accepted, MessageView, TicketView, ProblemBody)
