"""What customers suggest to the business, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

IdeaStatus = Literal["new", "considered", "planned", "done", "declined"]
STATUSES: tuple[IdeaStatus, ...] = get_args(IdeaStatus)
TOLD: frozenset[IdeaStatus] = frozenset({"done", "declined"})  # of these the customers hear


@dataclass(frozen=True, slots=True)
class Idea:
    """A suggestion, or the support of one: then `joined` is the idea that is meant, 0 where it is one itself.

    `customer` is whoever said it, None where they were forgotten: the words are gone then, the count stays.
    """

    id: int
    conversation: int
    customer: int | None
    at: datetime
    text: str
    joined: int = 0
    status: IdeaStatus = "new"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewIdea:
    """The customer of the turn suggests *text*; once for the same words of the same conversation."""

    text: str


@dataclass(frozen=True, slots=True)
class IdeaSupport:
    """The customer of the turn wants *idea*, too. *own*: with what they suggested last themselves, which is
    the same; a second support of one conversation changes nothing.
    """

    idea: int
    own: bool = False


@dataclass(frozen=True, slots=True)
class IdeaDecision:
    """What the business makes of these ideas, and why."""

    ideas: tuple[int, ...]
    status: IdeaStatus
    reason: str = ""


IdeaChange = NewIdea | IdeaSupport | IdeaDecision
