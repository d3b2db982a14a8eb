"""Writing to customers first, as supervisors order it: in the desk, by a button, from the command line, and
as time brings the next portion.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import notice
from bot.handoff.outreach import idea_decisions, low_rating, sequence_commands, topic_notices
from bot.handoff.outreach.broadcast_commands import Broadcasts
from bot.handoff.outreach.broadcasts import BroadcastSender, BroadcastSource
from bot.handoff.outreach.incident_commands import IncidentCommands
from bot.handoff.outreach.order_replies import TextSimilarity, answer, is_ordered
from bot.handoff.outreach.questionnaires import Questionnaire
from bot.handoff.outreach.segment import UnclearCondition
from bot.handoff.outreach.sequences import Sequences
from bot.handoff.outreach.surveys import Surveys
from bot.model import Internal, Outcome, Result, Turn
from bot.model.internal import (
    AccountConnected,
    BeginBroadcast,
    BeginIncident,
    BroadcastPortion,
    DecideIdeas,
    EndIncident,
    SequenceDayBegan,
    StopBroadcast,
    SurveyDayBegan,
    TopicCalmed,
    TopicRise,
)
from bot.text.day_spans import DaySpan

PRESSES = frozenset(
    {
        "incident_off",
        "broadcast_send",
        "broadcast_drop",
        "broadcast_stop",
        *low_rating.PRESSES,
        *topic_notices.PRESSES,
        *sequence_commands.PRESSES,
    }
)


@dataclass(frozen=True, slots=True)
class OutreachCommands:
    """What writing to customers first needs besides the desk.

    *article* finds the id of an article by its title, *meant* the ids of a title or a topic, *title* is the
    way back.
    """

    source: BroadcastSource
    similarity: TextSimilarity
    channels: Collection[str]
    hours: DaySpan
    per_second: float
    article: Callable[[str], str]
    meant: Callable[[str], tuple[str, ...]]
    title: Callable[[str], str]
    surveys: Surveys
    sequences: Sequences
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=dict)

    def sender(self, desk: DeskContext) -> BroadcastSender:
        return BroadcastSender(
            desk, self.source, hours=self.hours, per_second=self.per_second, channels=self.channels
        )

    def incidents(self, desk: DeskContext) -> IncidentCommands:
        waits = self.sender(desk).waits
        return IncidentCommands(
            desk, self.source, self.similarity, meant=self.meant, title=self.title, waits=waits
        )

    def broadcasts(self, desk: DeskContext) -> Broadcasts:
        return Broadcasts(
            desk,
            self.sender(desk),
            self.similarity,
            channels=self.channels,
            article=self.article,
            questionnaires=self.questionnaires,
        )


async def incident(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    return await desk.outreach.incidents(desk).command(turn, rest)


async def broadcast(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    return await desk.outreach.broadcasts(desk).command(turn, rest)


async def followups(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """What goes on after a talk: low scores nobody has looked at, and the sequences."""
    if rest and (ordered := await sequence_commands.command(desk, turn, rest)) is not None:
        return ordered
    return await sequence_commands.with_sequences(desk, turn, await low_rating.listed(desk, turn))


def sorry(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    return low_rating.sorry(desk, turn, rest)


async def pressed(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The buttons under an incident, a broadcast and a low rating."""
    action = turn.press.action if turn.press else ""
    if action == "incident_off":
        return await desk.outreach.incidents(desk).pressed(turn, value)
    if action in low_rating.PRESSES:
        return await low_rating.pressed(desk, turn, action)
    if action in topic_notices.PRESSES:
        return await topic_notices.pressed(desk, turn, value)
    if action in sequence_commands.PRESSES:
        return await sequence_commands.pressed(desk, turn, action, value)
    if action not in PRESSES:
        return notice(desk, turn, "desk.old_button")
    return await desk.outreach.broadcasts(desk).pressed(turn, action, value)


async def on_timer(desk: DeskContext, turn: Turn) -> Outcome | None:
    """A portion of a broadcast, a round of surveys, an order from the command line; None = none of these."""
    match turn.inbounds[0].payload:
        case BroadcastPortion() as portion:
            return await desk.outreach.sender(desk).portion(turn, portion)
        case SurveyDayBegan():
            return await desk.outreach.surveys.run(turn)
        case SequenceDayBegan():
            return await _sequences_run(desk, turn)
        case AccountConnected(channel, name, state):
            title = desk.places.title(channel)
            return answer(desk, turn, f"desk.account_{state}", name=name, channel=title)
        case (TopicRise() | TopicCalmed()) as find:
            return await topic_notices.found(desk, turn, find)
        case Internal() as command if is_ordered(turn):
            return await _ordered(desk, turn, command)
    return None


async def _sequences_run(desk: DeskContext, turn: Turn) -> Outcome:
    """The day's customers of the segments; the desk hears of conditions that mean nothing."""
    broadcasts, unclear = desk.outreach.broadcasts(desk), list[UnclearCondition]()

    async def chosen(conditions: str, now: datetime) -> Sequence[int]:
        try:
            return (await broadcasts.chosen(turn, broadcasts.segment(conditions))).to
        except UnclearCondition as error:
            unclear.append(error)
            return ()

    begun = await desk.outreach.sequences.run(turn, chosen)
    told = [o for error in unclear for o in answer(desk, turn, error.key, **error.facts).messages]
    return replace(begun, messages=tuple(told))


async def _ordered(desk: DeskContext, turn: Turn, command: Internal) -> Outcome:
    """From the command line, or a page."""
    match command:
        case DecideIdeas() as order:
            return await idea_decisions.decided(desk, turn, order)
        case BeginIncident(text, words):
            return await desk.outreach.incidents(desk).begin(turn, text, words)
        case EndIncident(number, text):
            return await desk.outreach.incidents(desk).end(turn, str(number), text)
        case BeginBroadcast(conditions, text):
            return await desk.outreach.broadcasts(desk).order(turn, conditions, text)
        case StopBroadcast(number):
            return await desk.outreach.broadcasts(desk).command(turn, f"stop {number}".strip())
    return Outcome("desk", Result.IGNORED, "unknown_order")
