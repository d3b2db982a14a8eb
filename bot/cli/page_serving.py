"""How a process serves its pages, over all restarts of its service."""

from __future__ import annotations

import contextlib
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.app import Service
from bot.cli.process_signals import ProcessSignals
from bot.cli.site import site_of
from bot.web.setup_services import SetupServices
from bot.web.site import KeptPort, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServing:
    """The pages at one *port* (None: the config's; with *retry* a neighbour of it where it is taken).

    *key* and *secret*: see `WebServices`. *play*: see `SetupServices`.
    """

    signals: ProcessSignals
    port: int | None = None
    retry: bool = False
    key: str = ""
    secret: bytes = b""
    play: Callable[[bool], None] | None = None
    kept: KeptPort = field(default_factory=KeptPort)
    open_now: list[Site] = field(default_factory=list)

    async def open(
        self, service: Service, *, playground: Sequence[str] = (), live: bool = False, setup: bool = True
    ) -> Site:
        """The pages of *service*, open. *live*: the real channels run, so that a group can be chosen.

        Raises `ConfigError` where the port is taken.
        """
        config = service.config
        owner = self._setup(service, live=live) if setup else None
        site = site_of(service, playground=playground, setup=owner, key=self.key, secret=self.secret)
        port = config.web.port if self.port is None else self.port
        await site.start_on(self.kept.socket(config.web.host, port, retry=self.retry))
        self.open_now[:] = [site]
        return site

    def restart(self) -> None:
        """Let the process read its settings again; the site that is open takes nobody any more. Raises
        `ConfigError` where they are wrong, and nothing changes.
        """
        self.signals.go_on_with_files()
        for site in self.open_now:
            site.take_no_more()

    def _setup(self, service: Service, *, live: bool) -> SetupServices | None:
        config = service.config
        if config.file is None:
            return None
        return SetupServices(
            folder=config.base,
            file=config.file,
            restart=self.restart,
            play=self.play,
            live=live,
            desk=lambda: service.desk.context.places.binding.place,
        )


def show_in_browser(url: str) -> None:
    """Open a page, where there is a browser."""
    with contextlib.suppress(Exception):
        webbrowser.open(url)
