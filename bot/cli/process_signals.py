"""What ends a process, or lets it read its settings again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from bot.app import Service, check_files
from bot.cli import settings
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.observability import get_logger


class ProcessSignals:
    """What the administrator asks for: SIGTERM and Ctrl+C end the bot, SIGHUP and the set-up pages let it
    read the config again.

    A config that is wrong, or cannot be joined with the owner's other files, is told and changes nothing.
    `ended` is set when the present service is to close; `serving` is that service.
    """

    def __init__(self, path: Path | None) -> None:
        self.ended = stop_signal()
        self.serving: Service | None = None
        self._path = path
        self._wanted: Config | None = None
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has no such signal
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.read_again)

    def take(self) -> Config | None:
        """The config to go on with; None = stop. To be asked once after each end."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.ended.clear()
        return wanted

    def read_again(self) -> None:
        """`go_on_with_files`, as SIGHUP asks for it: what is wrong is told in the log."""
        try:
            self.go_on_with_files()
        except ConfigError as error:
            log = get_logger("app")
            for problem in error.problems:
                log.error("config_refused", problem=str(problem))

    def go_on_with_files(self) -> None:
        """Close the present service, and go on with what the owner's files say by now. Raises `ConfigError`
        where they are wrong, and nothing changes.
        """
        wanted, serving = settings.read(self._path), self.serving
        stays = serving is not None and settings.keeps_articles(serving.config, wanted)
        check_files(wanted, serving.knowledge if serving is not None and stays else None)
        get_logger("app").info("config_read_again")
        self._wanted = wanted
        self.ended.set()


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and Ctrl+C; a second Ctrl+C ends at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has only KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    return stop
