"""/incident: a supervisor says what is broken, customers hear it before they have to wait, and those who
asked hear when it is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.handoff.card import numbered
from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach.broadcasts import Broadcast
from bot.handoff.outreach.order_replies import (
    TextSimilarity,
    acknowledged,
    answer,
    answers_to,
    by_whom,
    ordered,
)
from bot.handoff.outreach.segment import SegmentSource
from bot.handoff.tone_remarks import remarked_last
from bot.model import Button, Incident, Outbound, OutboundKind, Outcome, Priority, RichText, Turn
from bot.model.incidents import OFF

LONGEST = 700  # characters of what customers are told
RECENT = 60  # newest questions that are tried, to show what the words would catch
SHOWN = 3


Waits = Callable[[datetime], datetime | None]


class IncidentCommands:
    """Sets incidents and ends them. *meant* gives the ids of the articles of a title or a topic; *title* is
    the way back.

    *waits* tells until when customers are not written to.
    """

    def __init__(
        self,
        desk: DeskContext,
        source: SegmentSource,
        similarity: TextSimilarity,
        *,
        meant: Callable[[str], tuple[str, ...]],
        title: Callable[[str], str],
        waits: Waits,
    ) -> None:
        self._desk, self._source, self._similarity, self._meant, self._title, self._waits = (
            desk,
            source,
            similarity,
            meant,
            title,
            waits,
        )

    async def command(self, turn: Turn, rest: str) -> Outcome:
        """/incident; /incident text | words; /incident off [number] [text]."""
        first, _, more = rest.partition(" ")
        if not rest:
            return await self._listed(turn)
        if first.casefold() in {w.casefold() for w in self._desk.texts.options("outreach.off")}:
            number, _, text = more.strip().partition(" ")
            return (
                await self.end(turn, number, text.strip())
                if number.isdecimal()
                else await self.end(turn, "", more.strip())
            )
        text, _, words = rest.partition("|")
        return await self.begin(
            turn, text.strip(), [w.strip() for w in words.replace("\n", ",").split(",") if w.strip()]
        )

    async def begin(self, turn: Turn, text: str, named: Sequence[str]) -> Outcome:
        """A new incident.

        *named* are words (or titles of articles, or topics) that questions about it have; without them its
        own words and meaning serve.
        """
        desk = self._desk
        if not text or len(text) > LONGEST:
            return answer(desk, turn, "outreach.incident_how", most=LONGEST)
        new = Incident(desk.incidents.next_number, text, by=by_whom(turn))
        if any(i.subject.casefold() == new.subject.casefold() for i in desk.incidents.open):
            return answer(desk, turn, "outreach.incident_known", text=new.subject)
        articles = tuple(dict.fromkeys(id for n in named for id in self._meant(n)))
        words = tuple(n for n in named if not self._meant(n))
        if not named:
            articles = await asyncio.to_thread(self._similarity.related, new.subject)
        new = replace(new, words=words, articles=articles)
        tried, caught = await self._would_catch(turn, new)
        off = Button(
            desk.texts.text("outreach.button.off", lang=desk.lang),
            "incident_off",
            str(new.number),
            style="danger",
        )
        outcome = answer(
            desk,
            turn,
            "outreach.incident_on",
            ((off,),),
            f"incident:{new.number}",
            number=new.number,
            text=text,
            words=words,
            own=not named,
            articles=[self._title(a) for a in articles],
            tried=tried,
            caught=len(caught),
            examples=caught[:SHOWN],
        )
        outcome = remarked_last(desk, outcome, new.text, has_way_out=True)  # the banner ends with one
        event = new.event()
        return replace(outcome, events=(replace(event, actor=ordered(turn, "").actor),))

    async def end(self, turn: Turn, number: str, text: str) -> Outcome:
        """The incident is over: whoever heard of it is told once.

        *number* may be left out where there is only one.
        """
        desk, known = self._desk, self._desk.incidents.open
        if not known:
            return answer(desk, turn, "outreach.incident_none")
        if not number and len(known) > 1:
            return answer(
                desk,
                turn,
                "outreach.incident_which",
                open=[{"number": i.number, "text": i.subject} for i in known],
            )
        incident = next((i for i in known if number in ("", str(i.number))), None)
        if incident is None:
            return answer(desk, turn, "outreach.no_incident", number=number, open=[i.number for i in known])
        met = tuple(await self._source.incident_met(incident.number))
        broadcast = Broadcast(
            f"i{incident.number}",
            RichText(text),
            met,
            answers_to(desk, turn),
            by_whom(turn),
            "going",
            {"incident": incident.subject},
        )
        outcome = answer(
            desk,
            turn,
            "outreach.incident_off",
            number=incident.number,
            text=incident.subject,
            count=len(met),
            waits=self._waits(turn.now),
            now=turn.now,
        )
        event = ordered(turn, OFF, number=incident.number, count=len(met))
        say = (
            *acknowledged(desk, turn, "desk.done"),
            *outcome.messages,
            *self._without_button(turn, incident),
        )
        if not met:
            return replace(outcome, messages=say, events=(event,))
        return replace(
            outcome,
            messages=say,
            events=(event,),
            settings=broadcast.kept(),
            timers=(broadcast.first(turn.now),),
        )

    async def pressed(self, turn: Turn, value: str) -> Outcome:
        """The button under an incident; a late press does nothing."""
        if value.isdecimal() and any(i.number == int(value) for i in self._desk.incidents.open):
            return await self.end(turn, value, "")
        return replace(
            answer(self._desk, turn, "outreach.incident_none"),
            messages=acknowledged(self._desk, turn, "outreach.incident_none"),
        )

    def _without_button(self, turn: Turn, incident: Incident) -> tuple[Outbound, ...]:
        """The message that announced it says so and loses its button, if it stands here."""
        if (to := answers_to(self._desk, turn)) is None:
            return ()
        text = self._desk.texts.say(
            "outreach.incident_was", lang=self._desk.lang, number=incident.number, text=incident.text
        )
        return (
            Outbound(
                to,
                text,
                kind=OutboundKind.EDIT,
                edits=f"incident:{incident.number}",
                priority=Priority.COSMETIC,
                author="",
            ),
        )

    async def _listed(self, turn: Turn) -> Outcome:
        desk = self._desk
        rows = [
            {
                "number": i.number,
                "text": i.text,
                "by": i.by,
                "since": i.since,
                "met": len(await self._source.incident_met(i.number)),
                "words": i.words,
                "articles": [self._title(a) for a in i.articles],
            }
            for i in desk.incidents.open
        ]
        off = desk.texts.text("outreach.button.off", lang=desk.lang)
        numbers = {str(i.number): numbered(i.number, desk.texts, desk.lang) for i in desk.incidents.open}
        offs = tuple((Button(f"{off} {sign}", "incident_off", number),) for number, sign in numbers.items())
        return answer(desk, turn, "outreach.incidents", offs, open=rows, now=turn.now)

    async def _would_catch(self, turn: Turn, incident: Incident) -> tuple[int, list[str]]:
        """How many of the newest questions of a day were tried, and those that it would have answered."""
        newest: deque[str] = deque(maxlen=RECENT)
        after = 0
        while rows := await self._source.words_since(turn.now - timedelta(days=1), after=after):
            after = rows[-1].id
            newest.extend(r.text for r in rows if len(r.text) > 3 and not r.text.startswith("/"))
        caught = await asyncio.to_thread(
            lambda: [
                t
                for t in dict.fromkeys(newest)
                if self._similarity.fits(t, incident.subject, incident.words, incident.articles)
            ]
        )
        return len(newest), [t[:80] for t in caught]
