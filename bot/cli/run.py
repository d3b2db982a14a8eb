"""`bot run`, `bot play`, `bot chat`: the service with its page, until it is told to stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import typer

from bot.app import Overrides, Service, build_service
from bot.app.channels import check_kinds
from bot.article_edits import ArticleEdits
from bot.cli import settings
from bot.cli.ask import load_embeddings
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.process_signals import ProcessSignals
from bot.cli.weekly_digest import send_digests
from bot.config.loader import Config, read_config
from bot.config.roles import ProcessRole, read_roles
from bot.demo.shop_folder import open_shop
from bot.errors import BotError, ConfigError, StorageError
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.articles.schema import article_files
from bot.model import INNER
from bot.observability import set_up_logging
from bot.service import run, watch_articles

if TYPE_CHECKING:
    from bot.cli.page_serving import PageServing


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """What one process is to do: its page at a *port* (None: the config's), its roles, and its name among
    those that share a database ("" = any).
    """

    web: bool = True
    port: int | None = None
    roles: str = ""
    replica: str = ""


def run_channels(path: Path | None, options: ProcessOptions) -> None:
    """Every channel whose token is there, until SIGTERM or Ctrl+C. Exit code 1 when there is none."""
    if _sets_up(path, options.port, browser=True):
        return
    try:
        roles = read_roles(options.roles)
    except ConfigError as error:
        raise fail(error) from None
    config = settings.load(path)
    # law: who has no pages takes no port from who has, unless it is told which
    web = options.web and (ProcessRole.WEB in roles or options.port is not None)
    set_up_logging(json=config.logging.json_lines, level=config.logging.level)
    try:
        check_kinds(config)
    except ConfigError as error:
        raise fail(error) from None
    if roles != {ProcessRole.WEB} and not any(c.enabled for c in config.channels.values()):
        typer.secho(f"{say('message.no_channels')}\n→ {say('message.no_channels_hint')}", fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM)
    if not options.web and (
        called := [
            n
            for n, c in config.channels.items()
            if (c.type == "website" or getattr(c, "mode", "") in ("webhook", "callback")) and c.enabled
        ]
    ):
        typer.secho(say("message.needs_web", channels=", ".join(called)), fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM)
    _look_for_articles(config)
    overrides = Overrides(roles=roles, replica=options.replica)
    _until_stopped(_channels(config, path, replace(options, web=web), overrides))


def run_playground(path: Path | None, *, port: int | None, browser: bool) -> None:
    """The playground, with the real channels beside it where their tokens are there."""
    if _sets_up(path, port, browser=browser):
        return
    _play(settings.load(path), path, port, browser)


def run_demo(*, port: int | None, browser: bool) -> None:
    """The playground of the demo shop, wherever it is started.

    Law: it reads no tokens, so that no customer of an owner's bot is ever answered by the shop.
    """
    try:
        shop = open_shop(platformdirs.user_cache_path("otklik"))
        config = read_config(shop / "config.yaml", environment={})
    except OSError as error:
        raise fail(StorageError(say("message.no_demo", reason=error.strerror or str(error)))) from None
    except ConfigError as error:
        raise fail(error) from None
    _play(config, None, port, browser, setup=False)


def run_setup(folder: Path, *, port: int | None, browser: bool) -> None:
    """The set-up pages of *folder*, whatever there is in it."""
    from bot.cli.setup import SetupProcess

    set_up_logging(level="warning")

    async def serve() -> None:
        await SetupProcess(folder.resolve(), port).run(browser=browser)

    _until_stopped(serve())


def _sets_up(path: Path | None, port: int | None, *, browser: bool) -> bool:
    """Whether the set-up pages were opened instead: offered in a folder without a bot, to whoever can say
    yes.
    """
    if path is not None or settings.is_bot_folder() or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if not typer.confirm(say("setup.offer"), default=True):
        return False
    run_setup(Path(), port=port, browser=browser)
    return True


def _play(config: Config, path: Path | None, port: int | None, browser: bool, *, setup: bool = True) -> None:
    set_up_logging(
        json=config.logging.json_lines,
        level="warning" if config.logging.level == "info" else config.logging.level,
    )
    _look_for_articles(config)
    from bot.cli.page_serving import PageServing
    from bot.cli.playground import play

    async def shown() -> None:
        pages = PageServing(signals=ProcessSignals(path), port=port, retry=port is None)
        await play(config, pages, browser=browser, setup=setup)

    _until_stopped(shown())


def run_terminal(path: Path | None) -> None:
    """The same bot in the terminal, in memory."""
    from bot.adapters.terminal import TerminalAdapter

    config = settings.load(path)
    set_up_logging(level="error")
    _look_for_articles(config)

    async def talk() -> None:
        clock = command_clock()
        terminal = TerminalAdapter("terminal", clock=clock)
        quick = config.model_copy(
            update={
                "dialogs": config.dialogs.model_copy(update={"settle": 0.05, "typing": False}),
                "desk": None,
            }
        )
        service = await build_service(
            quick,
            Overrides(
                adapters={"terminal": terminal},
                clock=clock,
                desk=terminal.desk,
                storage=":memory:",
                log_events=False,
            ),
        )
        terminal.enter(service.store)
        stop = asyncio.Event()
        terminal.on_quit = stop.set
        await asyncio.to_thread(load_embeddings, service.knowledge)
        await run(service, stop)

    _until_stopped(talk())


def _look_for_articles(config: Config) -> None:
    """Says what to do where there is nothing to answer with; without the folder itself nothing can start:
    exit code 1.
    """
    folder = config.path(config.knowledge.folder)
    if not folder.is_dir():
        hint = say("message.no_articles_folder_hint", folder=config.knowledge.folder)
        typer.secho(f"{say('message.no_articles_folder', folder=folder)}\n→ {hint}", fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM)
    if names := [f.name for f in article_files(folder) if blanks(f.read_text("utf-8", errors="replace"))]:
        typer.secho(say("message.unfilled", files=", ".join(names)), fg="yellow", err=True)
    if not any(article_files(folder)):
        typer.secho(
            f"{say('message.no_articles', folder=folder)}\n→ {say('message.no_articles_hint')}",
            fg="yellow",
            err=True,
        )


def _until_stopped(work: Coroutine[object, object, None]) -> None:
    try:
        asyncio.run(work)
    except BotError as error:
        raise fail(error) from None
    except KeyboardInterrupt:
        pass


async def _channels(config: Config, path: Path | None, options: ProcessOptions, overrides: Overrides) -> None:
    """One service after another: a changed config (SIGHUP, the set-up pages) is a new service on the same
    file, with the articles that are read already.
    """
    from bot.cli.page_serving import PageServing

    orders, knowledge = ProcessSignals(path), None
    pages = PageServing(signals=orders, port=options.port) if options.web else None
    while True:
        service = orders.serving = await build_service(config, replace(overrides, knowledge=knowledge))
        shown = ", ".join(name for name in service.adapters if name not in INNER)
        typer.echo(say("message.running", channels=shown))
        await serve_channels(service, orders.ended, pages)
        wanted = orders.take()
        if wanted is None:
            return
        config, knowledge = wanted, service.knowledge if settings.keeps_articles(config, wanted) else None


async def serve_channels(service: Service, stop: asyncio.Event, pages: PageServing | None) -> None:
    """The channels of *service*, and the page (without the role web: how it is doing), until *stop*."""
    letters, watched = [partial(send_digests, service)], service.config.knowledge.watch
    edits = ArticleEdits(service.store, service.knowledge, service.clock)
    if pages is None:
        await run(
            service, stop, beside=[edits.run(), *([_articles(service)] if watched else [])], periodic=letters
        )
        return
    first = pages.kept.is_new
    try:
        site = await pages.open(service, live=True)
    except ConfigError:
        await service.close()
        raise
    if first:
        said = "message.health_page" if site.services.health_only else "message.page"
        typer.echo(say(said, url=site.url))
    try:
        watching = [site.watch(service.knowledge)] if watched else []
        await run(service, stop, beside=[edits.run(), *watching], periodic=letters)
    finally:
        await site.stop()


async def _articles(service: Service) -> None:
    await watch_articles(service, lambda change: None)
