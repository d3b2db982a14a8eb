"""`bot setup`: the set-up pages, from an empty folder to a bot at work, in one process and at one address."""

from __future__ import annotations

import secrets
from pathlib import Path

import typer

from bot.app import Overrides, Service, build_service
from bot.cli import settings
from bot.cli.messages import language, say
from bot.cli.page_serving import PageServing, show_in_browser
from bot.cli.playground import open_playground, show_playground
from bot.cli.process_signals import ProcessSignals
from bot.clock import Clock
from bot.config.loader import Config
from bot.knowledge.search import Knowledge
from bot.observability import Observers
from bot.setup.owner_folder import CONFIG
from bot.storage.sqlite.store import SqliteStore
from bot.web.services import WebServices
from bot.web.setup_services import SetupServices
from bot.web.site import Site

HOST, PORT = "127.0.0.1", 8080  # law: whatever the config says, these pages open at this machine alone


class SetupProcess:
    """Serves the set-up pages of *folder* until it is told to stop. It tries the bot out first; the page
    starts the real channels.

    law: the pages take tokens, so they open only to whoever has the address with the key, and while the bot
    is tried out no channel is opened: no customer is answered by a trial.
    """

    def __init__(self, folder: Path, port: int | None) -> None:
        self._file = folder / CONFIG
        self._folder, self._playing = folder, True
        self._pages = PageServing(
            signals=ProcessSignals(self._file),
            port=PORT if port is None else port,
            retry=port is None,
            key=secrets.token_urlsafe(18),
            secret=secrets.token_bytes(32),
            play=self._play,
        )

    async def run(self, *, browser: bool) -> None:
        """Raises `BotError`."""
        pages = self._pages
        with pages.kept.socket(HOST, pages.port or 0, retry=pages.retry) as listener:
            address = f"http://{HOST}:{listener.getsockname()[1]}/setup?key={pages.key}"
        typer.echo(say("setup.address", url=address))
        if browser:
            show_in_browser(address)
        config = settings.read(self._file) if self._file.is_file() else await self._begin()
        knowledge: Knowledge | None = None
        while config is not None:
            config = _at_home(config)
            service = pages.signals.serving = await self._open(config, knowledge)
            await self._serve(service)
            before, config = config, pages.signals.take()
            knowledge = service.knowledge if config and settings.keeps_articles(before, config) else None

    def _play(self, wanted: bool) -> None:
        self._playing = wanted

    async def _begin(self) -> Config | None:
        """The first step: there is nothing to serve but the page that makes the folder."""
        pages, store = self._pages, SqliteStore.open(":memory:")
        setup = SetupServices.of_folder(self._folder, restart=pages.restart)
        services = WebServices(
            store,
            {},
            Clock(),
            language=language(),
            host=HOST,
            secret=pages.secret,
            key=pages.key,
            setup=setup,
        )
        site = Site(services, Observers([]))
        await site.start_on(pages.kept.socket(HOST, pages.port or 0, retry=pages.retry))
        pages.open_now[:] = [site]
        try:
            await pages.signals.ended.wait()
        finally:
            await site.stop()
            await store.close()
        return pages.signals.take()

    async def _open(self, config: Config, knowledge: Knowledge | None) -> Service:
        if self._playing:
            return await open_playground(_without_tokens(config), knowledge)
        return await build_service(config, Overrides(knowledge=knowledge))

    async def _serve(self, service: Service) -> None:
        ended = self._pages.signals.ended
        if self._playing:
            await show_playground(service, self._pages, ended, browser=False)
            return
        from bot.cli.run import serve_channels

        await serve_channels(service, ended, self._pages)


def _at_home(config: Config) -> Config:
    return config.model_copy(update={"web": config.web.model_copy(update={"host": HOST})})


def _without_tokens(config: Config) -> Config:
    """The config with its channels, none of which is opened."""
    channels = {n: c.model_copy(update={"token": None}) for n, c in config.channels.items()}
    return config.model_copy(update={"channels": channels})
