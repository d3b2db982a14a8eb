"""What a ticket remembers beside its own columns: a typed value, changed by the transitions of the
operators' side (`bot/handoff/tickets/lifecycle.py`) and kept as JSON by the storage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.model.addresses import Json
from bot.model.messages import Span

Pair = tuple[str, str]
AssistantStatus = Literal["asked", "ready", "failed", "sent", "edited", "dropped"]


@dataclass(frozen=True, slots=True)
class Contacts:
    """How the customer of a ticket is reached, and the order it is about; "" = not known."""

    phone: str = ""
    email: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class AnswerPreview:
    """What an operator was shown before sending it: `what` is "article:id" or "canned:key"."""

    what: str
    title: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The newest answer of an operator, by the name under which it is found again, and when it was sent."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """An operator's message that waits for a yes: its id, and the question that asks about it now."""

    message: str
    question: str


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One message of the operator: an album has several, each with words of its own."""

    message: str
    text: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class SentAlbum:
    """An album as the customer got it. `part` is what of the customer's words it answers."""

    album: str
    name: str
    parts: tuple[MessagePart, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step of the playbook that was done: which, by whom (id and name), when."""

    step: str
    by: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Compensation:
    """What an operator gives a customer for their trouble, or asks to be allowed to give.

    *decision* is "" while a supervisor's yes is awaited, "own" where the operator's limit allowed it.
    *step* is the step of the playbook it belongs to.
    """

    number: int  # among those of the ticket, from 1 on
    amount: float
    reason: str
    by: str
    name: str
    at: datetime
    step: str = ""
    decision: Literal["", "own", "yes", "no"] = ""
    decided_by: str = ""  # the name
    decided: datetime | None = None
    reminders: int = 0  # how often it was said that nobody decides


@dataclass(frozen=True, slots=True)
class ScoreMark:
    """How one criterion of the scorecard was met; *value* "" = not seen, or of no use here. *words* are what
    it was seen by.
    """

    criterion: str
    value: Literal["", "yes", "partly", "no"] = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class DialogScore:
    """The scorecard of a dialog, filled in by itself (*by* is "") or by a supervisor, with their remark.

    *reason* says why a supervisor looked at it: sample, low_rating, mystery or chosen.
    """

    marks: tuple[ScoreMark, ...]
    at: datetime
    by: str = ""
    name: str = ""
    reason: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class AssistantRequest:
    """What an operator asked the assistant for about this ticket, and what came of it.

    *task* is draft, shorten, soften, translate, understand (the customer's words for the operator) or
    summary; *given* the operator's own words it works on. *by* "" = the ticket changed hands, nobody asked.
    *sentences* are (mark, words): "" may go to the customer, "unsupported" is said by no article, "internal"
    by one for operators alone. *articles* are (what, title) of those that were used. *why* names what failed.
    """

    id: str
    task: str
    by: str
    name: str
    at: datetime
    on_page: bool = False  # asked for in the browser, and shown there alone
    given: str = ""
    status: AssistantStatus = "asked"
    sentences: tuple[Pair, ...] = ()
    articles: tuple[Pair, ...] = ()
    why: str = ""

    @property
    def text(self) -> str:
        """What may go to the customer as it is."""
        return "".join(words for mark, words in self.sentences if not mark).strip()

    @property
    def is_doubtful(self) -> bool:
        """Whether it says what should not go to the customer unread."""
        return any(mark for mark, _ in self.sentences)


@dataclass(frozen=True, slots=True)
class TicketState:
    """Everything a ticket knows that no query asks for. Nothing here is set by hand: see the transitions."""

    # the customer and the question, as the card shows them
    name: str = ""
    username: str = ""
    channel: str = ""  # as operators call it
    contacts: Contacts = Contacts()
    attributes: tuple[tuple[str, object], ...] = ()  # (name, value) of the profile
    transcript: tuple[Pair, ...] = ()  # (who, what), masked
    candidates: tuple[tuple[str, float], ...] = ()  # (title, score) of the articles near the question
    hints: tuple[Pair, ...] = ()  # (what, title): offered to the operator as buttons
    article_shown: str = ""  # what the bot answered with before
    past: tuple[int, ...] = ()  # numbers of the customer's earlier tickets
    tags: tuple[str, ...] = ()

    # whose it is
    team: str = ""
    desk: str = ""  # the team in whose group it is shown, "" = in that of all
    queued: datetime | None = None  # in the queue again since
    assigned: datetime | None = None  # given to its operator, or theirs again
    previous_operator: str = ""  # whoever gave it back: not the next one to get it
    reminders: int = 0  # how often it was said that nobody takes it
    transfer_told: bool = False  # the customer has heard that it was handed on

    # what is owed, and until when
    asked: datetime | None = None  # the customer waits for an answer since
    answered: datetime | None = None
    woken: datetime | None = None
    reopened: datetime | None = None
    quiet_asked: datetime | None = None  # the silent customer was asked whether it is solved
    warned: tuple[str, ...] = ()  # names of the deadlines that are near
    breached: tuple[str, ...] = ()
    snoozed_until: datetime | None = None
    promise_due: datetime | None = None
    promise: str = ""  # what was promised to the customer
    wish_at: datetime | None = None  # from when the customer wants the answer
    wish_until: datetime | None = None
    wish_by: str = ""  # and where: "phone", "email", the name of a channel; "" = in the chat

    upset_told: datetime | None = None  # the supervisors were told that an important customer is upset
    upset_waited: datetime | None = None  # and that they still wait

    # the customer while nobody has it
    place_told: int = 0  # in the queue
    wrote: datetime | None = None
    calls: int = 0  # for a person, with nothing else in them
    calls_announced: bool = False
    articles_told: tuple[str, ...] = ()  # answered by the bot meanwhile

    # an operator's messages
    preview: AnswerPreview | None = None
    last_words: LastAnswer | None = None
    held: tuple[HeldMessage, ...] = ()
    albums: tuple[SentAlbum, ...] = ()
    tapped: tuple[int, ...] = ()  # outbox rows whose button was pressed: once is enough
    assistant: tuple[AssistantRequest, ...] = ()  # the newest ones

    # what is to be done, and what was allowed
    playbook: str = ""  # "" = none fitted, "-" = taken away by an operator
    playbook_by: str = ""  # who chose it; "" = it was chosen by itself
    steps_done: tuple[DoneStep, ...] = ()
    steps_asked: bool = False  # it was said at closing that steps are open: once is enough
    compensations: tuple[Compensation, ...] = ()

    # afterwards
    closed_over_silence: bool = False  # any words of the customer open it again
    rated: datetime | None = None  # for the first time
    comment: str = ""
    followup: Literal["", "open", "done"] = ""  # whether somebody looked at a low score
    apologized: datetime | None = None
    scored: DialogScore | None = None  # by itself
    reviewed: DialogScore | None = None  # by a supervisor

    # what this version cannot read (written by a newer one) is kept as it is
    unread: Json = field(default_factory=dict)
