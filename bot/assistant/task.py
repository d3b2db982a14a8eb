"""What the assistant is asked to do, and what it gives back: values, and the protocol of who does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Audience = Literal["operators", "editors", "customers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do.

    *name* names the instructions, `prompts/NAME.LANG.md`, which hold no word of anybody's. *data* is what
    it is done with (words of customers, articles, notes): texts, numbers, lists and mappings, handed over
    as data and never as an instruction. *by* is who asks (`tg:7`, `page:anna`, "" = the bot itself);
    *names* are names of people known to the caller, masked wherever they stand in the data. *shape* "json":
    the reply is one JSON object.
    """

    name: str
    audience: Audience
    data: Mapping[str, Any]
    language: str = "ru"
    shape: Literal["text", "json"] = "text"
    by: str = ""
    names: tuple[str, ...] = ()
    customer: int | None = None
    conversation: int | None = None
    ticket: int | None = None
    longest: int = 700  # tokens of the reply
    seconds: float | None = None  # to wait at most; None = as the config says


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, with everything masked put back in: *text*, or *data* where JSON was asked for."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0


class Assistant(Protocol):
    """Who does tasks. Whoever has none goes on as if it did not exist."""

    def allows(self, audience: Audience) -> bool:
        """Whether the owner lets it work for them."""
        ...

    async def complete(self, task: Task) -> Reply:
        """Do the task, within its time. Raises `AssistantError`; a repeat asks anew."""
        ...
