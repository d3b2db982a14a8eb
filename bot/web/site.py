"""The page as a running server: on a free port if asked, with the service's services behind it."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from bot.adapters.base import Adapter
from bot.clock import Clock
from bot.config.loader import Config
from bot.dialogs.offline_decision import Judge
from bot.errors import ConfigError
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.search import Knowledge
from bot.observability import Observers
from bot.storage.base import Store
from bot.text.problems import problem
from bot.web.api.keys import Keys
from bot.web.api.rest import AcceptRequest, Rest
from bot.web.server import build_app
from bot.web.services import Hook, WebServices

NEIGHBOURS = 20  # ports that are tried after the wished one


class Site:
    """Made of the parts of a service; `start` opens it, `stop` closes it. `url` is where it is."""

    def __init__(
        self,
        config: Config,
        store: Store,
        channels: Mapping[str, Adapter],
        clock: Clock,
        knowledge: Knowledge,
        hours: Hours,
        observers: Observers,
        *,
        topic_name: Callable[[int], Awaitable[str]] | None = None,
        playground: Sequence[str] = (),
        moved: Callable[[], object] = lambda: None,
        words: Texts | None = None,
        enqueued: Callable[[], object] = lambda: None,
        incidents: Incidents | None = None,
        accept: AcceptRequest | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._host = config.web.host
        self.services = WebServices(
            store,
            channels,
            clock,
            knowledge=knowledge,
            playground=playground,
            hooks=_hooks(channels),
            title=config.business.name,
            timezone=hours.zone,
            language=config.business.language,
            host=config.web.host,
            password=config.web.password.get_secret_value() if config.web.password else "",
            moved=moved,
            open_at=hours.is_open,
            hours=hours,
            answer_within=config.report.answer_within,
            answer_share=config.report.answer_share,
            topic_name=topic_name,
            words=words,
            enqueued=enqueued,
            incidents=incidents or Incidents(),
            judge=judge,
            rest=_rest(config, store, accept, clock),
        )
        observers.add(self.services)
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
                site = web.TCPSite(self._runner, self._host, number)
                await site.start()
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES) and number != wished[-1]:
                    continue
                await self._runner.cleanup()
                raise ConfigError([problem("config.port", port=number, host=self._host)]) from error
            break
        bound = self._runner.addresses[0][1]
        self.url = f"http://{'127.0.0.1' if self._host in ('0.0.0.0', '::') else self._host}:{bound}/"

    async def watch(self, knowledge: Knowledge) -> None:
        """Tell open pages about changed articles, until cancelled."""
        await knowledge.watch(self.services.tell_reloaded)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _rest(config: Config, store: Store, accept: AcceptRequest | None, clock: Clock) -> Rest | None:
    """The door for other systems; None without keys. Raises `ConfigError`."""
    keys = Keys.load(config.api, config.path(config.api.file) if config.api.file else None)
    return None if keys is None or accept is None else Rest(store, accept, keys, clock)


def _hooks(channels: Mapping[str, Adapter]) -> dict[str, Hook]:
    """The webhooks of the channels that have one."""
    return {name: route.handler for name, adapter in channels.items() for route in adapter.routes()}
