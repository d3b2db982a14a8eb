"""What the service tells itself: a timer's time came, another system or an administrator asks, a check found.

Each arrives as an inbound of kind INTERNAL in the conversation it is about, and is decided like everything
else: dialogs and the operators' side ask `isinstance(inbound.payload, …)` or `match` it. `KINDS` gives every
value the name under which it is stored; the names and fields of a released version stay readable for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.addresses import Json, Peer


class Internal:
    """The base of them all."""

    __slots__ = ()


class TimerFired(Internal):
    """A time that was set has come."""

    __slots__ = ()


class TicketTimer(TimerFired):
    """A time of an open ticket; the operators' side decides on it."""

    __slots__ = ()


class ApiRequest(Internal):
    """What another system (REST) or somebody on the pages asks for; who asks is the inbound's sender."""

    __slots__ = ()


class AdminCommand(Internal):
    """What the owner ordered from the command line of a running service."""

    __slots__ = ()


class CheckFound(Internal):
    """What a periodic check found and somebody has to decide on."""

    __slots__ = ()


# --- times of a ticket


@dataclass(frozen=True, slots=True)
class DeadlineNear(TicketTimer):
    """A deadline comes near, or is broken; *goal* is "first_reply", "next_reply" or "resolution"."""

    goal: str


@dataclass(frozen=True, slots=True)
class TicketUnclaimed(TicketTimer):
    """The ticket waits, and nobody has taken it."""


@dataclass(frozen=True, slots=True)
class OperatorSilent(TicketTimer):
    """Its operator has not answered for long."""


@dataclass(frozen=True, slots=True)
class CustomerSilent(TicketTimer):
    """The customer has not answered for long: asked whether it is solved, then closed."""


@dataclass(frozen=True, slots=True)
class SnoozeOver(TicketTimer):
    """The ticket was put off until now."""


@dataclass(frozen=True, slots=True)
class PromiseDue(TicketTimer):
    """The customer was promised an answer by now."""


@dataclass(frozen=True, slots=True)
class AssignmentDue(TicketTimer):
    """Somebody is looked for who can be given the ticket."""


@dataclass(frozen=True, slots=True)
class OperatorAway(TicketTimer):
    """The operator *operator* went away while the customer waits."""

    operator: str


@dataclass(frozen=True, slots=True)
class UpsetCustomerWaits(TicketTimer):
    """A part of the time for an answer has passed, and an upset important customer waits for it."""


@dataclass(frozen=True, slots=True)
class SuggestionsDue(TicketTimer):
    """Articles and answers for a ticket that was just opened are looked for."""


@dataclass(frozen=True, slots=True)
class FollowUpDue(TicketTimer):
    """Nobody has looked at the low score of ticket number *ticket*."""

    ticket: int


@dataclass(frozen=True, slots=True)
class SupervisorOrder(TicketTimer):
    """A supervisor's order from the overview, met by the ticket as it now is; the answer goes to *to*."""

    command: str
    value: str
    by: str  # the sender's id
    name: str
    to: Peer


@dataclass(frozen=True, slots=True)
class CompensationWaits(TicketTimer):
    """Nobody has decided on a compensation of ticket number *ticket*."""

    ticket: int


@dataclass(frozen=True, slots=True)
class CompensationDecided(TicketTimer):
    """A supervisor's *yes* (or no) to compensation *number* of ticket number *ticket*; what comes of it is
    told to *to*.
    """

    ticket: int
    number: int
    yes: bool
    by: str  # as events name people
    name: str
    to: Peer


@dataclass(frozen=True, slots=True)
class DialogScoreDue(TicketTimer):
    """The scorecard of the closed ticket number *ticket* is filled in by itself."""

    ticket: int


# --- other times


@dataclass(frozen=True, slots=True)
class BotResumed(TimerFired):
    """A person wrote past the bot and has been silent since: the bot answers again."""


@dataclass(frozen=True, slots=True)
class BroadcastPortion(TimerFired):
    """The next portion of the broadcast *mailing*, and how far it is.

    *start* is the place in its list from which nobody was tried, *late* the conversations that were busy,
    *again* how often these were tried; *said*, *blocked* and *told* are counts, *settling* how often its end
    was looked at.
    """

    mailing: str
    start: int = 0
    late: tuple[int, ...] = ()
    again: int = 0
    said: int = 0
    blocked: int = 0
    settling: int = 0
    told: int | None = None


@dataclass(frozen=True, slots=True)
class RecommendationDue(TimerFired):
    """The customer is asked whether they would recommend the business (NPS)."""


@dataclass(frozen=True, slots=True)
class RatingDue(TimerFired):
    """The customer is asked how ticket number *ticket* went, that was closed at *closed*."""

    ticket: int
    closed: datetime


@dataclass(frozen=True, slots=True)
class CheckInDue(TimerFired):
    """The customer is asked whether all is well after ticket number *ticket*, that was closed at *closed*."""

    ticket: int
    closed: datetime


@dataclass(frozen=True, slots=True)
class LowRatingSettled(TimerFired):
    """The low score of ticket number *ticket* was not corrected: the supervisors are told."""

    ticket: int


@dataclass(frozen=True, slots=True)
class SequenceStartDue(TimerFired):
    """The customer is to get the follow-up sequence *sequence*, unless they are in one."""

    sequence: str


@dataclass(frozen=True, slots=True)
class SequenceStepDue(TimerFired):
    """Step number *step* (from 0) of a sequence that began at *began* and was to come at *planned*."""

    sequence: str
    step: int
    began: datetime
    planned: datetime


@dataclass(frozen=True, slots=True)
class ReminderDue(TimerFired):
    """The customer is told the words of *key* with *facts*."""

    key: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DialogTimer(TimerFired):
    """The timer *name* that the dialog *dialog* set for itself."""

    dialog: str
    name: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormAbandoned(TimerFired):
    """A form before a handoff was not filled in: the person comes all the same."""


@dataclass(frozen=True, slots=True)
class OfferUnanswered(TimerFired):
    """A person was offered, because of *reason*, and the customer fell silent."""

    reason: str = "no_answer"


@dataclass(frozen=True, slots=True)
class BlockOver(TimerFired):
    """The time for which the customer was blocked has passed, or the supervisor *by* ended it from afar."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class LinkCodeExpired(TimerFired):
    """The code kept in the setting *name* no longer links anything."""

    name: str


@dataclass(frozen=True, slots=True)
class OtherTimer(TimerFired):
    """A timer of a kind this version does not know: an extension's own, or of another version."""

    kind: str
    data: Json = field(default_factory=dict)


# --- requests of other systems


@dataclass(frozen=True, slots=True)
class SendMessage(ApiRequest):
    """Say *text* to the customer."""

    text: str
    markdown: bool = False


@dataclass(frozen=True, slots=True)
class SetAttributes(ApiRequest):
    """Change what is known of the customer; None takes a value away."""

    attributes: Json


@dataclass(frozen=True, slots=True)
class MergeCustomers(ApiRequest):
    """Customer number *other* is the same person as *into*; or (*undone*) is themselves again."""

    into: int
    other: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class OpenTicket(ApiRequest):
    """Hand the customer over to a person, with *text* for the operators."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class CloseTicket(ApiRequest):
    """Close ticket number *ticket*."""

    ticket: int


# --- requests of somebody on the pages


@dataclass(frozen=True, slots=True)
class PageOrder(ApiRequest):
    """Do *order* (answer, note, take, close, return, reopen, transfer, snooze) with ticket number *ticket*;
    *value* are the words, or what follows the command; their styles and files are the inbound's. *ready* is
    the ready answer they were made from ("" = none), and *shown* how the page showed it.
    """

    ticket: int
    order: str
    value: str = ""
    ready: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class ReviewDialog(ApiRequest):
    """Keep what a supervisor thinks of ticket number *ticket*: *marks* by criterion, and a *remark*; *reason*
    says why they looked.
    """

    ticket: int
    marks: Json = field(default_factory=dict)
    remark: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DecideIdeas(ApiRequest):
    """*ideas* of customers get a *status* (new, considered, planned, done, declined), with a *reason*."""

    ideas: tuple[int, ...]
    status: str
    reason: str = ""


# --- orders from the command line


@dataclass(frozen=True, slots=True)
class BeginIncident(AdminCommand):
    """Tell whoever asks about it that *text* is happening; *words* name it."""

    text: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndIncident(AdminCommand):
    """The incident *number* is over; *text* is what those are told who asked."""

    number: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class BeginBroadcast(AdminCommand):
    """Say *text* to all customers of *conditions*, after the button in the operators' group."""

    conditions: str
    text: str


@dataclass(frozen=True, slots=True)
class StopBroadcast(AdminCommand):
    """Stop the broadcast *number*, "" = the one that is going on."""

    number: str = ""


# --- finds of the checks


@dataclass(frozen=True, slots=True)
class UnattendedTicket(CheckFound):
    """A customer waits and nobody is responsible; *why* is the find in a word."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class AssistantReplied(CheckFound):
    """What came of *request* to the assistant about ticket number *ticket*: *sentences* with their marks and
    the *articles* used, as `AssistantRequest` keeps them, or *why* there is nothing.
    """

    ticket: int
    request: str
    sentences: tuple[tuple[str, str], ...] = ()
    articles: tuple[tuple[str, str], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class GroupChanged(CheckFound):
    """A group of operators is not as it was: its *kind*, the rights the bot *lacks*, whether it is *gone*."""

    kind: str = ""
    lacks: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class AccountConnected(CheckFound):
    """Somebody lets the bot answer in the chats of their own account on a platform, or does so no more:
    *state* is "on", "silent" (it may only read) or "off".
    """

    channel: str
    name: str = ""
    state: str = "off"


@dataclass(frozen=True, slots=True)
class SequenceDayBegan(CheckFound):
    """The hour has come in which the day's customers of the follow-up sequences are chosen."""


@dataclass(frozen=True, slots=True)
class SurveyDayBegan(CheckFound):
    """The hour has come in which the day's customers of the survey are chosen."""


@dataclass(frozen=True, slots=True)
class TopicRise(CheckFound):
    """Customers ask about *topic* unusually often: *count* of them in the last hour, *usual* is what the hour
    has otherwise. *articles* were shown to them, *examples* are masked words.
    """

    topic: str
    count: int = 0
    usual: float = 0.0
    articles: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicCalmed(CheckFound):
    """*topic* is asked about as usual again."""

    topic: str


@dataclass(frozen=True, slots=True)
class MysteryStep(CheckFound):
    """Of the played conversation *run*: its *step*, "begin", "call" (for a person) or "end"."""

    run: str
    step: str


Payload = TimerFired | ApiRequest | AdminCommand | CheckFound

KINDS: Mapping[str, type[Payload]] = {
    "desk.goal": DeadlineNear,
    "desk.waiting": TicketUnclaimed,
    "desk.idle": OperatorSilent,
    "desk.quiet": CustomerSilent,
    "desk.snooze": SnoozeOver,
    "desk.promised": PromiseDue,
    "desk.assign": AssignmentDue,
    "desk.left": OperatorAway,
    "desk.upset_waits": UpsetCustomerWaits,
    "desk.prompt": SuggestionsDue,
    "desk.followup": FollowUpDue,
    "desk.order": SupervisorOrder,
    "desk.compensation": CompensationWaits,
    "desk.score": DialogScoreDue,
    "desk.compensation_decided": CompensationDecided,
    "relay.resume": BotResumed,
    "mailing": BroadcastPortion,
    "nps": RecommendationDue,
    "rating": RatingDue,
    "check_in": CheckInDue,
    "rating.alarm": LowRatingSettled,
    "reminder": ReminderDue,
    "dialog_timer": DialogTimer,
    "form_waited": FormAbandoned,
    "offer_waited": OfferUnanswered,
    "link.over": LinkCodeExpired,
    "desk.block": BlockOver,
    "api.say": SendMessage,
    "api.fields": SetAttributes,
    "page.merge": MergeCustomers,
    "api.open": OpenTicket,
    "api.close": CloseTicket,
    "page.order": PageOrder,
    "page.ideas": DecideIdeas,
    "page.review": ReviewDialog,
    "order.incident": BeginIncident,
    "order.incident_off": EndIncident,
    "order.broadcast": BeginBroadcast,
    "order.broadcast_stop": StopBroadcast,
    "desk.stranded": UnattendedTicket,
    "desk.group": GroupChanged,
    "desk.assistant": AssistantReplied,
    "desk.account": AccountConnected,
    "sequence.begin": SequenceStartDue,
    "sequence.step": SequenceStepDue,
    "sequence.run": SequenceDayBegan,
    "nps.run": SurveyDayBegan,
    "mystery.step": MysteryStep,
    "desk.topic_rose": TopicRise,
    "desk.topic_calm": TopicCalmed,
}
