"""Whom the service asks about itself today, and whether somebody was asked anything lately."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta, tzinfo

from bot.config.handoff import NpsSettings, length
from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach.broadcasts import opening
from bot.handoff.outreach.order_replies import OFFICE
from bot.handoff.outreach.segment import SegmentMember, SegmentSource, wants_none
from bot.model import Event, Inbound, InboundKind, Outbound, Outcome, Result, Sender, Status, Timer, Turn
from bot.model.internal import RecommendationDue, SurveyDayBegan
from bot.text.day_spans import DaySpan

RUN = "nps.run"  # why the day's customers were chosen
ASK = "nps"  # the survey's name
ASKED = "_asked"  # ends the names of the fields that keep when a survey was last asked
APART = timedelta(seconds=2)  # between two customers
CHECKED_IN, SEQUENCE_SAID = "_checked_in", "_said_first"  # fields that keep when those were last said
DAY = timedelta(hours=20)  # between two of them, so that the hour of the day stays


def asked_lately(
    fields: Mapping[str, object], now: datetime, own: str, pause: timedelta, apart: timedelta
) -> bool:
    """Whether the survey *own* was asked within *pause*, or any other within *apart*."""
    asked = {
        name: at
        for name, value in fields.items()
        if name.endswith(ASKED) and (at := moment(value)) is not None
    }
    return any(now - at < (pause if name == own + ASKED else apart) for name, at in asked.items())


def rests_until(fields: Mapping[str, object], now: datetime, *others: str) -> datetime:
    """From when a customer may be written to first: never twice a day by the bot's own will."""
    said = (moment(fields.get(name)) for name in others)
    return max([now, *(at + DAY for at in said if at is not None)])


class Surveys:
    """Once a day, in the hours in which customers are written to first."""

    def __init__(
        self,
        rules: NpsSettings,
        source: SegmentSource,
        *,
        hours: DaySpan,
        zone: tzinfo,
        channels: Collection[str],
    ) -> None:
        self._rules, self._source, self._hours, self._zone, self._channels = (
            rules,
            source,
            hours,
            zone,
            frozenset(channels),
        )
        hour, _, minute = rules.at.partition(":")
        self._at = time(int(hour), int(minute))
        self._begun = ""

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """The day's inbound when its time has come; its key makes it one, whatever restarts."""
        local = now.astimezone(self._zone)
        day = local.date().isoformat()
        if (
            not self._rules.ask
            or local.time() < self._at
            or opening(now, self._hours, self._zone) > now
            or day == self._begun
        ):
            return ()
        self._begun = day
        return (
            Inbound(
                f"nps:{day}",
                OFFICE,
                Sender(""),
                now,
                InboundKind.INTERNAL,
                private=False,
                payload=SurveyDayBegan(),
            ),
        )

    async def run(self, turn: Turn) -> Outcome:
        """A timer for each of the day's customers; whether they are still to be asked is looked at when it
        fires.
        """
        best: dict[int, SegmentMember] = {}
        busy = set[int]()  # in talks with a person, on whatever channel
        after = 0
        while rows := await self._source.listeners(after=after):
            after = rows[-1].conversation
            busy |= {row.customer.id for row in rows if row.status is not Status.BOT}
            for row in rows:
                if self._may_be_asked(row, turn.now) and (
                    (known := best.get(row.customer.id)) is None or _wrote(row) > _wrote(known)
                ):
                    best[row.customer.id] = row
        chosen = sorted((r for id, r in best.items() if id not in busy), key=_wrote)[: self._rules.per_day]
        later = tuple(
            Timer(
                f"{ASK}:{row.conversation}",
                RecommendationDue(),
                turn.now + n * APART,
                conversation=row.conversation,
            )
            for n, row in enumerate(chosen)
        )
        return Outcome(
            "desk",
            Result.ANSWERED,
            RUN,
            timers=later,
            events=(Event("nps_run", data={"count": len(chosen)}),),
        )

    def _may_be_asked(self, row: SegmentMember, now: datetime) -> bool:
        if (
            row.status is not Status.BOT
            or not row.reachable
            or row.peer.channel not in self._channels
            or wants_none(row.customer)
            or row.wrote is None
        ):
            return False
        recent, quiet = length(self._rules.recent) or timedelta(), length(self._rules.quiet) or timedelta()
        return quiet <= now - row.wrote <= recent and not lately(self._rules, row.customer.fields, now)


def lately(rules: NpsSettings, fields: Mapping[str, object], now: datetime) -> bool:
    """Whether the customer was asked this or anything else too lately to be asked now."""
    apart, checked = length(rules.apart) or timedelta(), moment(fields.get(CHECKED_IN))
    return (
        asked_lately(fields, now, ASK, length(rules.every) or timedelta(), apart)
        or (checked is not None and now - checked < apart)
        or rests_until(fields, now, SEQUENCE_SAID) > now
    )


def commented(desk: DeskContext, turn: Turn, score: int, text: str) -> tuple[Outbound, ...]:
    """A customer's words to their score, for the first desk; nothing while there is none."""
    name = turn.customer.name if turn.customer else ""
    return tuple(
        notices.in_desk(desk, place, None, "nps.comment", score=score, name=name, text=text)
        for place in desk.places.groups()[:1]
    )


def _wrote(row: SegmentMember) -> float:
    return row.wrote.timestamp() if row.wrote else 0.0


def moment(value: object) -> datetime | None:
    """An aware moment from its ISO form; None for anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
