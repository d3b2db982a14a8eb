"""`bot run`, `bot play`, `bot chat`: the service with its page, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import platformdirs
import typer

from bot.adapters.base import Adapter
from bot.app import Overrides, Service, build_service, open_adapters, open_hours, open_texts
from bot.article_edits import ArticleEdits
from bot.cli import settings
from bot.cli.ask import load_embeddings
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.weekly_digest import send_digests
from bot.config.loader import Config, read_config
from bot.config.roles import ProcessRole, read_roles
from bot.demo.shop_folder import open_shop
from bot.errors import BotError, ConfigError, StorageError
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.articles.schema import article_files
from bot.model import PLAYED, Peer
from bot.observability import get_logger, set_up_logging
from bot.service import EMBEDDING_THREAD, run, watch_articles


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
    try:
        roles = read_roles(options.roles)
    except ConfigError as error:
        raise fail(error) from None
    config = settings.load(path)
    # law: who has no pages takes no port from who has, unless it is told which
    web = options.web and (ProcessRole.WEB in roles or options.port is not None)
    set_up_logging(json=config.logging.json_lines, level=config.logging.level)
    if roles != {ProcessRole.WEB} and not any(c.token for c in config.channels.values()):
        typer.secho(f"{say('message.no_channels')}\n→ {say('message.no_channels_hint')}", fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM)
    if not options.web and (
        called := [
            n
            for n, c in config.channels.items()
            if getattr(c, "mode", "") in ("webhook", "callback") and c.token
        ]
    ):
        typer.secho(say("message.needs_web", channels=", ".join(called)), fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM)
    _look_for_articles(config)
    overrides = Overrides(roles=roles, replica=options.replica)
    _until_stopped(_channels(config, path, replace(options, web=web), overrides))


def run_playground(path: Path | None, *, port: int | None, browser: bool) -> None:
    """The playground, with the real channels beside it where their tokens are there."""
    _play(settings.load(path), port, browser)


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
    _play(config, port, browser)


def _play(config: Config, port: int | None, browser: bool) -> None:
    set_up_logging(
        json=config.logging.json_lines,
        level="warning" if config.logging.level == "info" else config.logging.level,
    )
    _look_for_articles(config)
    _until_stopped(_playground(config, port=port, browser=browser))


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
        return
    if any(t.name == EMBEDDING_THREAD and t.is_alive() for t in threading.enumerate()):
        # everything is kept and closed; only numbers are still being crunched, and an interpreter cannot end
        # under them
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


async def _channels(config: Config, path: Path | None, options: ProcessOptions, overrides: Overrides) -> None:
    """One service after another: a changed config (SIGHUP) is a new service on the same file, with the
    articles that are read already.
    """
    orders, knowledge = ProcessSignals(path), None
    while True:
        service = await build_service(config, replace(overrides, knowledge=knowledge))
        typer.echo(
            say("message.running", channels=", ".join(name for name in service.adapters if name != PLAYED))
        )
        await _serve(service, orders.ended, options)
        wanted = orders.take()
        if wanted is None:
            return
        kept = wanted.knowledge == config.knowledge and wanted.channels.keys() == config.channels.keys()
        config, knowledge = wanted, service.knowledge if kept else None


async def _serve(service: Service, stop: asyncio.Event, options: ProcessOptions) -> None:
    """The channels of *service*, and the page (without the role web: how it is doing), until *stop*."""
    letters, watched = [partial(send_digests, service)], service.config.knowledge.watch
    edits = ArticleEdits(service.store, service.knowledge, service.clock)
    if not options.web:
        await run(
            service, stop, beside=[edits.run(), *([_articles(service)] if watched else [])], periodic=letters
        )
        return
    from bot.cli.site import site_of

    site = site_of(service)
    await site.start(port=service.config.web.port if options.port is None else options.port, retry=False)
    typer.echo(say("message.health_page" if site.services.health_only else "message.page", url=site.url))
    try:
        watching = [site.watch(service.knowledge)] if watched else []
        await run(service, stop, beside=[edits.run(), *watching], periodic=letters)
    finally:
        await site.stop()


class ProcessSignals:
    """What the administrator asks for by signals: SIGTERM and Ctrl+C end the bot, SIGHUP reads the config
    again.

    A config that is wrong, or cannot be joined, is told in the log and changes nothing. `ended` is set when
    the present service is to close.
    """

    def __init__(self, path: Path | None) -> None:
        self.ended = _stop_signal()
        self._path = path
        self._wanted: Config | None = None
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has no such signal
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._read)

    def take(self) -> Config | None:
        """The config to go on with; None = stop. To be asked once after each end."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.ended.clear()
        return wanted

    def _read(self) -> None:
        log = get_logger("app")
        try:
            wanted = settings.read(self._path)
            open_texts(wanted, open_hours(wanted))
        except ConfigError as error:
            for problem in error.problems:
                log.error("config_refused", problem=str(problem))
            return
        log.info("config_read_again")
        self._wanted = wanted
        self.ended.set()


async def _articles(service: Service) -> None:
    await watch_articles(service, lambda change: None)


async def _playground(config: Config, *, port: int | None, browser: bool) -> None:
    from bot.adapters.playground.adapter import DESK_CHAT, playground_channels
    from bot.cli.demo import show_history
    from bot.cli.site import site_of

    clock = command_clock()
    folder = config.path("data/playground")
    messengers = playground_channels(files=folder, now=clock, business=config.business.name)
    quick = (
        config.model_copy(update={"desk": None})
        if not any(c.token for c in config.channels.values())
        else config
    )
    storage = str(config.path("data/playground.db"))

    def adapters(salt: str) -> Mapping[str, Adapter]:
        return {**open_adapters(config, clock, salt=salt), **{s.name: s for s in messengers}}

    service = await build_service(
        quick,
        Overrides(
            adapters=adapters,
            clock=clock,
            desk=Peer("play-desk", DESK_CHAT),
            storage=storage,
            folders=[folder],
        ),
    )
    site = site_of(service, playground=[s.name for s in messengers])
    stop = _stop_signal()
    try:
        await site.start(port=config.web.port if port is None else port, retry=port is None)
    except ConfigError:
        await service.close()
        raise
    typer.echo(say("message.playing", url=site.url))
    if browser:
        with contextlib.suppress(Exception):
            webbrowser.open(site.url)
    try:
        await run(
            service,
            stop,
            beside=[
                site.watch(service.knowledge),
                show_history(config, partial(setattr, site.services, "demo")),
            ],
        )
    finally:
        await site.stop()


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM and Ctrl+C; a second Ctrl+C ends at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has only KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    return stop
