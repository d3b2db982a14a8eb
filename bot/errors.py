"""Everything that can go wrong, as a tree. Each class says in its docstring what it means for the one who
catches it.

BotError
├── ConfigError            config.yaml, an article, a template: all problems at once, with file and line
├── AccountError           a token or right is missing: the channel stops and says so, the others go on
├── StorageError
│   ├── StorageBusy        another process owns the file
│   ├── StorageNewer       the file was written by a newer version
│   └── Conflict           somebody changed the same thing meanwhile: take the turn again
└── DeliveryError          a send did not simply succeed
    ├── RetryLater         not delivered; try again after `after` seconds
    ├── Uncertain          nobody can tell whether it was delivered
    ├── PeerGone           the customer or chat cannot be reached any more
    ├── TopicGone          the thread was deleted: make it again
    ├── ChatMoved          the chat has a new id
    ├── BadFormat          the styling was refused: send it plain
    └── Refused            will never be accepted; needs a person
        └── TopicRefused   the chat has no topics, or the bot may not use them: say it in the chat itself
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class BotError(Exception):
    """The root: anything this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it is and what to do, in the user's words.

    Never holds the value of a secret.
    """

    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    code: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.line, self.column) if p)
        return " ".join(
            p
            for p in (
                f"{place}:" if place else "",
                self.code,
                self.text,
                f"→ {self.hint}" if self.hint else "",
            )
            if p
        )


class ConfigError(BotError):
    """A text that people write (config, article, template) cannot be used; `problems` lists everything wrong
    at once.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)


class AccountError(BotError):
    """The account of a channel cannot be used: wrong token, no rights. `hint` says how to mend it."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class StorageError(BotError):
    """The store could not do what was asked; nothing of it was done."""


class StorageBusy(StorageError):
    """Another process owns the database file."""


class StorageNewer(StorageError):
    """The database was written by a newer version of the program."""


class VersionConflict(StorageError):
    """What the decision was based on has changed meanwhile; take the turn again."""


class DeliveryError(BotError):
    """A send did not simply succeed; the subclass says what that means.

    *code* names the reason for people (`desk.why_undelivered` in the locales); the text is the platform's,
    for the log.
    """

    code = ""

    def __init__(self, text: str = "", *, code: str = "") -> None:
        super().__init__(text)
        self.code = code or self.code


class RetryLater(DeliveryError):
    """Certainly not delivered. Try again after *after* seconds, pausing the peer or the whole account.

    *doubted*: it may have been delivered, and the other side knows a repeat by its id; the doubt is kept on
    record.
    """

    code = "no_answer"

    def __init__(
        self,
        text: str = "",
        after: float = 1.0,
        scope: Literal["peer", "account"] = "peer",
        counts: bool = True,
        doubted: bool = False,
    ) -> None:
        super().__init__(text)
        self.after, self.scope, self.counts, self.doubted = after, scope, counts, doubted


class Uncertain(DeliveryError):
    """The call was under way when the connection broke: it may have been carried out."""


class PeerGone(DeliveryError):
    """The peer cannot be reached any more (blocked, deleted, kicked) until it writes again."""

    code = "peer_gone"


class TopicGone(DeliveryError):
    """The thread does not exist any more."""


class ChatMoved(DeliveryError):
    """The chat has a new id; send there."""

    def __init__(self, text: str, chat: str) -> None:
        super().__init__(text)
        self.chat = chat


class BadFormat(DeliveryError):
    """The platform refused the styling; the plain text may pass."""


class Refused(DeliveryError):
    """The platform will never accept this; a person must look."""


class TopicRefused(Refused):
    """The chat has no topics now, or the bot lacks the right to open or enter this one."""

    code = "rights"
