"""The flows of the owner's folder, read, and what they act with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.config.environment import environment_beside
from bot.config.handoff import length
from bot.config.loader import Config
from bot.delivery.http_connector import HttpConnector
from bot.dialogs.flows.connector import Connector
from bot.dialogs.flows.flow_file import FlowFile, by_language
from bot.dialogs.flows.flow_reader import FlowFolder, FlowRules, read_flows
from bot.handoff.outreach.questionnaires import Questionnaire
from bot.knowledge.search import Knowledge


@dataclass(frozen=True, slots=True)
class FlowParts:
    """The flows, who carries out their calls, and the secret that makes their codes."""

    flows: Mapping[str, FlowFile]
    connector: Connector
    secret: bytes


def open_flows(config: Config, knowledge: Knowledge | None = None) -> FlowFolder:
    """The flows of the config. Raises `ConfigError` with every fault of their files."""

    def has_article(id: str) -> bool:
        return knowledge is None or knowledge.article(id) is not None

    rules = FlowRules(
        config.flows.hosts, config.dialogs.timeout, has_article, environment_beside(config.base)
    )
    return read_flows(config.path(config.flows.folder), rules)


def questionnaires_of(flows: Mapping[str, FlowFile]) -> dict[str, Questionnaire]:
    """Those of the flows that a supervisor sends."""
    return {
        flow.name: Questionnaire(
            flow.name,
            by_language(flow.questionnaire.invite),
            by_language(flow.questionnaire.button or ""),
            (length(flow.questionnaire.remind) or timedelta()).total_seconds(),
        )
        for flow in flows.values()
        if flow.questionnaire is not None
    }


def open_connector(config: Config) -> Connector:
    return HttpConnector(config.flows.hosts, environment_beside(config.base))
