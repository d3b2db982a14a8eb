"""The page as a running server: on a free port if asked, with the service's services behind it."""

from __future__ import annotations

import errno

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
        self.url = ""

    async def start(self, *, port: int, retry: bool) -> None:
        """Listen. With *retry* a taken port is passed over for one of its neighbours, then for any free one.

        Raises `ConfigError` where the port cannot be had.
        """
        self._runner = web.AppRunner(build_app(self.services), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        wished = [port, *range(port + 1, port + 1 + NEIGHBOURS), 0] if retry and port else [port]
        for number in wished:
            try:
                site = web.TCPSite(self._runner, self.services.host, number)
                await site.start()
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES) and number != wished[-1]:
                    continue
                await self._runner.cleanup()
                raise ConfigError([problem("config.port", port=number, host=self.services.host)]) from error
            break
        bound = self._runner.addresses[0][1]
        host = self.services.host
        self.url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{bound}/"

    async def watch(self, knowledge: Knowledge) -> None:
        """Tell open pages about changed articles, until cancelled."""
        await knowledge.watch(self.services.tell_reloaded)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
