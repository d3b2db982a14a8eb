"""The line to the Bot API: aiogram's methods go out, plain JSON comes back, every failure is one of our
errors.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Protocol

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    GetMe,
    GetUpdates,
    SendChatAction,
    SendMessage,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientError, ClientTimeout
from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

from bot.adapters.telegram.errors import judge, judge_network, judge_unreadable
from bot.errors import AccountError, BotError, Refused, RetryLater, Uncertain
from bot.text.problems import told

_CONNECT = 10.0  # seconds until a connection must stand
_HARMLESS = 5.0  # seconds that the question after a break may take
_AGAIN = 2.0  # seconds until it is asked again
# What is said all day carries no files: as JSON it costs a tenth of a form. Fields that were not given are
# left to the server.
_PLAIN = (
    SendMessage,
    EditMessageText,
    EditMessageCaption,
    EditMessageReplyMarkup,
    AnswerCallbackQuery,
    GetUpdates,
    SendChatAction,
)
_JSON = {"Content-Type": "application/json"}
_NETWORK = (ClientError, OSError, TimeoutError, ProxyError, ProxyConnectionError, ProxyTimeoutError)


class ApiConnection(Protocol):
    """What the parts of the adapter need of the Bot API."""

    async def call(self, method: TelegramMethod[Any], *, timeout: float | None = None) -> Any:
        """The `result` of the answer, as JSON. Raises the errors of the table in telegram_errors."""
        ...


class TelegramConnection:
    """One bot's account on one server.

    Raises nothing before the first call, whatever the token looks like.
    """

    def __init__(
        self, token: str, *, api_base: str | None = None, proxy: str | None = None, timeout: float = 30.0
    ) -> None:
        server = TelegramAPIServer.from_base(api_base) if api_base else PRODUCTION
        self._session = _PlainSession(proxy=proxy, api=server, timeout=timeout)
        try:
            self._bot: Bot | None = Bot(token, session=self._session)
        except TokenValidationError:
            self._bot = None
        self._broken, self._trying = False, asyncio.Lock()

    @property
    def bot_id(self) -> int:
        """The bot's own user id, which is the first half of its token; 0 where the token is no token."""
        return self._bot.id if self._bot else 0

    async def call(self, method: TelegramMethod[Any], *, timeout: float | None = None) -> Any:
        if self._bot is None:
            raise AccountError(told("telegram.no_token"), told("telegram.token_hint"))
        try:
            return await self._bot(method, request_timeout=timeout)  # type: ignore[arg-type]  # seconds need not be whole
        except Uncertain:
            self._broken = True
            raise

    async def stand(self) -> None:
        """After a break: ask something harmless first, so that an outage puts each message in doubt once and
        not with every try.

        Raises `RetryLater` while there is no answer: nothing was sent.
        """
        async with self._trying:
            if not self._broken:
                return
            try:
                await self.call(GetMe(), timeout=_HARMLESS)
            except Uncertain as error:
                raise RetryLater(str(error), after=_AGAIN, scope="account", counts=False) from None
            self._broken = False

    async def download(self, path: str, *, limit: int) -> bytes:
        """The content of a file that getFile named.

        Raises `Refused` above *limit* bytes, `RetryLater` for every outage.
        """
        if self._bot is None:
            raise AccountError(told("telegram.no_token"), told("telegram.token_hint"))
        if path.startswith("/"):  # a Bot API server of one's own with --local names its own disk
            return await asyncio.to_thread(_read_disk, Path(path), limit)
        return await self._session.download(self._bot, path, limit)

    async def close(self) -> None:
        await self._session.close()


class _PlainSession(AiohttpSession):
    """Answers stay plain: a field that aiogram's types require and a server does not know must not stop the
    bot.
    """

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: float | None = None
    ) -> Any:
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        given: dict[str, Any]
        if isinstance(method, _PLAIN):
            given = {
                "data": method.model_dump_json(exclude_unset=True, exclude_none=True, warnings=False),
                "headers": _JSON,
            }
        else:
            given = {"data": self.build_form_data(bot=bot, method=method)}
        limits = ClientTimeout(total=self.timeout if timeout is None else timeout, sock_connect=_CONNECT)
        problem: BotError
        try:
            async with session.post(url, **given, timeout=limits, allow_redirects=False) as response:
                status, content = response.status, await response.read()
        except _NETWORK as error:
            problem = judge_network(error)
        else:
            return _result(status, content, bot.token)
        # outside the except block: the network's own error knows the URL, and the URL knows the token
        raise problem

    async def close(self) -> None:
        """As aiogram does, but it waits for TLS connections to say goodbye only where there are some."""
        if self._session is not None and not self._session.closed:
            await self._session.close()
            if self.api.base.startswith("https"):
                await asyncio.sleep(0.25)

    async def download(self, bot: Bot, path: str, limit: int) -> bytes:
        session = await self.create_session()
        limits = ClientTimeout(total=120, sock_connect=_CONNECT)
        problem: BotError
        try:
            async with session.get(
                self.api.file_url(bot.token, path), timeout=limits, allow_redirects=False
            ) as response:
                if response.status == 404:
                    problem = Refused("the file is gone", code="file_gone")
                elif response.status != 200:
                    problem = RetryLater(f"the file was answered with {response.status}", after=5)
                else:
                    chunks, size = [], 0
                    async for chunk in response.content.iter_chunked(1 << 16):
                        size += len(chunk)
                        if size > limit:
                            raise Refused("the file is too big", code="file_large")
                        chunks.append(chunk)
                    return b"".join(chunks)
        except _NETWORK as error:
            judged = judge_network(error)
            problem = RetryLater(str(judged), after=5) if isinstance(judged, Uncertain) else judged
        raise problem


def _read_disk(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise Refused(
            "the Bot API server runs with --local on another disk: share its folder or run it without --local"
        )
    if path.stat().st_size > limit:
        raise Refused("the file is too big", code="file_large")
    return path.read_bytes()


def _result(status: int, content: bytes, token: str) -> Any:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or "ok" not in body:
        raise judge_unreadable(status)
    if body["ok"] is True and status < 300:
        return body.get("result")
    raise judge(status, body, token=token)
