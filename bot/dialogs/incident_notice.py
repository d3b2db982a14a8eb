"""While something is broken, whoever asks about it hears that first: once, above the ordinary answer, and is
remembered for when it is over.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.question_stage import PersonOffered
from bot.dialogs.reply import human_button
from bot.dialogs.short_answers import language_of
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.outreach.order_replies import TextSimilarity
from bot.i18n.texts import Texts
from bot.model import Event, InboundKind, Incident, Outbound, Outcome, Result, Status, Turn
from bot.model.incidents import MET

PATIENCE = 5.0  # seconds the comparison may take: an answer never waits longer for it
ASKING = frozenset(
    {"out_of_scope", "low_confidence", "clarified"}
)  # the bot does not know, or not surely: then the incident is the answer
_OWN = frozenset({"rating", "nps", "form", "outreach"})  # answers to our own questions are about those
_NUMBER = re.compile(r"^\d+\. ")

log = logging.getLogger(__name__)


class Banner:
    """Stands around the dialogs: what they decide is kept, with the incident's words before it.

    *has_met* tells whether an incident's words were said in a conversation.
    """

    def __init__(
        self,
        flow: Callable[[Turn], Awaitable[Outcome]],
        incidents: Incidents,
        similarity: TextSimilarity,
        texts: Texts,
        has_met: Callable[[int, int], Awaitable[bool]],
    ) -> None:
        self._flow, self._incidents, self._similarity, self._texts = flow, incidents, similarity, texts
        self._has_met = has_met

    async def __call__(self, turn: Turn) -> Outcome:
        outcome = await self._flow(turn)
        if not self._incidents.open or outcome.dialog in _OWN or not _asks(turn):
            return outcome
        try:
            async with asyncio.timeout(PATIENCE):
                new = [
                    i
                    for i in reversed(self._incidents.open)
                    if not await self._has_met(i.number, turn.conversation.id)
                ]
                found = await asyncio.to_thread(self._fitting, turn, new)
        except Exception:
            log.exception("incident not compared on turn %s", turn.id)
            return outcome
        return outcome if found is None else self._told(turn, outcome, found)

    def _fitting(self, turn: Turn, new: Sequence[Incident]) -> Incident | None:
        """The first of those that were not told here yet which is asked about."""
        peer, lang = turn.conversation.peer, language_of(turn, self._texts.lang)
        for incident in new:
            if self._similarity.fits(
                turn.text,
                incident.subject,
                incident.words,
                incident.articles,
                language=lang,
                channel=peer.channel,
            ):
                return incident
        return None

    def _told(self, turn: Turn, outcome: Outcome, incident: Incident) -> Outcome:
        handed_over = outcome.result is Result.HANDED_OFF
        lang = language_of(turn, self._texts.lang)
        text = self._texts.say(
            "incident.banner",
            lang=lang,
            customer=turn.customer,
            now=turn.now,
            text=incident.text,
            offer=not handed_over,
        )
        banner = Outbound(
            turn.conversation.peer, text, () if handed_over else ((human_button(turn, self._texts),),)
        )
        met = Event(MET, data={"number": incident.number, "channel": turn.conversation.peer.channel})
        if outcome.result is Result.CLARIFIED and outcome.reason in ASKING:
            state = DialogState.of(turn).now(turn, stage=PersonOffered())
            offered = [b for o in outcome.messages for row in o.buttons for b in row if b.action == "article"]
            titles = tuple((replace(b, label=_NUMBER.sub("", b.label)),) for b in offered)
            banner = replace(banner, buttons=(*titles, *banner.buttons))
            return Outcome(
                "incident",
                Result.ANSWERED,
                "incident",
                (banner,),
                state=state,
                customer=outcome.customer,
                events=(met,),
                explanation=outcome.explanation,
            )
        return replace(outcome, messages=(banner, *outcome.messages), events=(*outcome.events, met))


def _asks(turn: Turn) -> bool:
    """Whether a customer whom no person answers wrote words."""
    return (
        turn.conversation.status is Status.BOT
        and turn.inbounds[0].kind is InboundKind.MESSAGE
        and bool(turn.text.strip())
        and not turn.text.startswith("/")
    )
