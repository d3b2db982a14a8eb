"""A supervisor sends a questionnaire from its page: whom it reaches is counted first, then it goes once."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.dialogs.flows.flow_file import FlowFile
from bot.handoff.outreach.order_replies import OFFICE
from bot.handoff.outreach.segment import UnclearCondition, choose, read_conditions
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.search import Knowledge
from bot.model import Inbound, InboundKind, Sender
from bot.model.internal import BeginBroadcast
from bot.web.security import USER
from bot.web.services import WebServices

LONGEST = 500  # characters of conditions


@dataclass(frozen=True, slots=True)
class CountedSegment:
    """Whom the conditions reach: how many, how many said no, how many cannot be reached; or what is unclear
    about the conditions.
    """

    line: str
    count: int = 0
    out: int = 0
    unreachable: int = 0
    unclear: str = ""


class QuestionnaireOrders:
    """Hands the same order in that `/broadcast` and the command line give."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    @property
    def open(self) -> bool:
        """Whether anything can be sent from here."""
        services = self._services
        return services.hand_in is not None and isinstance(services.knowledge, Knowledge)

    async def counted(self, line: str, language: str) -> CountedSegment:
        """Whom the conditions of *line* reach now."""
        services, knowledge = self._services, self._services.knowledge
        assert isinstance(knowledge, Knowledge) and services.words is not None
        similarity, channels = SimilarityMatcher(knowledge), tuple(services.channels)
        try:
            segment = read_conditions(
                line[:LONGEST],
                services.words,
                article=similarity.find,
                channels=channels,
                incidents=range(1, services.incidents.next_number),
            )
        except UnclearCondition as error:
            return CountedSegment(line, unclear=services.words.text(error.key, lang=language, **error.facts))
        except ValueError:  # a quotation mark without its other half
            return CountedSegment(
                line, unclear=services.words.text("outreach.no_value", lang=language, name=line)
            )
        chosen = await choose(
            segment, services.store, services.clock(), saying=similarity.saying, channels=channels
        )
        return CountedSegment(line, len(chosen.to), chosen.out, chosen.unreachable)

    async def send(self, request: web.Request, flow: FlowFile, line: str, key: str) -> None:
        """The order, kept once by *key*: the same form twice is one sending."""
        if self._services.hand_in is None or not key:
            raise web.HTTPServiceUnavailable(text="this page only reads")
        user = request.get(USER)
        who = Sender(user.actor, user.name) if user is not None else Sender("owner", "")
        inbound = Inbound(
            f"page:{key}",
            OFFICE,
            who,
            self._services.clock(),
            InboundKind.INTERNAL,
            private=False,
            payload=BeginBroadcast(f"questionnaire={flow.name} {line[:LONGEST]}".strip(), ""),
        )
        await self._services.hand_in(OFFICE.channel, [inbound])
