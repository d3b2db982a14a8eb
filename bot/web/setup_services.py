"""What the set-up pages need besides the service: the folder of the bot, and the process that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.config.loader import Config, read_config
from bot.model import Peer
from bot.setup.owner_folder import CONFIG


def _nothing() -> None:
    return None


def _nowhere() -> Peer | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupServices:
    """The owner's *folder* and its settings *file*; where that is missing, the first step makes both.

    *restart* lets the process read the settings again; it returns at once, and raises `ConfigError` where
    they or other files of the folder are wrong: then nothing changes. *play* (where the process can do
    both) chooses between trying out (True) and the real channels, from the next restart on. *live*: the real
    channels run. *desk* is where the operators work by now.
    """

    folder: Path
    file: Path
    restart: Callable[[], None] = _nothing
    play: Callable[[bool], None] | None = None
    live: bool = False
    desk: Callable[[], Peer | None] = _nowhere

    @classmethod
    def of_folder(cls, folder: Path, *, restart: Callable[[], None]) -> SetupServices:
        """A folder in which there may be nothing yet."""
        return cls(folder=folder, file=folder / CONFIG, restart=restart)

    @property
    def is_new(self) -> bool:
        """Whether the folder is still to be made."""
        return not self.file.is_file()

    def config(self) -> Config:
        """The settings as they stand in the file now. Raises `ConfigError`."""
        return read_config(self.file)
