"""What a flow asks another system, as a value; who carries it out is given from outside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import jmespath

from bot.dialogs.flows.flow_file import FlowRequest
from bot.dialogs.flows.flow_templates import filled, filled_json, filled_url

LONGEST = 1000  # characters of a value that is taken out of an answer


class ConnectorFailed(Exception):
    """No answer came, or none that may be used; the text is for the log and holds no secret."""


@dataclass(frozen=True, slots=True)
class ConnectorRequest:
    """One call. `${NAME}` in *url*, *headers* and *body* is a secret that whoever carries it out puts in.

    *key* is the same however often this step of this conversation is decided: the other side can tell a
    repeat by it.
    """

    method: str
    url: str
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    timeout: float = 5.0
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class ConnectorAnswer:
    """What came: the status, and the JSON (None where it was none)."""

    status: int
    json: object = None


class Connector(Protocol):
    """Carries out calls."""

    async def call(self, request: ConnectorRequest) -> ConnectorAnswer:
        """Raises `ConnectorFailed`."""
        ...


class NoConnector:
    """Where nobody may be called: the command line and pages that only show what the bot would say."""

    async def call(self, request: ConnectorRequest) -> ConnectorAnswer:
        raise ConnectorFailed("there is no connector here")


def request_of(described: FlowRequest, known: Mapping[str, str], key: str) -> ConnectorRequest:
    """The call of a step with what is known. Raises `UnfitValue`."""
    safe = {name: _without_variables(value) for name, value in known.items()}
    headers = {
        name: filled(value, safe).replace("\r", " ").replace("\n", " ") for name, value in _rows(described)
    }
    body = (
        None if described.body is None else json.dumps(filled_json(described.body, safe), ensure_ascii=False)
    )
    return ConnectorRequest(
        described.method,
        filled_url(described.url, known),
        key,
        headers,
        body,
        described.timeout,
        described.may_repeat,
    )


def _without_variables(value: str) -> str:
    """Law: what a customer wrote never becomes the name of a variable, nor a part of one."""
    return re.sub(r"\A\{", " {", re.sub(r"\$(?=\{|\Z)", "$ ", value))


def key_of(*parts: object) -> str:
    """A name for a call that tells nothing about the customer."""
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def taken(paths: Mapping[str, str], found: object) -> dict[str, str]:
    """What *paths* find in the JSON of an answer, as words; "" where there is nothing."""
    return {name: _words(jmespath.search(path, found)) for name, path in paths.items()}


def _words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)[:LONGEST]
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)[:LONGEST]
    return json.dumps(value, ensure_ascii=False)[:LONGEST]


def _rows(described: FlowRequest) -> list[tuple[str, str]]:
    return list(described.headers.items())
