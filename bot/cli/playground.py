"""`bot play`: the playground in a browser, started anew whenever the set-up pages change something."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import typer

from bot.adapters.base import Adapter
from bot.adapters.playground.adapter import DESK_CHAT, playground_channels
from bot.adapters.website.adapter import WebsiteAdapter
from bot.adapters.website.settings import WebsiteSettings
from bot.app import Overrides, Service, build_service, open_adapters
from bot.cli.clock import command_clock
from bot.cli.demo import show_history
from bot.cli.messages import say
from bot.cli.page_serving import PageServing, show_in_browser
from bot.cli.settings import keeps_articles
from bot.clock import Clock
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.knowledge.search import Knowledge
from bot.model import Peer
from bot.service import run

SITE = "play-site"


async def play(config: Config, pages: PageServing, *, browser: bool, setup: bool = True) -> None:
    """Until the process is told to stop; *setup*: with the owner's set-up pages."""
    knowledge: Knowledge | None = None
    while True:
        service = pages.signals.serving = await open_playground(config, knowledge)
        await show_playground(service, pages, pages.signals.ended, browser=browser, setup=setup)
        wanted = pages.signals.take()
        if wanted is None:
            return
        knowledge = service.knowledge if keeps_articles(config, wanted) else None
        config, browser = wanted, False


async def open_playground(config: Config, knowledge: Knowledge | None = None) -> Service:
    """A service whose customers and operators sit in front of the page, beside the channels of *config*."""
    clock = command_clock()
    folder = config.path("data/playground")
    messengers = playground_channels(files=folder, now=clock, business=config.business.name)
    quick = (
        config.model_copy(update={"desk": None})
        if not any(c.enabled for c in config.channels.values())
        else config
    )

    def adapters(salt: str) -> Mapping[str, Adapter]:
        played = {**{s.name: s for s in messengers}, SITE: _site(clock)}
        return {**open_adapters(config, clock, salt=salt), **played}

    overrides = Overrides(
        adapters=adapters,
        clock=clock,
        desk=Peer("play-desk", DESK_CHAT),
        storage=str(config.path("data/playground.db")),
        folders=[folder],
        knowledge=knowledge,
    )
    return await build_service(quick, overrides)


def _site(clock: Clock) -> Adapter:
    """The chat of a site, on a page of our own."""
    settings = WebsiteSettings(origins=("http://localhost",), demo=True)
    adapter = WebsiteAdapter(SITE, settings, clock=clock)
    adapter.platform_name = say("message.site")
    return adapter


async def show_playground(
    service: Service, pages: PageServing, stop: asyncio.Event, *, browser: bool, setup: bool = True
) -> None:
    """Serve it until *stop*; an address that is said anew every time would be noise, so it is said once.

    Where an owner sets up their own bot (with a key) no invented weeks are played for its report.
    """
    first = pages.kept.is_new
    try:
        messengers = [name for name in service.adapters if name.startswith("play-")]
        site = await pages.open(service, playground=messengers, setup=setup)
    except ConfigError:
        await service.close()
        raise
    if first:
        typer.echo(say("message.playing", url=site.url))
    if browser:
        show_in_browser(site.url)
    beside = [site.watch(service.knowledge)]
    if not pages.key:
        beside.append(show_history(service.config, partial(setattr, site.services, "demo")))
    try:
        await run(service, stop, beside=beside)
    finally:
        await site.stop()
