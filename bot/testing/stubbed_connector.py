"""Other systems as a test or a story describes them: what answers a call of a flow, and what was called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.dialogs.flows.connector import ConnectorAnswer, ConnectorFailed, ConnectorRequest


@dataclass(frozen=True, slots=True)
class StubbedReply:
    """What answers: a status with JSON; 0 = no answer comes."""

    status: int = 200
    json: object = None


@dataclass(slots=True)
class StubbedConnector:
    """Answers by "METHOD url"; a call that nobody described fails, as it would without a network."""

    replies: Mapping[str, StubbedReply]
    called: list[ConnectorRequest] = field(default_factory=list)

    async def call(self, request: ConnectorRequest) -> ConnectorAnswer:
        self.called.append(request)
        found = self.replies.get(f"{request.method} {request.url}")
        if found is None or not found.status:
            raise ConnectorFailed(f"nobody answers {request.method} {request.url}")
        return ConnectorAnswer(found.status, found.json)
