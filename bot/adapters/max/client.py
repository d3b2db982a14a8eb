"""The line to MAX: maxapi's client without its own repeats; JSON comes back, every failure is one of our
errors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import urllib.parse
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp_socks import ProxyConnector, ProxyError
from maxapi import Bot
from maxapi.client.default import DefaultConnectionProperties
from maxapi.client.ssl import create_default_ssl_context
from maxapi.enums.http_method import HTTPMethod
from maxapi.exceptions import InvalidToken, MaxApiError, MaxConnection

from bot.adapters.base import File
from bot.adapters.max.errors import MaxCallResult, judge, judge_network, judge_unreadable, read_refusal
from bot.adapters.url_safety import PublicResolver, check_address
from bot.errors import AccountError, BotError, Refused, RetryLater, Uncertain
from bot.text.problems import advice, told

API_BASE = "https://platform-api2.max.ru"
LARGEST = 50 * 1024 * 1024  # bytes of a file we fetch
UPLOAD_SECONDS = 120.0
_CONNECT = 10  # seconds until a connection must stand
_HARMLESS = 5.0  # seconds that the question after a break may take
_AGAIN = 2.0  # seconds until it is asked again
_LONGEST_PAUSE = 300.0
_BROKEN = (aiohttp.ClientError, TimeoutError, OSError, ProxyError)
logging.getLogger("backoff").setLevel(logging.CRITICAL)  # the client's word on each failed call: we have ours


class MaxClient:
    """One bot's account. Raises nothing before the first call, whatever the token looks like."""

    def __init__(
        self,
        token: str,
        *,
        api_base: str | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._token, self._base = token.strip(), (api_base or API_BASE).rstrip("/")
        self._ca_file, self._proxy, self._timeout = ca_file, proxy, timeout
        self._bot: Bot | None = None
        self._connector: aiohttp.BaseConnector | None = None
        self._files: aiohttp.ClientSession | None = None
        self._broken, self._trying = False, asyncio.Lock()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Mapping[str, Any]:
        """The answer of one call. Raises the errors of the table in max/errors; `success: false` is one."""
        heard = SimpleNamespace(retry_after="")
        given: dict[str, Any] = {} if body is None else {"json": body}
        found: BotError
        try:
            answer = await self._opened().request(
                HTTPMethod(method),
                path,
                is_return_raw=True,
                params={k: str(v) for k, v in (params or {}).items()},
                timeout=aiohttp.ClientTimeout(total=timeout or self._timeout, sock_connect=_CONNECT),
                allow_redirects=False,
                trace_request_ctx=heard,
                **given,
            )
        except InvalidToken:
            found = judge(MaxCallResult(401, "verify.token", ""))
        except MaxApiError as error:
            found = self._judged(error.code, error.raw, heard.retry_after)
        except MaxConnection as error:
            found = judge_network(error.__cause__)
        except _BROKEN as error:
            found = judge_network(error)
        else:
            return self._succeeded(answer)
        if isinstance(found, Uncertain):
            self._broken = True
        # outside the except block: the client's own error need not travel on
        raise found

    async def stand(self) -> None:
        """After a break: ask something harmless first, so that an outage puts each message in doubt once and
        not with every try.

        Raises `RetryLater` while there is no answer: nothing was sent.
        """
        async with self._trying:
            if not self._broken:
                return
            try:
                await self.call("GET", "/me", timeout=_HARMLESS)
            except Uncertain as error:
                raise RetryLater(str(error), after=_AGAIN, scope="account", counts=False) from None
            self._broken = False

    async def upload(self, url: str, file: File) -> Mapping[str, Any]:
        """The upload server's answer, {} where it is no JSON. Raises `Refused`, `RetryLater`."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(
            "data",
            file.content,
            filename=file.name or "file",
            content_type=file.mime or "application/octet-stream",
        )
        try:
            session = await self._opened().ensure_session() if self._is_own(url) else self._foreign(url)
            async with session.post(
                url,
                data=form,
                headers={"Authorization": self._token},  # the address is MAX's own answer
                timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS),
                allow_redirects=False,
            ) as answer:
                status, text = answer.status, await answer.text(errors="replace")
        except _BROKEN as error:
            raise RetryLater(f"upload: {type(error).__name__}", after=2.0) from None
        if status in (400, 413, 415, 422):
            raise judge_unreadable(413) if status == 413 else Refused(f"upload: {status}", code="file_unfit")
        if not 200 <= status < 300:
            raise RetryLater(f"upload: HTTP {status}", after=5.0)
        try:
            told_of = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return told_of if isinstance(told_of, dict) else {}

    async def fetch(self, url: str, *, largest: int = LARGEST, hops: int = 3) -> File:
        """The file at *url*.

        Raises `Refused` where it is gone or larger than *largest* bytes, `RetryLater` otherwise.
        """
        try:
            session = await self._opened().ensure_session() if self._is_own(url) else self._foreign(url)
            async with session.get(
                url, timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS), allow_redirects=False
            ) as answer:
                if answer.status in (301, 302, 303, 307, 308) and hops:
                    there = urllib.parse.urljoin(url, answer.headers.get("Location", ""))
                    return await self.fetch(there, largest=largest, hops=hops - 1)
                if answer.status in (400, 401, 403, 404, 410):
                    raise Refused(f"MAX does not give the file any more ({answer.status})", code="file_gone")
                if answer.status != 200:
                    raise RetryLater(f"file: HTTP {answer.status}", after=5.0)
                content = bytearray()
                async for part in answer.content.iter_chunked(64 * 1024):
                    content += part
                    if len(content) > largest:
                        large = f"the file is larger than {largest // (1024 * 1024)} MB"
                        raise Refused(large, code="file_large")
                return File(bytes(content), mime=answer.content_type)
        except _BROKEN as error:
            raise RetryLater(f"file: {type(error).__name__}", after=5.0) from None

    async def close(self) -> None:
        if self._bot is not None and self._bot.session is not None:
            await self._bot.session.close()
        for line in (self._files, self._connector):
            if line is not None:
                await line.close()

    # --- parts

    def _opened(self) -> Bot:
        """The client, made when first needed: its connections belong to the running loop."""
        if not self._token:
            raise AccountError(told("max.no_token"), told("max.token_hint"))
        if self._bot is None:
            noted = aiohttp.TraceConfig()
            noted.on_request_end.append(_note_pause)
            self._connector = self._made_connector()
            through: dict[str, Any] = {}
            if self._proxy and not _is_socks(self._proxy):
                through["proxy"] = self._proxy
            line = DefaultConnectionProperties(
                timeout=self._timeout,
                sock_connect=_CONNECT,
                max_retries=0,  # law: nothing is sent twice behind the outbox's back
                connector=self._connector,
                trace_configs=[noted],
                **through,
            )
            self._bot = Bot(self._token, auto_requests=False, default_connection=line)
            self._bot.set_api_url(self._base)
        return self._bot

    def _made_connector(self) -> aiohttp.BaseConnector:
        trusted = self._trusted()
        if self._proxy and _is_socks(self._proxy):
            address = self._proxy.replace("socks5h:", "socks5:")
            return ProxyConnector.from_url(address, rdns=True, limit=16, ssl=trusted)
        return aiohttp.TCPConnector(limit=16, ssl=trusted)

    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates the API may show. Always somebody's: there is no way around the check."""
        if not self._ca_file:
            return create_default_ssl_context()
        context = ssl.create_default_context()
        try:
            context.load_verify_locations(cafile=self._ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = type(error).__name__
            raise AccountError(told("max.ca_file", reason=reason), advice("max.ca_file")) from None
        return context

    def _succeeded(self, answer: Any) -> Mapping[str, Any]:
        """Edits, deletions and actions are refused with status 200."""
        told_of: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
        if told_of.get("success") is False:
            raise self._judged(200, told_of, "")
        return told_of

    def _judged(self, status: int, raw: object, retry_after: str) -> BotError:
        if refusal := read_refusal(status, raw, _seconds(retry_after), self._token):
            return judge(refusal)
        if status == 429:
            return judge(MaxCallResult(429, "", "", _seconds(retry_after)))
        return judge_unreadable(status)

    def _is_own(self, url: str) -> bool:
        """Whether it leads to the API server of the config."""
        return urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(self._base).netloc

    def _foreign(self, url: str) -> aiohttp.ClientSession:
        """For addresses that came from outside: they may lead out, never in, and never with our token."""
        check_address(url)
        if self._files is None or self._files.closed:
            trusted = self._trusted()
            if self._proxy and _is_socks(self._proxy):
                address = self._proxy.replace("socks5h:", "socks5:")
                connector: aiohttp.BaseConnector = ProxyConnector.from_url(address, rdns=True, ssl=trusted)
            else:
                resolver = None if self._proxy else PublicResolver()
                connector = aiohttp.TCPConnector(limit=8, ssl=trusted, resolver=resolver)
            proxy = self._proxy if self._proxy and not _is_socks(self._proxy) else None
            self._files = aiohttp.ClientSession(
                connector=connector, proxy=proxy, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._files


async def _note_pause(
    session: aiohttp.ClientSession, context: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
) -> None:
    """How long MAX asks to wait: the client's own errors do not tell."""
    if (heard := context.trace_request_ctx) is not None:
        heard.retry_after = ended.response.headers.get("Retry-After", "")


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), _LONGEST_PAUSE)
    except ValueError:
        return 0.0


def _is_socks(proxy: str) -> bool:
    return proxy.startswith("socks")
