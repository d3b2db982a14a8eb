"""Carries out the calls of flows over HTTP: to hosts of the config's list only, in time, without redirects.

Secrets are put in here and nowhere before, so no file, page or log shows them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping

import aiohttp

from bot.adapters.url_safety import PublicResolver, check_address
from bot.config.faults import VARIABLE
from bot.dialogs.flows.connector import ConnectorAnswer, ConnectorFailed, ConnectorRequest
from bot.dialogs.flows.flow_reader import allowed
from bot.errors import Refused

LARGEST = 1_000_000  # bytes of an answer that are read
TRIES = 2  # of what may be repeated


class HttpConnector:
    """*hosts* are those that may be called, *environment* holds the secrets.

    A host written as `shop.example` is called by https at public addresses only; one written out
    (`http://127.0.0.1:8099`) wherever it is.
    """

    def __init__(self, hosts: Collection[str], environment: Mapping[str, str]) -> None:
        self._hosts, self._environment = tuple(hosts), environment

    async def call(self, request: ConnectorRequest) -> ConnectorAnswer:
        """Raises `ConnectorFailed`; what may be repeated is tried twice within its time."""
        url = self._with_secrets(request.url)
        if not allowed(url, self._hosts):
            raise ConnectorFailed("the host is not on the list")
        headers = {
            "Accept": "application/json",
            "User-Agent": "otklik-flow/1",
            "Idempotency-Key": request.key,
            **({"Content-Type": "application/json; charset=utf-8"} if request.body is not None else {}),
            **{name: self._with_secrets(value) for name, value in request.headers.items()},
        }
        body = None if request.body is None else self._with_secrets(request.body).encode()
        try:
            async with asyncio.timeout(request.timeout):
                return await self._tried(request, url, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Refused) as error:
            raise ConnectorFailed(f"no answer: {type(error).__name__}") from None

    async def _tried(
        self, request: ConnectorRequest, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> ConnectorAnswer:
        is_open = any("://" in host and url.lower().startswith(host.lower()) for host in self._hosts)
        if not is_open:
            check_address(url)
        opened = aiohttp.TCPConnector() if is_open else aiohttp.TCPConnector(resolver=PublicResolver())
        async with aiohttp.ClientSession(connector=opened, cookie_jar=aiohttp.DummyCookieJar()) as session:
            for attempt in range(1, TRIES + 1):
                last = attempt == TRIES or not request.repeat
                try:
                    answer = await _called(session, request.method, url, headers, body)
                except (aiohttp.ClientError, OSError):
                    if last:
                        raise
                    continue
                if last or answer.status < 500:
                    return answer
        raise ConnectorFailed("no answer")

    def _with_secrets(self, text: str) -> str:
        """Raises `ConnectorFailed` where one is not set."""
        if missing := [name for name in VARIABLE.findall(text) if not self._environment.get(name)]:
            raise ConnectorFailed(f"the variable {missing[0]} is not set")
        return VARIABLE.sub(lambda found: self._environment[found[1]], text)


async def _called(
    session: aiohttp.ClientSession, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> ConnectorAnswer:
    # law: a redirect would lead the secret elsewhere
    async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
        raw = await answer.content.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ValueError("the answer is too long")
        try:
            found = json.loads(raw) if raw.strip() else None
        except ValueError:
            if 200 <= answer.status < 300:
                raise
            found = None
        return ConnectorAnswer(answer.status, found)
