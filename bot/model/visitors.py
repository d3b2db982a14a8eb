"""Who writes in a chat that the business itself shows, and what is shown there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LineKind = Literal["message", "edit", "remove", "notice"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """The customer at the other end of such a chat.

    `login` is who they are where the business knows them ("" = nobody told), `joined` the chat in which this
    one goes on. `last` is the number of the newest line, `read` that of the last one they have seen, `unread`
    how many messages came since. `seen` is when they were last there, told roughly; `mailed` when a letter
    went to `email` because they were not.
    """

    channel: str
    chat: str
    conversation: int
    customer: int
    login: str = ""
    joined: str = ""
    last: int = 0
    read: int = 0
    unread: int = 0
    seen: datetime | None = None
    mailed: datetime | None = None
    email: str = ""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One thing that happened in the chat: a message that came, or a change of one (`message` is its source).

    `source` is what it was made of, so that the same again is the same line; `own` = the visitor's. `payload`
    is JSON, what is shown by now: the line of a change has that of its message.
    """

    source: str
    kind: LineKind
    at: datetime
    payload: str = ""
    message: str = ""
    own: bool = False
    edited: bool = False
    number: int = 0
