"""The line to VK: vk_api as client on daemon threads, one pace for all of them, and plain HTTP for files and
polling.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import jconfig
import requests
import vk_api
from aiohttp_socks import ProxyConnector, ProxyError
from requests.adapters import HTTPAdapter
from vk_api.exceptions import ApiError, ApiHttpError, VkApiError
from vk_api.vk_api import VkApiGroup

from bot.adapters.base import File
from bot.adapters.url_safety import PublicResolver, check_address
from bot.adapters.vk.errors import VkRefusal, VkSilence
from bot.errors import Refused, RetryLater

API_VERSION = "5.199"
API_HOSTS = ("https://api.vk.ru/", "https://api.vk.com/")
CONNECT, READ = 5.0, 20.0  # seconds
LARGEST = 50 * 1024 * 1024  # bytes of a file we fetch
UPLOAD_SECONDS = 120.0
PER_SECOND = 16.0  # VK takes 20
_BROKEN = (aiohttp.ClientError, TimeoutError, OSError, ProxyError)


class _Rehost(HTTPAdapter):
    """Sends what is meant for VK's API host to *base* instead, and never waits for ever."""

    def __init__(self, base: str | None, timeout: tuple[float, float]) -> None:
        self._base, self._timeout = base and base.rstrip("/"), timeout
        super().__init__()

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Any:
        if self._base:
            parts = urllib.parse.urlsplit(request.url)
            request.url = self._base + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(
            request,
            stream=stream,
            timeout=timeout or self._timeout,
            verify=verify,
            cert=cert,
            proxies=proxies,
        )


class Limiter:
    """Calls begin evenly, whichever thread makes them: VK counts what reaches it within a second, bunched by
    the network or not.
    """

    def __init__(self, per_second: float = PER_SECOND, burst: int = 2) -> None:
        self._step, self._ahead = 1 / per_second, (burst - 1) / per_second
        self._next = time.monotonic() + self._ahead
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until this call may begin."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now)
            pause = self._next - self._ahead - now
            self._next += self._step
        if pause > 0:
            time.sleep(pause)


class _Workers:
    """A few daemon threads: unlike an executor's they do not keep a stopping process alive while a call
    hangs.
    """

    def __init__(self, count: int, name: str) -> None:
        self._jobs: queue.SimpleQueue[
            tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]] | None
        ] = queue.SimpleQueue()
        self._count, self._name = count, name
        self._threads: list[threading.Thread] = []

    async def do(self, job: Callable[[], Any]) -> Any:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, name=f"{self._name}-{n}", daemon=True)
                for n in range(self._count)
            ]
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((loop, future, job))
        return await future

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    def stop(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        self._threads = []

    def _work(self) -> None:
        while (work := self._jobs.get()) is not None:
            loop, future, job = work
            if future.cancelled():
                continue
            result: Any = None
            problem: BaseException | None = None
            try:
                result = job()
            except Exception as error:  # noqa: BLE001 - it is the caller's: handed over, not swallowed
                problem = error
            try:
                loop.call_soon_threadsafe(_settle, future, result, problem)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return


def _settle(future: asyncio.Future[Any], result: Any, problem: BaseException | None) -> None:
    if future.done():
        return
    if problem is None:
        future.set_result(result)
    else:
        future.set_exception(problem)


class VkClient:
    """One community's account.

    All methods may be repeated; none of them logs or raises anything with the token in it.
    """

    def __init__(
        self,
        token: str,
        *,
        api_base: str | None = None,
        proxy: str | None = None,
        threads: int = 4,
        timeout: tuple[float, float] = (CONNECT, READ),
    ) -> None:
        self._token, self._api_base, self._proxy, self._timeout = token, api_base, proxy, timeout
        self._workers = _Workers(threads, "vk")
        self._aside = _Workers(2, "vk-aside")
        self._sessions: list[requests.Session] = []
        self._limiter = Limiter()
        self._local = threading.local()
        self._http: aiohttp.ClientSession | None = None
        self._files: aiohttp.ClientSession | None = None

    @property
    def busy(self) -> bool:
        """Whether calls already wait: then cosmetics had better not be added."""
        return self._workers.waiting > 0 or self._aside.waiting > 1

    async def call(self, method: str, **parameters: Any) -> Any:
        """VK's answer to *method*.

        Raises `VkRefusal` with VK's error, `VkSilence` where there was no usable answer.
        """
        given = {name: _plain(value) for name, value in parameters.items() if value is not None}
        return await self._workers.do(lambda: self._call(method, given))

    async def call_aside(self, method: str, **parameters: Any) -> Any:
        """The same for what may fail or hang without holding up anybody's words: names, typing, read
        marks.
        """
        given = {name: _plain(value) for name, value in parameters.items() if value is not None}
        return await self._aside.do(lambda: self._call(method, given))

    async def poll(self, server: str, key: str, ts: str, wait: int) -> Mapping[str, Any]:
        """One answer of the Long Poll server. Raises `VkSilence`."""
        url = server if "://" in server else f"https://{server}"
        query = {"act": "a_check", "key": key, "ts": ts, "wait": str(wait)}
        try:
            async with self._session().get(
                url, params=query, timeout=aiohttp.ClientTimeout(total=wait + 5)
            ) as answer:
                status, body = answer.status, await answer.text(errors="replace")
        except _BROKEN as error:
            raise VkSilence(f"longpoll: {type(error).__name__}") from None
        return _object(body, status, "longpoll")

    async def upload(self, url: str, field: str, file: File) -> Mapping[str, Any]:
        """The upload server's answer. Raises `VkSilence`."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(
            field,
            file.content,
            filename=file.name or "file",
            content_type=file.mime or "application/octet-stream",
        )
        try:
            async with self._session().post(
                url, data=form, timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
            ) as answer:
                status, body = answer.status, await answer.text(errors="replace")
        except _BROKEN as error:
            raise VkSilence(f"upload: {type(error).__name__}") from None
        return _object(body, status, "upload")

    async def fetch(self, url: str, *, largest: int = LARGEST, hops: int = 3) -> File:
        """The file at *url*.

        Raises `Refused` where it is gone or larger than *largest* bytes, `RetryLater` otherwise.
        """
        session = self._session() if self._is_own(url) else self._foreign(url)
        try:
            async with session.get(
                url, timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS), allow_redirects=False
            ) as answer:
                if answer.status in (301, 302, 303, 307, 308) and hops:
                    return await self.fetch(
                        urllib.parse.urljoin(url, answer.headers.get("Location", "")),
                        largest=largest,
                        hops=hops - 1,
                    )
                if answer.status in (400, 401, 403, 404, 410):
                    raise Refused(f"VK does not give the file any more ({answer.status})", code="file_gone")
                if answer.status != 200:
                    raise RetryLater(f"file: HTTP {answer.status}", after=5)
                content = bytearray()
                async for part in answer.content.iter_chunked(64 * 1024):
                    content += part
                    if len(content) > largest:
                        raise Refused(
                            f"the file is larger than {largest // (1024 * 1024)} MB", code="file_large"
                        )
                return File(bytes(content), mime=answer.content_type)
        except _BROKEN as error:
            raise RetryLater(f"file: {type(error).__name__}", after=5) from None

    async def close(self) -> None:
        self._workers.stop()
        self._aside.stop()
        for session in self._sessions:
            session.close()
        for line in (self._http, self._files):
            if line is not None:
                await line.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None or self._http.closed:
            if self._proxy and self._proxy.startswith("socks"):
                connector: aiohttp.BaseConnector = ProxyConnector.from_url(
                    self._proxy.replace("socks5h:", "socks5:"), rdns=True, limit=16
                )
                self._http = aiohttp.ClientSession(connector=connector)
            else:
                self._http = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=16), proxy=self._proxy
                )
        return self._http

    def _is_own(self, url: str) -> bool:
        """Whether it leads to the API server named in the config (a test server on this machine)."""
        return (
            bool(self._api_base)
            and urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(str(self._api_base)).netloc
        )

    def _foreign(self, url: str) -> aiohttp.ClientSession:
        """For addresses that came in a message: they may lead out, never in (bot/adapters/url_safety.py)."""
        check_address(url)
        if self._proxy:
            return self._session()
        if self._files is None or self._files.closed:
            self._files = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=8, resolver=PublicResolver())
            )
        return self._files

    def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        if not hasattr(self._local, "vk"):
            self._local.vk = self._make()  # each thread its own: a VkApi holds its lock during the call
        self._limiter.wait()
        # The library's exceptions hold the parameters with the token: none of them may leave here, not even
        # as a cause.
        try:
            return self._local.vk.method(method, parameters)
        except ApiError as error:
            problem: Exception = VkRefusal(
                int(error.code), self._clean(str(error.error.get("error_msg", "")))
            )
        except ApiHttpError as error:
            problem = VkSilence(f"{method}: HTTP {error.response.status_code}")
        except (
            requests.RequestException,
            VkApiError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OSError,
        ) as error:
            problem = VkSilence(f"{method}: {type(error).__name__}")
        raise problem

    def _make(self) -> vk_api.VkApi:
        session = requests.Session()
        session.trust_env = False
        self._sessions.append(session)
        if self._proxy:
            proxy = self._proxy.replace(
                "socks5:", "socks5h:"
            )  # names are resolved at the other end, as above
            session.proxies = {"http": proxy, "https": proxy}
        for host in API_HOSTS:
            session.mount(host, _Rehost(self._api_base, self._timeout))
        vk = VkApiGroup(
            token=self._token, api_version=API_VERSION, session=session, config=jconfig.MemoryConfig
        )
        vk.error_handlers.clear()  # they sleep and recurse without a limit; patience is the outbox's
        return vk

    def _clean(self, text: str) -> str:
        return text.replace(self._token, "<token>") if self._token else text


def _plain(value: Any) -> Any:
    """VK takes forms: lists with commas, truth as 0 and 1, structures as JSON."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (list, tuple)):
        return ",".join(str(v) for v in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _object(body: str, status: int, what: str) -> Mapping[str, Any]:
    if status != 200:
        raise VkSilence(f"{what}: HTTP {status}")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise VkSilence(f"{what}: not JSON") from None
    if not isinstance(answer, dict):
        raise VkSilence(f"{what}: not an object")
    return answer
