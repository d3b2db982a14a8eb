"""The page as a running server: on a free port if asked, with the service's services behind it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket

from aiohttp import web

from bot.errors import ConfigError
from bot.knowledge.search import Knowledge
from bot.observability import Observers
from bot.text.problems import problem
from bot.web.server import build_app
from bot.web.services import WebServices

NEIGHBOURS = 20  # ports that are tried after the wished one


class Site:
    """The page over the *services*; `start` opens it, `stop` closes it. `url` is where it is."""

    def __init__(self, services: WebServices, observers: Observers) -> None:
        self.services = services
        observers.add(services)
        self._runner: web.AppRunner | None = None
        self._listening: web.SockSite | None = None
        self._ending: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self, *, port: int, retry: bool) -> None:
        """Listen. With *retry* a taken port is passed over for one of its neighbours, then for any free one.

        Raises `ConfigError` where the port cannot be had.
        """
        app = build_app(self.services)
        await self._serve(app, listen(self.services.host, port, retry=retry))

    async def start_on(self, listener: socket.socket) -> None:
        """Serve on an open socket, and close it in the end; a copy (`dup`) that somebody keeps lets callers
        wait meanwhile.
        """
        await self._serve(build_app(self.services), listener)

    async def _serve(self, app: web.Application, listener: socket.socket) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        self._listening = web.SockSite(self._runner, listener)
        await self._listening.start()
        host = self.services.host
        self.url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{listener.getsockname()[1]}/"

    def take_no_more(self) -> None:
        """New callers wait for whoever listens next (`KeptPort`); those who are here are still answered."""
        if self._listening is not None and self._ending is None:
            self._ending = asyncio.create_task(_end(self._listening))

    async def watch(self, knowledge: Knowledge) -> None:
        """Tell open pages about changed articles, until cancelled."""
        await knowledge.watch(self.services.tell_reloaded)

    async def stop(self) -> None:
        if self._ending is not None:
            await self._ending
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


async def _end(listening: web.SockSite) -> None:
    with contextlib.suppress(RuntimeError):  # the runner has ended it meanwhile
        await listening.stop()


class KeptPort:
    """The port of the pages over restarts of the service: who calls meanwhile waits, and is not refused."""

    def __init__(self) -> None:
        self._kept: socket.socket | None = None
        self._wished: tuple[str, int] | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing was served here yet."""
        return self._kept is None

    def socket(self, host: str, port: int, *, retry: bool = False) -> socket.socket:
        """A copy of the socket that listens there. Raises `ConfigError` where it cannot be had."""
        if self._kept is None or self._wished != (host, port):
            self.close()
            self._kept, self._wished = listen(host, port, retry=retry), (host, port)
        return self._kept.dup()

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def listen(host: str, port: int, *, retry: bool) -> socket.socket:
    """A socket that listens; with *retry* on a neighbour of a taken *port*, then on any free one.

    Raises `ConfigError` where none can be had.
    """
    wished = [port, *range(port + 1, port + 1 + NEIGHBOURS), 0] if retry and port else [port]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in wished:
        try:
            return socket.create_server((host, number), family=family, backlog=128)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES) and number != wished[-1]:
                continue
            raise ConfigError([problem("config.port", port=port, host=host)]) from error
    raise AssertionError("unreachable")
